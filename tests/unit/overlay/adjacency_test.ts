/** Who is on the own link, by routes alone. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { isAdjacent, linkRoutes, type RouteOfHost } from "../../../mod/overlay/adjacency.ts";

const ETH0 = { index: 2, hasNeighbours: true };

/** On eth0's link, unless said otherwise. */
function route(destination: string, changes: Partial<RouteOfHost> = {}): RouteOfHost {
  return { destination, index: 2, gateway: null, metric: 0, ...changes };
}

const GATEWAY = { gateway: "192.168.100.254" };
const OWN_NETWORK = route("192.168.100.0/24");
const DEFAULT = route("0.0.0.0/0", GATEWAY);

/** Cases: what it is, the routes, an address, and whether it is on the link. */
const CASES: readonly [string, RouteOfHost[], string, boolean][] = [
  ["a neighbour", [DEFAULT, OWN_NETWORK], "192.168.100.7", true],
  ["who is behind the router", [DEFAULT, OWN_NETWORK], "192.168.101.7", false],
  ["a neighbour of another device", [route("10.0.0.0/8", { index: 3 })], "10.0.0.7", false],
  [
    "a single address that leads to the router",
    [OWN_NETWORK, route("192.168.100.7/32", GATEWAY)],
    "192.168.100.7",
    false,
  ],
  [
    "another single address then",
    [OWN_NETWORK, route("192.168.100.7/32", GATEWAY)],
    "192.168.100.8",
    true,
  ],
  [
    "a part of the network that another device leads to",
    [OWN_NETWORK, route("192.168.100.128/25", { index: 3 })],
    "192.168.100.129",
    false,
  ],
  [
    "a part of that part on the link again",
    [OWN_NETWORK, route("192.168.100.128/25", GATEWAY), route("192.168.100.192/26")],
    "192.168.100.193",
    true,
  ],
  [
    "a route with several ways",
    [OWN_NETWORK, route("192.168.100.0/25", { index: null })],
    "192.168.100.7",
    false,
  ],
  [
    "the same network through the router, preferred",
    [{ ...OWN_NETWORK, metric: 100 }, route("192.168.100.0/24", GATEWAY)],
    "192.168.100.7",
    false,
  ],
  [
    "the same network through the router, as a last resort",
    [OWN_NETWORK, route("192.168.100.0/24", { ...GATEWAY, metric: 100 })],
    "192.168.100.7",
    true,
  ],
  [
    "a cloud's single addresses, the router on the link",
    [route("10.128.0.1/32"), route("0.0.0.0/0", { gateway: "10.128.0.1" })],
    "10.128.0.7",
    false,
  ],
  ["that router itself", [route("10.128.0.1/32")], "10.128.0.1", false],
  ["a default route without a gateway", [route("0.0.0.0/0")], "192.168.100.7", false],
  ["the two ends of a cable (RFC 3021)", [route("10.0.0.0/31")], "10.0.0.1", true],
  ["an IPv6 neighbour", [OWN_NETWORK], "fd00::7", false],
];

for (const [what, routes, address, expected] of CASES) {
  Deno.test(`${what}: ${expected ? "" : "not "}on the link`, () => {
    strictEqual(isAdjacent(linkRoutes(ETH0, routes), address), expected);
    strictEqual(isAdjacent(linkRoutes(ETH0, routes.toReversed()), address), expected);
  });
}

Deno.test("this host's own addresses and broadcast addresses are nobody's", () => {
  const own = ["192.168.100.1", "192.168.100.77", "10.244.1.1", "fd00:100::1"];
  const both = [OWN_NETWORK, route("10.0.0.0/31"), route("fd00:100::/64")];
  const routes = linkRoutes(ETH0, both, own);
  const found = [...own, "192.168.100.255", "192.168.100.0", "10.0.0.1", "fd00:100::9"]
    .filter((address) => isAdjacent(routes, address));
  deepStrictEqual(found, ["192.168.100.0", "10.0.0.1", "fd00:100::9"]);
});

Deno.test("on a point-to-point device, or one without ARP, nobody is a neighbour", () => {
  const tunnel = { index: 2, hasNeighbours: false };
  deepStrictEqual(linkRoutes(tunnel, [OWN_NETWORK]), []);
});

Deno.test("what is elsewhere changes nothing, in whatever order routes come", () => {
  const before = linkRoutes(ETH0, [DEFAULT, OWN_NETWORK, route("192.168.100.7/32", GATEWAY)]);
  const after = linkRoutes(ETH0, [
    route("192.168.100.7/32", GATEWAY),
    route("172.17.0.0/16", { index: 9 }),
    OWN_NETWORK,
    route("10.0.0.0/8", GATEWAY),
    { ...DEFAULT, gateway: "192.168.100.253" },
  ]);
  deepStrictEqual(after, before);
});
