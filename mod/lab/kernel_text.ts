/**
 * What a host's kernel holds, in the words of `ip` and `bridge`, sorted: for comparing and for showing.
 *
 * Read over netlink, so it works where neither program is installed; a test compares it with the real
 * programs where they are.
 */
import { fdbDump } from "../../ffi/route/fdb.ts";
import { linkGet } from "../../ffi/route/link.ts";
import { neighbourDump } from "../../ffi/route/neighbour.ts";
import { routeDump } from "../../ffi/route/route.ts";
import type { Namespace } from "./namespace.ts";

/** rtm_protocol numbers with names in iproute2's rt_protos; others print as numbers. */
const PROTOCOL_NAMES: ReadonlyMap<number, string> = new Map([
  [2, "kernel"],
  [3, "boot"],
  [4, "static"],
]);

/** rtm_scope as `ip route` prints it; the whole world (0) is left out. */
const SCOPE_NAMES: ReadonlyMap<number, string> = new Map([
  [253, "scope link"],
  [254, "scope host"],
]);

/** Neighbour states of linux/neighbour.h as `ip neighbour` prints them. */
const STATE_NAMES: ReadonlyMap<number, string> = new Map([
  [0x01, "INCOMPLETE"],
  [0x02, "REACHABLE"],
  [0x04, "STALE"],
  [0x08, "DELAY"],
  [0x10, "PROBE"],
  [0x20, "FAILED"],
  [0x40, "NOARP"],
  [0x80, "PERMANENT"],
]);

const NUD_PERMANENT = 0x80;

/** `ip -4 route show dev DEVICE`, sorted; the unicast routes of the main table. */
export function routeLines(namespace: Namespace, device: string, family: 4 | 6 = 4): string[] {
  const link = linkGet(namespace.netlink, device);
  if (link === null) return [];
  return routeDump(namespace.netlink, { family, index: link.index })
    .map((route) =>
      [
        route.destination === "0.0.0.0/0" ? "default" : route.destination,
        route.gateway === null ? "" : `via ${route.gateway}`,
        `proto ${PROTOCOL_NAMES.get(route.protocol) ?? route.protocol}`,
        SCOPE_NAMES.get(route.scope) ?? "",
        route.preferredSource === null ? "" : `src ${route.preferredSource}`,
        route.onlink ? "onlink" : "",
      ].filter((word) => word !== "").join(" ")
    )
    .sort();
}

/** `ip -4 neighbour show dev DEVICE`, sorted. */
export function neighbourLines(
  namespace: Namespace,
  device: string,
  family: 4 | 6 = 4,
): string[] {
  const link = linkGet(namespace.netlink, device);
  if (link === null) return [];
  return neighbourDump(namespace.netlink, { index: link.index, family })
    .map(({ address, linkAddress, state, protocol }) =>
      [
        address,
        linkAddress === null ? "" : `lladdr ${linkAddress}`,
        STATE_NAMES.get(state) ?? `state ${state}`,
        protocol === null ? "" : `proto ${PROTOCOL_NAMES.get(protocol) ?? protocol}`,
      ].filter((word) => word !== "").join(" ")
    )
    .sort();
}

/** `bridge fdb show dev DEVICE` of a VXLAN device, sorted. */
export function forwardingLines(namespace: Namespace, device: string): string[] {
  const link = linkGet(namespace.netlink, device);
  if (link === null) return [];
  return fdbDump(namespace.netlink, link.index)
    .map(({ linkAddress, destination, state }) =>
      [
        linkAddress,
        destination === null ? "" : `dst ${destination}`,
        "self",
        state & NUD_PERMANENT ? "permanent" : "",
      ].filter((word) => word !== "").join(" ")
    )
    .sort();
}
