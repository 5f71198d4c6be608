/** Arithmetic on networks. */
import { deepEqual, equal, throws } from "node:assert/strict";
import { AssertionError } from "../../../mod/base/assert.ts";
import {
  addressCount,
  cidrContains,
  cidrsOverlap,
  containsAddress,
  containsNetwork,
  deviceAddressOf,
  firstAddressOf,
  formatNetwork,
  maskOf,
  networkOf,
  overlaps,
  subnetAt,
} from "../../../mod/address/network.ts";
import { parseAddress, parseNetwork } from "../../../mod/address/parse.ts";

Deno.test("masks of all lengths, the empty and the full one included", () => {
  equal(maskOf(0), 0);
  equal(maskOf(1), 0x80000000);
  equal(maskOf(24), 0xffffff00);
  equal(maskOf(32), 0xffffffff);
});

Deno.test("the device has .0 and containers begin at .1", () => {
  equal(deviceAddressOf("10.244.7.0/24"), "10.244.7.0");
  equal(firstAddressOf("10.244.7.0/24"), "10.244.7.1");
  equal(firstAddressOf("10.9.0.16/28"), "10.9.0.17");
});

Deno.test("networks contain their first and last address and not their neighbours", () => {
  const network = parseNetwork("10.244.8.0/21");
  equal(containsAddress(network, parseAddress("10.244.8.0")), true);
  equal(containsAddress(network, parseAddress("10.244.15.255")), true);
  equal(containsAddress(network, parseAddress("10.244.16.0")), false);
  equal(containsAddress(network, parseAddress("10.244.7.255")), false);
  equal(cidrContains("128.0.0.0/1", "255.255.255.255"), true);
});

Deno.test("one of two overlapping networks contains the other", () => {
  const outer = parseNetwork("10.244.0.0/16");
  const inner = parseNetwork("10.244.7.0/24");
  equal(containsNetwork(outer, inner), true);
  equal(containsNetwork(inner, outer), false);
  equal(overlaps(inner, outer), true);
  equal(overlaps(outer, inner), true);
  equal(cidrsOverlap("10.244.7.0/24", "10.244.8.0/24"), false);
  equal(cidrsOverlap("10.244.6.0/23", "10.244.7.0/24"), true);
  equal(cidrsOverlap("0.0.0.0/0", "255.0.0.0/8"), true);
});

Deno.test("subnets by index, in range only", () => {
  const network = parseNetwork("10.244.0.0/16");
  equal(formatNetwork(subnetAt(network, 24, 0)), "10.244.0.0/24");
  equal(formatNetwork(subnetAt(network, 24, 255)), "10.244.255.0/24");
  equal(formatNetwork(subnetAt(parseNetwork("0.0.0.0/0"), 8, 255)), "255.0.0.0/8");
  throws(() => subnetAt(network, 24, 256), AssertionError);
  throws(() => subnetAt(network, 15, 0), AssertionError);
});

Deno.test("the network of an address", () => {
  deepEqual(networkOf(parseAddress("10.244.7.9"), 24), parseNetwork("10.244.7.0/24"));
  deepEqual(networkOf(parseAddress("255.255.255.255"), 0), parseNetwork("0.0.0.0/0"));
  equal(addressCount(24), 256);
  equal(addressCount(0), 2 ** 32);
});
