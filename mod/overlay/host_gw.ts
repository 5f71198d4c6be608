/** The host-gw backend, and direct routes beside VXLAN: a peer's subnet by a route through its address on the underlay. */
import { isIpv6Text } from "../address/ipv6.ts";
import { cidrContains } from "../address/network.ts";
import type { Route, Underlay } from "../base/kernel_objects.ts";
import { ROUTE_PROTOCOL } from "../base/limits.ts";
import type { ClaimRecord } from "../claim/record.ts";

/** The main routing table (RT_TABLE_MAIN, linux/rtnetlink.h). */
export const TABLE_MAIN = 254;

/**
 * The metric of our routes to peers. None with IPv4; with IPv6 none means this one, and the kernel tells it
 * (IP6_RT_PRIO_USER, linux/ipv6_route.h).
 */
export function peerMetric(destination: string): number {
  return isIpv6Text(destination) ? 1024 : 0;
}

/** The route to a peer on the same link; the kernel refuses it when the peer is not. */
export function directRoute(underlay: Underlay, owner: ClaimRecord): Route {
  return {
    device: underlay.device,
    destination: owner.subnet,
    gateway: owner.vtep.address,
    onlink: false,
    protocol: ROUTE_PROTOCOL,
    table: TABLE_MAIN,
    metric: peerMetric(owner.subnet),
  };
}

/**
 * Whether a route is such a one and this overlay's. Several agents of one host have the same underlay: what lies in our
 * networks is ours. Routes over VXLAN are onlink.
 */
export function isOwnDirectRoute(route: Route, networks: readonly string[]): boolean {
  if (route.protocol !== ROUTE_PROTOCOL || route.gateway === null || route.onlink) return false;
  const address = route.destination.slice(0, route.destination.indexOf("/"));
  return networks.some((network) => cidrContains(network, address));
}
