/**
 * Hears what changes in the kernel and says so once per wake-up. What has nothing to do with the overlay's device or its
 * underlay is left out, and so are echoes of what we did ourselves: a comparison costs the more the more peers there are.
 */
import { type MonitorEvent, openMonitor, type RouteMonitor } from "../../ffi/route/monitor.ts";
import type { Operation } from "../base/kernel_objects.ts";
import { isKernelMadeAddress, isKernelMadeRoute } from "./kernel_decode.ts";

/** How long after its socket failed a new one is tried. */
const REOPEN_MS = 1_000;

export class KernelWatch {
  readonly #ownPort: number;
  readonly #changed: () => void;
  readonly #names = new Set<string>();
  readonly #indexes = new Set<number>();
  /**
   * Forwarding entries that we changed and whose notifications have not come yet. The kernel does not say who changed
   * those (drivers/net/vxlan leaves the port id 0), everything else bears our port id.
   */
  readonly #expected = new Set<string>();
  #monitor: RouteMonitor | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;
  #ended: Promise<void> = Promise.resolve();

  /** @param ownPort netlink port id of the socket through which we change things. */
  constructor(ownPort: number, changed: () => void) {
    this.#ownPort = ownPort;
    this.#changed = changed;
    this.#open();
  }

  /** Takes an interest in a device, whether it is there or not. */
  followName(name: string): void {
    this.#names.add(name);
  }

  /** Takes an interest in what happens on these devices: the overlay's and the one below it. */
  followIndexes(...indexes: readonly number[]): void {
    for (const index of indexes) this.#indexes.add(index);
  }

  /** Announces changes that we are about to make. */
  expect(operations: readonly Operation[]): void {
    for (const operation of operations) {
      if (operation.kind === "forwarding-replace") {
        this.#expected.add(echoKey("new", operation.entry.mac, operation.entry.destination));
      } else if (operation.kind === "forwarding-delete") {
        this.#expected.add(echoKey("delete", operation.entry.mac, operation.entry.destination));
      }
    }
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
    const monitor = openMonitor((events) => this.#heard(events));
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

  #heard(events: readonly MonitorEvent[]): void {
    const isNews = events.some((event) => this.#isNews(event));
    // A read empties the socket, so the echo of every change made before it was among these.
    this.#expected.clear();
    if (isNews) queueMicrotask(() => this.#tell());
  }

  /** Outside the monitor's own call: a fault of the listener is not one of the socket. */
  #tell(): void {
    if (!this.#stopped) this.#changed();
  }

  #isNews(event: MonitorEvent): boolean {
    if (event.kind === "overrun") return true;
    if (event.port === this.#ownPort) return false;
    switch (event.kind) {
      case "link":
        return this.#names.has(event.link.name) || this.#indexes.has(event.link.index);
      case "address":
        return this.#indexes.has(event.address.index) && !isKernelMadeAddress(event.address);
      case "route":
        return event.route.index !== null && this.#indexes.has(event.route.index) &&
          !isKernelMadeRoute(event.route);
      case "neighbour":
        return event.neighbour.family === 4 && this.#indexes.has(event.neighbour.index);
      case "fdb": {
        const { index, linkAddress, destination } = event.entry;
        return this.#indexes.has(index) &&
          !this.#expected.has(echoKey(event.change, linkAddress, destination ?? ""));
      }
    }
  }
}

function echoKey(change: "new" | "delete", mac: string, destination: string): string {
  return `${change} ${mac} ${destination}`;
}
