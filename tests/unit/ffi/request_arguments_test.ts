/** What callers may ask for: wrong arguments are refused before they reach the kernel. */
import { strict as assert } from "node:assert";
import { describe } from "../../../ffi/netlink/transport.ts";
import { addressAddRequest } from "../../../ffi/route/address.ts";
import { fdbReplaceRequest } from "../../../ffi/route/fdb.ts";
import { linkAddRequest, linkGetRequest, linkSetRequest } from "../../../ffi/route/link.ts";
import { neighbourReplaceRequest } from "../../../ffi/route/neighbour.ts";
import { routeAddRequest, routeGetRequest } from "../../../ffi/route/route.ts";
import { vxlanAddRequest } from "../../../ffi/route/vxlan.ts";

const REFUSED: readonly [string, () => unknown, RegExp][] = [
  ["an empty device name", () => linkSetRequest(1, { name: "" }), /has 0 bytes/],
  ["a device name of 16 bytes", () => linkGetRequest("abcdefghijklmnop"), /has 16 bytes/],
  ["a device name of 15 letters and 16 bytes", () => linkGetRequest("abcdefghijklmné"), /16 bytes/],
  ["a name with a NUL", () => linkAddRequest({ name: "a\0b", kind: "bridge" }), /NUL/],
  ["half a MAC address", () => linkSetRequest(1, { address: "02:00" }), /Not a MAC address/],
  ["a VNI of 25 bits", () => vxlanAddRequest({ name: "x", vxlan: { id: 2 ** 24 } }), /VNI/],
  ["a VNI below zero", () => vxlanAddRequest({ name: "x", vxlan: { id: -1 } }), /VNI/],
  ["half a VNI", () => vxlanAddRequest({ name: "x", vxlan: { id: 1.5 } }), /VNI/],
  [
    "an IPv4 prefix of 33 bits",
    () => addressAddRequest({ index: 1, address: "10.0.0.1", prefixLength: 33 }),
    /within 0 to 32/,
  ],
  [
    "a host name in place of an address",
    () => addressAddRequest({ index: 1, address: "localhost", prefixLength: 8 }),
    /Not an IP address/,
  ],
  ["a route to a name", () => routeAddRequest({ destination: "default" }), /Not an IP address/],
  [
    "an IPv6 gateway for an IPv4 route",
    () => routeAddRequest({ destination: "10.0.0.0/8", gateway: "fd00::1" }),
    /Route to 10\.0\.0\.0\/8 cannot use fd00::1: the families differ/,
  ],
  [
    "an IPv4 source for an IPv6 route",
    () => routeAddRequest({ destination: "fd00::/64", preferredSource: "10.0.0.1" }),
    /families differ/,
  ],
  ["a way to a network", () => routeGetRequest("10.0.0.0/8"), /Not an IP address/],
  [
    "a neighbour without an address",
    () => neighbourReplaceRequest({ index: 1, address: "", linkAddress: "02:00:00:00:00:01" }),
    /Not an IP address/,
  ],
  [
    "a forwarding entry for a network",
    () =>
      fdbReplaceRequest({ index: 1, linkAddress: "02:00:00:00:00:01", destination: "10.0.0.0/8" }),
    /Not an IP address/,
  ],
];

for (const [what, make, says] of REFUSED) {
  Deno.test(`${what} is refused`, () => {
    assert.throws(make, says);
  });
}

Deno.test("the longest device name is accepted", () => {
  assert.equal(describe(linkGetRequest("abcdefghijklmno")), "link show dev abcdefghijklmno");
});

Deno.test("requests describe themselves", () => {
  const route = routeAddRequest({ destination: "10.9.0.0/16", index: 3 });
  assert.equal(describe(route), "route add 10.9.0.0/16");
  const address = addressAddRequest({ index: 3, address: "10.0.0.1", prefixLength: 24 });
  assert.equal(describe(address), "address add 10.0.0.1/24 dev 3");
});
