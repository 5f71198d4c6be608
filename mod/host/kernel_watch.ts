/** Hears what changes in the kernel and says so once per wake-up; opens its socket again should it ever fail. */
import type { Link } from "../../ffi/route/link.ts";
import {
  type MonitorEvent,
  type MonitorGroups,
  openMonitor,
  type RouteMonitor,
} from "../../ffi/route/monitor.ts";

/** How long after its socket failed a new one is tried. */
const REOPEN_MS = 1_000;

/** Tells what matters among notifications. */
export interface NewsFilter {
  /** Whether anything of what one reading of the socket gave matters. */
  hasNews(events: readonly MonitorEvent[]): boolean;
}

export class KernelWatch<Filter extends NewsFilter> {
  readonly filter: Filter;
  readonly #groups: MonitorGroups;
  readonly #ownPort: number;
  readonly #changed: () => void;
  #monitor: RouteMonitor | null = null;
  /** Index of the device below the overlay's, once it is known. */
  #below: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;
  #holds = 0;
  #ended: Promise<void> = Promise.resolve();

  /**
   * Throws SysError when there is no socket to be had.
   *
   * @param ownPort netlink port id of the socket through which we change things: of that we need not be told.
   */
  constructor(
    filter: Filter,
    changed: () => void,
    ownPort: number,
    groups: MonitorGroups = "everything",
  ) {
    this.filter = filter;
    this.#ownPort = ownPort;
    this.#groups = groups;
    this.#changed = changed;
    this.#open();
  }

  /** Neighbours on this device do not even wake us any more. */
  muteNeighbours({ index }: Link): void {
    this.#below = index;
    this.#monitor?.muteNeighbours(index);
  }

  /** Nothing is told, nor even read, until the release: for while we change thousands of things ourselves. */
  hold(): void {
    this.#holds++;
    this.#monitor?.hold();
  }

  release(): void {
    this.#holds--;
    if (this.#holds === 0) this.#monitor?.release();
  }

  /** No call comes after this. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#monitor?.close();
  }

  /** Settles when the socket is closed after a stop. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  #open(): void {
    const monitor = openMonitor((events) => {
      // Outside the monitor's own call: a fault of the listener is not one of the socket.
      if (this.filter.hasNews(events)) queueMicrotask(() => this.#tell());
    }, this.#groups);
    monitor.muteChangesBy(this.#ownPort);
    if (this.#holds > 0) monitor.hold();
    if (this.#below !== null) monitor.muteNeighbours(this.#below);
    this.#monitor = monitor;
    this.#ended = monitor.done.catch(() => this.#reopenLater());
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
      this.#tell(); // we were deaf for a while
    }, REOPEN_MS);
  }

  #tell(): void {
    if (!this.#stopped) this.#changed();
  }
}
