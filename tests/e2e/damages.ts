/** Ways to break a host's overlay by hand, each as an operator or another program might. */
import assert from "node:assert/strict";
import { addressDelete } from "../../ffi/route/address.ts";
import { fdbDelete, fdbDump } from "../../ffi/route/fdb.ts";
import { linkDelete, linkSet } from "../../ffi/route/link.ts";
import { neighbourDelete, neighbourDump } from "../../ffi/route/neighbour.ts";
import { routeDelete, routeDump } from "../../ffi/route/route.ts";
import type { Host } from "../../mod/lab/host.ts";
import { DEVICE } from "./cluster.ts";

/** Each needs a host with its overlay up and at least one peer. */
export const DAMAGES: readonly (readonly [what: string, damage: (host: Host) => void])[] = [
  ["one route deleted", deleteRoute],
  ["one neighbour deleted", deleteNeighbour],
  ["one FDB entry deleted", deleteForwarding],
  ["all routes deleted", deleteAllRoutes],
  ["the VTEP's address deleted", deleteAddress],
  [`${DEVICE} set down`, (host) => setDevice(host, { up: false })],
  [`${DEVICE}'s MAC changed`, (host) => setDevice(host, { address: "02:00:00:00:00:99" })],
  [`${DEVICE}'s MTU changed`, (host) => setDevice(host, { mtu: 1200 })],
  [`${DEVICE} deleted`, deleteDevice],
];

function indexOf(host: Host): number {
  return host.namespace.deviceIndex(DEVICE);
}

export function deleteDevice(host: Host): void {
  linkDelete(host.namespace.netlink, indexOf(host));
}

function setDevice(host: Host, settings: Parameters<typeof linkSet>[2]): void {
  linkSet(host.namespace.netlink, indexOf(host), settings);
}

function deleteRoute(host: Host): void {
  const [route] = overlayRoutes(host);
  assert(route !== undefined);
  routeDelete(host.namespace.netlink, { destination: route.destination, index: indexOf(host) });
}

function deleteAllRoutes(host: Host): void {
  for (const { destination } of overlayRoutes(host)) {
    routeDelete(host.namespace.netlink, { destination, index: indexOf(host) });
  }
}

function overlayRoutes(host: Host) {
  return routeDump(host.namespace.netlink, { family: 4, index: indexOf(host) });
}

function deleteNeighbour(host: Host): void {
  const index = indexOf(host);
  const [neighbour] = neighbourDump(host.namespace.netlink, { index, family: 4 });
  assert(neighbour !== undefined);
  neighbourDelete(host.namespace.netlink, { index, address: neighbour.address });
}

function deleteForwarding(host: Host): void {
  const index = indexOf(host);
  const [entry] = fdbDump(host.namespace.netlink, index);
  assert(entry !== undefined && entry.destination !== null);
  fdbDelete(host.namespace.netlink, {
    index,
    linkAddress: entry.linkAddress,
    destination: entry.destination,
  });
}

function deleteAddress(host: Host): void {
  const [address] = host.deviceAddresses(DEVICE);
  assert(address !== undefined);
  const [base = ""] = address.split("/");
  addressDelete(host.namespace.netlink, { index: indexOf(host), address: base, prefixLength: 32 });
}
