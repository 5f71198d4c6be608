/** Ways to break a host's overlay by hand, each as an operator or another program might. */
import assert from "node:assert/strict";
import { addressDelete } from "../../ffi/route/address.ts";
import { fdbDelete, fdbDump } from "../../ffi/route/fdb.ts";
import { linkDelete, linkSet } from "../../ffi/route/link.ts";
import { neighbourDelete } from "../../ffi/route/neighbour.ts";
import { routeDelete, routeDump } from "../../ffi/route/route.ts";
import { familyOf, prefixLengthOf } from "../../mod/address/cidr.ts";
import type { Host } from "../../mod/lab/host.ts";
import { actualKernel, deviceOf, PROTOCOL } from "./cluster.ts";

/** Each needs a host with its overlay up and at least one peer. */
export const DAMAGES: readonly (readonly [what: string, damage: (host: Host) => void])[] = [
  ["one route deleted", deleteRoute],
  ["one neighbour deleted", deleteNeighbour],
  ["one FDB entry deleted", deleteForwarding],
  ["all routes deleted", deleteAllRoutes],
  ["the VTEP's address deleted", deleteAddress],
  ["the device set down", (host) => setDevice(host, { up: false })],
  ["the device's MAC changed", (host) => setDevice(host, { address: "02:00:00:00:00:99" })],
  // Below 1,280 the kernel takes all of IPv6 off it.
  ["the device's MTU changed", (host) => setDevice(host, { mtu: 1200 })],
  ["the device deleted", deleteDevice],
];

function indexOf(host: Host): number {
  return host.namespace.deviceIndex(deviceOf(host));
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
  const family = familyOf(host.address);
  return routeDump(host.namespace.netlink, { family, index: indexOf(host) })
    .filter(({ protocol }) => protocol === PROTOCOL);
}

function deleteNeighbour(host: Host): void {
  const index = indexOf(host);
  const [line = ""] = actualKernel(host).neighbours;
  neighbourDelete(host.namespace.netlink, { index, address: line.split(" ")[0] ?? "" });
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
  const [cidr] = host.deviceAddresses(deviceOf(host), familyOf(host.address));
  assert(cidr !== undefined);
  const [address = ""] = cidr.split("/");
  const prefixLength = prefixLengthOf(cidr);
  addressDelete(host.namespace.netlink, { index: indexOf(host), address, prefixLength });
}
