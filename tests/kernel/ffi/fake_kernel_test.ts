/**
 * The fake kernel against the real one: the same requests, one after the other, must be done or
 * refused alike and leave the same tables. What the fake gets wrong, every test above it gets
 * wrong.
 */
import { strict as assert } from "node:assert";
import { FakeKernel } from "../../../ffi/fake_kernel.ts";
import type { NetlinkRequest, NetlinkTransport } from "../../../ffi/netlink/transport.ts";
import {
  addressAddRequest,
  addressDeleteRequest,
  addressDump,
  addressReplaceRequest,
  IFA_F,
} from "../../../ffi/route/address.ts";
import { bridgeAddRequest } from "../../../ffi/route/bridge.ts";
import {
  fdbAppendRequest,
  fdbDeleteRequest,
  fdbDump,
  fdbReplaceRequest,
} from "../../../ffi/route/fdb.ts";
import {
  linkAddRequest,
  linkDeleteRequest,
  linkDump,
  linkGetRequest,
  linkSetRequest,
} from "../../../ffi/route/link.ts";
import {
  neighbourDeleteRequest,
  neighbourDump,
  neighbourReplaceRequest,
  NUD,
} from "../../../ffi/route/neighbour.ts";
import {
  ROUTE_TYPE,
  routeAddRequest,
  routeDeleteRequest,
  routeDump,
  routeGetRequest,
  routeReplaceRequest,
} from "../../../ffi/route/route.ts";
import { vethAddRequest } from "../../../ffi/route/veth.ts";
import { vxlanAddRequest } from "../../../ffi/route/vxlan.ts";
import { Host, kernelTest } from "./namespace.ts";

const MAC = "02:00:00:00:00:09";
const FLOOD = "00:00:00:00:00:00";
/** Devices get their indexes in order: lo is 1. */
const [BRIDGE, TUNNEL] = [2, 3];

const tunnel = vxlanAddRequest({
  name: "flannel.1",
  mtu: 1450,
  address: "02:00:00:00:00:01",
  txQueueLength: 0,
  alias: "ignored here",
  vxlan: { id: 1, link: BRIDGE, local: "192.168.1.1", port: 8472 },
});
const bridge = bridgeAddRequest({ name: "br0", address: "02:00:00:00:00:02" });
const up = (index: number, state = true) => linkSetRequest(index, { up: state });
const own = { index: BRIDGE, address: "192.168.1.1", prefixLength: 24 };
const host = { index: TUNNEL, address: "10.244.7.0", prefixLength: 32 };
const six = { index: BRIDGE, address: "fd00::1", prefixLength: 64, flags: IFA_F.NODAD };
const peer = {
  destination: "10.244.9.0/24",
  gateway: "10.244.9.0",
  index: TUNNEL,
  onlink: true,
  protocol: 77,
};
const neighbour = { index: TUNNEL, address: "10.244.9.0", linkAddress: MAC, protocol: 77 };
const remote = { index: TUNNEL, linkAddress: MAC, destination: "192.168.1.2" };
const flood = { index: TUNNEL, linkAddress: FLOOD };
const programmed = [
  bridge,
  tunnel,
  up(BRIDGE),
  up(TUNNEL),
  addressAddRequest(own),
  addressAddRequest(host),
  neighbourReplaceRequest(neighbour),
  fdbReplaceRequest(remote),
  routeReplaceRequest(peer),
];

const SCENARIOS: Readonly<Record<string, readonly NetlinkRequest[]>> = {
  "peers are programmed, over themselves too": [...programmed, ...programmed.slice(2)],
  "devices that cannot be made": [
    bridge,
    bridge,
    tunnel,
    vxlanAddRequest({ name: "other", vxlan: { id: 1, port: 8472 } }),
    vxlanAddRequest({ name: "lost", vxlan: { id: 2, link: 99 } }),
    linkAddRequest({ name: "x", kind: "no such kind" }),
  ],
  "devices that are not there": [
    linkGetRequest("nobody"),
    linkGetRequest(99),
    up(99),
    linkDeleteRequest(99),
    addressAddRequest({ ...own, index: 99 }),
    routeAddRequest({ destination: "10.0.0.0/8", index: 99 }),
    neighbourReplaceRequest({ ...neighbour, index: 99 }),
    fdbReplaceRequest({ ...remote, index: 99 }),
  ],
  "a device is set down: routes and neighbours go, forwarding entries stay": [
    ...programmed,
    up(TUNNEL, false),
    routeReplaceRequest(peer),
    up(TUNNEL),
  ],
  "a device is deleted with all its entries": [...programmed, linkDeleteRequest(TUNNEL)],
  "the underlay is deleted, and the tunnel with it": [...programmed, linkDeleteRequest(BRIDGE)],
  "marks and settings": [
    bridge,
    linkSetRequest(BRIDGE, { alias: "ours", mtu: 1400, name: "br1", txQueueLength: 5 }),
    linkSetRequest(BRIDGE, { alias: "" }),
    linkSetRequest(BRIDGE, { master: 1 }),
  ],
  "ports of a bridge": [
    bridge,
    vethAddRequest({
      name: "v1",
      address: "02:00:00:00:00:0a",
      peer: { name: "v2", address: "02:00:00:00:00:0b" },
    }),
    linkSetRequest(3, { master: BRIDGE }),
    linkSetRequest(4, { master: BRIDGE }),
    linkSetRequest(3, { master: 0 }),
    linkDeleteRequest(BRIDGE),
  ],
  "addresses and their connected routes": [
    bridge,
    addressAddRequest(own),
    up(BRIDGE),
    addressAddRequest(own),
    addressReplaceRequest(own),
    addressAddRequest(six),
    addressAddRequest({ ...own, address: "192.168.2.1" }),
    addressDeleteRequest(own),
    addressDeleteRequest(own),
    addressDeleteRequest({ ...own, address: "192.168.3.1" }),
  ],
  "routes that are refused": [
    ...programmed,
    routeAddRequest(peer),
    routeAddRequest({ ...peer, priority: 5 }),
    routeAddRequest({ destination: "10.250.0.1/16", index: BRIDGE }),
    routeAddRequest({ destination: "10.250.0.0/16", gateway: "1.2.3.4", index: BRIDGE }),
    routeAddRequest({ destination: "10.250.0.0/16", gateway: "1.2.3.4" }),
    routeAddRequest({ destination: "10.250.0.0/16", gateway: "192.168.1.9" }),
    routeGetRequest("8.8.8.8"),
    routeGetRequest("192.168.1.7"),
    routeGetRequest("10.244.9.5"),
  ],
  "routes are deleted by what is named": [
    ...programmed,
    routeAddRequest({ ...peer, priority: 5, protocol: 4 }),
    routeDeleteRequest({ destination: peer.destination, protocol: 99 }),
    routeDeleteRequest({ destination: peer.destination, gateway: "10.244.8.0" }),
    routeDeleteRequest({ destination: peer.destination, index: BRIDGE }),
    routeDeleteRequest({ destination: peer.destination, protocol: 4 }),
    routeDeleteRequest({ destination: peer.destination }),
    routeDeleteRequest({ destination: peer.destination }),
  ],
  "routes of every kind": [
    ...programmed,
    addressAddRequest(six),
    routeReplaceRequest({ ...peer, destination: "fd00:9::/64", gateway: "fd00:9::" }),
    routeReplaceRequest({ ...peer, destination: "fd00:9::/64", gateway: "fd00:9::" }),
    routeAddRequest({ destination: "10.7.0.0/16", type: ROUTE_TYPE.BLACKHOLE, protocol: 77 }),
    routeAddRequest({ destination: "0.0.0.0/0", gateway: "192.168.1.254", protocol: 77 }),
    routeReplaceRequest({ destination: "0.0.0.0/0", gateway: "192.168.1.253", protocol: 77 }),
    routeAddRequest({ destination: "10.8.0.0/16", index: BRIDGE, preferredSource: "192.168.1.1" }),
  ],
  "neighbours": [
    ...programmed,
    neighbourReplaceRequest({ ...neighbour, linkAddress: "02:00:00:00:00:0a", protocol: 78 }),
    neighbourReplaceRequest({ ...neighbour, address: "fd00::9" }),
    neighbourDeleteRequest({ ...neighbour, address: "10.244.8.0" }),
    neighbourDeleteRequest({ ...neighbour, index: BRIDGE }),
    neighbourDeleteRequest(neighbour),
    neighbourDeleteRequest(neighbour),
  ],
  "forwarding entries": [
    ...programmed,
    fdbReplaceRequest({ ...remote, destination: "192.168.1.3" }),
    fdbAppendRequest(remote),
    fdbAppendRequest({ ...flood, destination: "192.168.1.2" }),
    fdbAppendRequest({ ...flood, destination: "192.168.1.3", port: 4789, vni: 7 }),
    fdbAppendRequest({ ...flood, destination: "192.168.1.3" }),
    fdbDeleteRequest({ ...flood, destination: "192.168.1.2" }),
    fdbDeleteRequest({ ...remote, destination: "192.168.1.2" }),
    fdbDeleteRequest({ ...remote, destination: "192.168.1.3" }),
    fdbDeleteRequest(remote),
  ],
};

/** What one request came to. */
function outcomeOf(transport: NetlinkTransport, request: NetlinkRequest): string {
  const [reply] = transport.request([request]);
  return `${request.operation} ${request.subject}: ${reply?.error?.code ?? "done"}`;
}

/** The tables, without what only a real kernel has: multicast, link-local addresses, carriers. */
function tablesOf(transport: NetlinkTransport) {
  const links = linkDump(transport)
    .map(({ index, name, kind, up, mtu, alias, master, link, txQueueLength, vxlan }) => ({
      ...{ index, name, kind, up, mtu, alias, master, link, txQueueLength, vxlan },
    }));
  const isOrdinary = (text: string) => !/^(fe80|ff00|127\.|::1)/.test(text);
  const byText = (a: unknown, b: unknown) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
  return {
    links,
    addresses: addressDump(transport)
      .filter(({ address }) => isOrdinary(address))
      .map(({ label: _label, ...address }) => address)
      .sort(byText),
    // Carrier comes and goes with the real devices' peers, and shows in the flags of routes.
    routes: routeDump(transport)
      .filter(({ destination }) => isOrdinary(destination))
      .map(({ flags: _flags, ...route }) => route)
      .sort(byText),
    neighbours: neighbourDump(transport)
      .filter(({ state }) => state === NUD.PERMANENT)
      .sort(byText),
    forwarding: links.filter(({ kind }) => kind === "vxlan")
      .flatMap(({ index }) => fdbDump(transport, index))
      .sort(byText),
  };
}

for (const [name, requests] of Object.entries(SCENARIOS)) {
  kernelTest(`the fake kernel does as the real one: ${name}`, () => {
    using real = new Host();
    const fake = new FakeKernel();
    fake.request([up(1)]);
    const transcript = (transport: NetlinkTransport) =>
      requests.map((request) => outcomeOf(transport, request));
    assert.deepEqual(transcript(fake), transcript(real.transport));
    assert.deepEqual(tablesOf(fake), tablesOf(real.transport));
  });
}
