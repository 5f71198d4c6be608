/**
 * What is provably ours among what the kernel holds. Nothing else is ever deleted or rewritten.
 *
 * | object             | proof                                                                    |
 * | ------------------ | ------------------------------------------------------------------------ |
 * | device             | its alias; the UDP backend's says of which overlay, as its name does not |
 * | route              | its protocol number; elsewhere besides: a gateway or unreachable, and in our networks |
 * | neighbour          | its protocol number                                                      |
 * | address            | its protocol number; before Linux 5.18: a /32 or /128 of an overlay network on our device |
 * | forwarding entry   | permanent, unicast, on our own device: nobody else fills that table      |
 *
 * Why these, and what was rejected: docs/adr/0009-ownership-of-kernel-objects.md.
 */
import {
  type DeviceAddress,
  type ForwardingEntry,
  isTunLink,
  isVxlanLink,
  type KernelState,
  type Neighbour,
  type Route,
  type TunLink,
  type VxlanLink,
} from "../base/kernel_objects.ts";
import { DEVICE_ALIAS, ROUTE_PROTOCOL } from "../base/limits.ts";
import { cidrsOverlap } from "../address/network.ts";
import { isOwnDirectRoute } from "./host_gw.ts";
import { isOwnUnreachable } from "./unreachable.ts";

/** The device when it is one that we made, with that alias; null when it is absent or somebody else's. */
export function ownLink(
  link: KernelState["link"],
  alias = DEVICE_ALIAS,
): VxlanLink | TunLink | null {
  if (link === null || link.alias !== alias) return null;
  return isVxlanLink(link) || isTunLink(link) ? link : null;
}

/** Whether an address on our device is ours; `networks` are the overlay's, for kernels that keep no tag. */
export function isOwnAddress(address: DeviceAddress, networks: readonly string[]): boolean {
  if (address.protocol === ROUTE_PROTOCOL) return true;
  return address.protocol === 0 && isHostAddress(address.address) &&
    networks.some((network) => cidrsOverlap(address.address, network));
}

function isHostAddress(address: string): boolean {
  return address.endsWith(address.includes(":") ? "/128" : "/32");
}

export function isOwnRoute(route: Route): boolean {
  return route.protocol === ROUTE_PROTOCOL;
}

/** Whether a route that does not go through our device is this overlay's. */
export function isOwnElsewhere(route: Route, networks: readonly string[]): boolean {
  return isOwnDirectRoute(route, networks) || isOwnUnreachable(route, networks);
}

export function isOwnNeighbour(neighbour: Neighbour): boolean {
  return neighbour.protocol === ROUTE_PROTOCOL;
}

/** Whether an entry of our own device is ours; the device must have been found ours before. */
export function isOwnForwarding(entry: ForwardingEntry): boolean {
  return entry.permanent && entry.destination !== "" && isUnicastMac(entry.mac);
}

/** Whether a MAC can be a host's: the group bit (IEEE 802) is clear and it is not all zero. */
export function isUnicastMac(mac: string): boolean {
  const match = /^([0-9a-f]{2})(:[0-9a-f]{2}){5}$/.exec(mac);
  if (match === null || mac === "00:00:00:00:00:00") return false;
  return (Number.parseInt(match[1] ?? "01", 16) & 1) === 0;
}
