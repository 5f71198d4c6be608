/**
 * The floor under the overlay: one route for each of its networks that answers at once "unreachable" for what no host has,
 * or has any more. Without it such packets leave by the default route, to be dropped or read by somebody else, and whoever
 * sent them waits for a time-out.
 */
import { cidrContains } from "../address/network.ts";
import type { Route } from "../base/kernel_objects.ts";
import { ROUTE_PROTOCOL } from "../base/limits.ts";
import { TABLE_MAIN } from "./host_gw.ts";

/** Any other route to the same network wins: only what nobody else wants falls down to here. */
export const UNREACHABLE_METRIC = 4_000_000_000;

/** `ip route add unreachable NETWORK`. */
export function unreachableRoute(network: string): Route {
  return {
    device: "",
    destination: network,
    gateway: null,
    onlink: false,
    protocol: ROUTE_PROTOCOL,
    table: TABLE_MAIN,
    metric: UNREACHABLE_METRIC,
  };
}

/** Whether a route is such a one and this overlay's: several agents of one host have networks of their own. */
export function isOwnUnreachable(route: Route, networks: readonly string[]): boolean {
  if (route.protocol !== ROUTE_PROTOCOL || route.device !== "") return false;
  const address = route.destination.slice(0, route.destination.indexOf("/"));
  return networks.some((network) => cidrContains(network, address));
}
