/** Address arithmetic against an independent library. */
import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { Address4 } from "ip-address";
import {
  containsAddress,
  formatAddress,
  formatNetwork,
  networkOf,
  overlaps,
  subnetAt,
} from "../../mod/address/network.ts";
import { isAddress, parseAddress, parseNetwork } from "../../mod/address/parse.ts";

const addressNumber = fc.integer({ min: 0, max: 0xffffffff });
const network = fc.tuple(addressNumber, fc.integer({ min: 0, max: 32 }))
  .map(([address, length]) => networkOf(address, length));

function oracle(text: string): Address4 {
  return new Address4(text);
}

Deno.test("printing and parsing an address agree with each other and with the library", () => {
  fc.assert(fc.property(addressNumber, (address) => {
    const text = formatAddress(address);
    equal(parseAddress(text), address);
    equal(oracle(text).bigInt(), BigInt(address));
    equal(oracle(text).correctForm(), text);
  }));
});

Deno.test("what looks like an address is one for both or for neither", () => {
  const octet = fc.oneof(
    fc.integer({ min: 0, max: 300 }).map(String),
    fc.constantFrom("", "00", "01", " 1", "1 ", "0x1", "1e1", "-1", "٣"),
  );
  const text = fc.array(octet, { minLength: 1, maxLength: 5 }).map((octets) => octets.join("."));
  fc.assert(fc.property(text, (candidate) => {
    equal(isAddress(candidate), Address4.isValid(candidate) && candidate.split(".").length === 4);
  }));
});

Deno.test("networks have the bounds that the library gives them", () => {
  fc.assert(fc.property(network, addressNumber, (net, address) => {
    const text = formatNetwork(net);
    deepEqual(parseNetwork(text), net);
    equal(oracle(text).startAddress().correctForm(), formatAddress(net.address));
    const isInside = oracle(formatAddress(address)).isInSubnet(oracle(text));
    equal(containsAddress(net, address), isInside);
  }));
});

Deno.test("overlap is symmetric and what the library says", () => {
  // Near each other, or nearly nothing would overlap.
  const near = network.chain((net) =>
    fc.tuple(fc.constant(net), addressNumber, fc.integer({ min: 0, max: 32 }))
  ).map(([net, noise, length]) => ({
    one: net,
    other: networkOf(((net.address & 0xfffff000) | (noise & 0xfff)) >>> 0, length),
  }));
  fc.assert(fc.property(near, ({ one, other }) => {
    const [first, second] = [oracle(formatNetwork(one)), oracle(formatNetwork(other))];
    equal(overlaps(one, other), first.isInSubnet(second) || second.isInSubnet(first));
    equal(overlaps(one, other), overlaps(other, one));
  }));
});

Deno.test("the subnets of a network lie in it, side by side", () => {
  const cut = fc.tuple(network, fc.nat(12), fc.nat()).filter(([net, bits]) =>
    net.length + bits <= 32
  );
  fc.assert(fc.property(cut, ([net, bits, random]) => {
    const index = random % 2 ** bits;
    const subnet = subnetAt(net, net.length + bits, index);
    equal(overlaps(net, subnet), true);
    if (index === 0) equal(subnet.address, net.address);
    else equal(overlaps(subnet, subnetAt(net, net.length + bits, index - 1)), false);
  }));
});
