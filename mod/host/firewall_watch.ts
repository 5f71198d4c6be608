/** Hears what others change in nf_tables and says so once per wake-up; opens its socket again should it ever fail. */
import { type NftEvent, openNftMonitor } from "../../ffi/nftables/monitor.ts";

/** How long after its socket failed a new one is tried. */
const REOPEN_MS = 1_000;

export class FirewallWatch {
  readonly #table: string;
  readonly #ownPort: number;
  readonly #changed: (isOurs: boolean) => void;
  #stopMonitor: () => void = () => {};
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;
  #ended: Promise<void> = Promise.resolve();

  /**
   * @param ownPort netlink port id of the socket through which we change things.
   * Throws SysError when there is no socket to be had.
   */
  constructor(table: string, ownPort: number, changed: (isOurs: boolean) => void) {
    this.#table = table;
    this.#ownPort = ownPort;
    this.#changed = changed;
    this.#open();
  }

  /** No call comes after this. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#stopMonitor();
  }

  /** Settles when the socket is closed after a stop. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  #open(): void {
    const monitor = openNftMonitor((events) => this.#take(events));
    this.#stopMonitor = () => monitor.close();
    this.#ended = monitor.done.catch(() => this.#reopenLater());
  }

  #take(events: readonly NftEvent[]): void {
    const news = events.filter((event) => event.kind === "overrun" || event.port !== this.#ownPort);
    if (news.length === 0) return;
    const isOurs = news.some((event) => event.kind === "overrun" || event.table === this.#table);
    // Outside the monitor's own call: a fault of the listener is not one of the socket.
    queueMicrotask(() => this.#tell(isOurs));
  }

  #reopenLater(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      try {
        this.#open();
      } catch {
        this.#reopenLater();
        return;
      }
      this.#tell(true); // we were deaf for a while
    }, REOPEN_MS);
  }

  #tell(isOurs: boolean): void {
    if (!this.#stopped) this.#changed(isOurs);
  }
}
