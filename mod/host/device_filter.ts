/**
 * Tells which of the kernel's notifications may change the choice of the underlay. Where containers come and go devices,
 * addresses and routes do so all the time, and each look at all of them costs more than this.
 */
import type { InterfaceAddress } from "../../ffi/route/address.ts";
import { IFF_NOARP, IFF_POINTOPOINT, type Link } from "../../ffi/route/link.ts";
import type { MonitorEvent } from "../../ffi/route/monitor.ts";
import { type Route, SCOPE } from "../../ffi/route/route.ts";
import { ROUTE_PROTOCOL } from "../base/limits.ts";
import { isOwnAlias } from "../base/own_alias.ts";
import { isForLinkOnly } from "./kernel_decode.ts";

/** Devices remembered; on hosts with more some are looked at once too often. */
const LOOKS_MAX = 4_096;

export class DeviceFilter {
  /** By index: how a device looked last. */
  readonly #looks = new Map<number, string>();
  /** Our own devices, whose addresses and routes are no way to other hosts. */
  readonly #own = new Set<number>();
  readonly #families: ReadonlySet<4 | 6>;

  /** @param ipv6 whether IPv6 addresses and routes are of interest, too. */
  constructor(ipv6 = false) {
    this.#families = new Set(ipv6 ? [4, 6] : [4]);
  }

  /** Whether anything of what one reading of the socket gave calls for a look. */
  hasNews(events: readonly MonitorEvent[]): boolean {
    let hasNews = false;
    for (const event of events) {
      if (this.#isNews(event)) hasNews = true; // no early end: each event may change how a device looks
    }
    return hasNews;
  }

  #isNews(event: MonitorEvent): boolean {
    switch (event.kind) {
      case "overrun":
        return true;
      case "link":
        return this.#isLinkNews(event.change, event.link);
      case "address":
        return this.#isAddressNews(event.address);
      case "route":
        return this.#isRouteNews(event.route);
      case "neighbour":
      case "fdb":
      case "forwarding":
      case "offloads":
        return false;
    }
  }

  #isLinkNews(change: "new" | "delete", link: Link): boolean {
    const { index, name, up, mtu, alias, flags } = link;
    if (change === "delete") {
      this.#looks.delete(index);
      return !this.#own.delete(index);
    }
    if (isOwnAlias(alias)) this.#own.add(index);
    if (this.#own.has(index)) return false;
    const look = JSON.stringify([name, up, mtu, flags & (IFF_NOARP | IFF_POINTOPOINT)]);
    if (this.#looks.get(index) === look) return false;
    if (this.#looks.size >= LOOKS_MAX) this.#looks.clear();
    this.#looks.set(index, look);
    return true;
  }

  /** Link-local addresses of IPv6 come with each container and reach nobody. */
  #isAddressNews({ family, index, scope }: InterfaceAddress): boolean {
    return this.#families.has(family) && !this.#own.has(index) &&
      (family === 4 || scope === SCOPE.UNIVERSE);
  }

  /** Any way to elsewhere may be the one that is asked for, but not ours to a peer's subnet. */
  #isRouteNews({ family, protocol, index, destination }: Route): boolean {
    return this.#families.has(family) && (index === null || !this.#own.has(index)) &&
      protocol !== ROUTE_PROTOCOL && (family === 4 || !isForLinkOnly(destination));
  }
}
