/**
 * Tells news from noise among the kernel's notifications: what has nothing to do with the overlay's device or its underlay,
 * and echoes of what we did ourselves. A comparison costs the more the more peers there are.
 */
import type { Link } from "../../ffi/route/link.ts";
import type { MonitorEvent } from "../../ffi/route/monitor.ts";
import { type Route, ROUTE_TYPE } from "../../ffi/route/route.ts";
import type { Operation } from "../base/kernel_objects.ts";
import { ROUTE_PROTOCOL } from "../base/limits.ts";
import { isForLinkOnly, isKernelMadeAddress, isKernelMadeRoute } from "./kernel_decode.ts";

export class ChangeFilter {
  readonly #ownPort: number;
  readonly #names = new Set<string>();
  /** By index of each device of interest: how it looked last. */
  readonly #looks = new Map<number, string>();
  /**
   * Those of them that are only below the overlay. Their neighbours are the kernel's own business and change state at each
   * probe of membership: on 20 idle hosts, a comparison every two seconds and two fifths of the agent's processor time.
   */
  readonly #below = new Set<number>();
  /**
   * Changes of ours whose notifications have not come yet and will not say that they are ours: those of forwarding entries
   * (drivers/net/vxlan gives port id 0) and a second one for each deleted neighbour (net/core/neighbour.c).
   */
  readonly #expected = new Set<string>();

  /** @param ownPort netlink port id of the socket through which we change things. */
  constructor(ownPort: number) {
    this.#ownPort = ownPort;
  }

  /** Takes an interest in a device, whether it is there or not. */
  followName(name: string): void {
    this.#names.add(name);
  }

  /** Takes an interest in what happens on a device that looks like this now: the overlay's. */
  follow(link: Link): void {
    this.#below.delete(link.index);
    this.#looks.set(link.index, lookOf(link));
  }

  /** Takes an interest in the device below the overlay's, but in nobody's neighbours there. */
  followBelow(link: Link): void {
    this.#below.add(link.index);
    this.#looks.set(link.index, lookOf(link));
  }

  isFollowing(index: number): boolean {
    return this.#looks.has(index);
  }

  /** Announces changes that we are about to make. */
  expect(operations: readonly Operation[]): void {
    for (const operation of operations) {
      if (operation.kind === "forwarding-replace") {
        this.#expected.add(echoKey("new", operation.entry.mac, operation.entry.destination));
      } else if (operation.kind === "forwarding-delete") {
        this.#expected.add(echoKey("delete", operation.entry.mac, operation.entry.destination));
      } else if (operation.kind === "neighbour-delete") {
        this.#expected.add(echoKey("delete", operation.neighbour.address, ""));
      }
    }
  }

  /** Whether anything of what one reading of the socket gave calls for a comparison. */
  hasNews(events: readonly MonitorEvent[]): boolean {
    let hasNews = false;
    for (const event of events) {
      if (this.#isNews(event)) hasNews = true; // no early end: each event may change how a device looks
    }
    // A reading empties the socket, so the echo of every change made before it was among these.
    this.#expected.clear();
    return hasNews;
  }

  /** The kernel tells of each flicker of a carrier, often twice; what we compare may be as it was. */
  #isLinkNews(change: "new" | "delete", link: Link): boolean {
    const before = this.#looks.get(link.index);
    if (before === undefined) return this.#names.has(link.name);
    if (change === "delete") return this.#looks.delete(link.index);
    const look = lookOf(link);
    this.#looks.set(link.index, look);
    return look !== before;
  }

  #isOverlay(index: number): boolean {
    return this.#looks.has(index) && !this.#below.has(index);
  }

  /** Ours that go through no device are known by their number. */
  #isRouteNews(route: Route): boolean {
    if (route.type === ROUTE_TYPE.UNREACHABLE) return route.protocol === ROUTE_PROTOCOL;
    return route.index !== null && this.#looks.has(route.index) && !isKernelMadeRoute(route);
  }

  #isNews(event: MonitorEvent): boolean {
    if (event.kind === "overrun") return true;
    if (event.port === this.#ownPort) return false;
    switch (event.kind) {
      case "forwarding":
        return true;
      case "offloads":
        return this.#isOverlay(event.index);
      case "link":
        return this.#isLinkNews(event.change, event.link);
      case "address":
        return this.#looks.has(event.address.index) && !isKernelMadeAddress(event.address);
      case "route":
        return this.#isRouteNews(event.route);
      case "neighbour": {
        const { family, index, address } = event.neighbour;
        return this.#isOverlay(index) && (family === 4 || !isForLinkOnly(address)) &&
          !this.#expected.has(echoKey(event.change, address, ""));
      }
      case "fdb": {
        const { index, linkAddress, destination } = event.entry;
        return this.#isOverlay(index) &&
          !this.#expected.has(echoKey(event.change, linkAddress, destination ?? ""));
      }
    }
  }
}

function lookOf({ name, up, mtu, address, alias, vxlan }: Link): string {
  return JSON.stringify([name, up, mtu, address, alias, vxlan]);
}

function echoKey(change: "new" | "delete", what: string, destination: string): string {
  return `${change} ${what} ${destination}`;
}
