/** Pools of 128-bit networks: number and subnet are two names of one thing, and no two of a pool overlap. */
import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import {
  canonicalCidr,
  cidrAround,
  compareCidrs,
  numberOfSubnet,
  prefixLengthOf,
  subnetNumber,
  subnetsIn,
} from "../../mod/address/cidr.ts";
import { formatIpv6Network, ipv6NetworkOf } from "../../mod/address/ipv6.ts";
import { cidrsOverlap, deviceAddressOf } from "../../mod/address/network.ts";
import { NetworkSet } from "../../mod/address/network_set.ts";
import { isInPool, makePool, subnetCount, subnetsOf } from "../../mod/address/pool.ts";
import { networkFields, networkFrom } from "../../mod/claim/network_codec.ts";
import { OverlapIndex } from "../../mod/claim/overlap_index.ts";

const ADDRESS = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n });

/** A network and a longer prefix to cut it into, by at most 50 bits: numbers stay exact. */
const CUT = fc.tuple(ADDRESS, fc.integer({ min: 0, max: 128 }), fc.integer({ min: 0, max: 50 }))
  .map(([address, length, bits]) => ({
    network: formatIpv6Network(ipv6NetworkOf(address, length)),
    subnetLength: Math.min(128, length + bits),
  }));

/** Few addresses and all lengths, so that many overlap. */
const CROWDED = fc.tuple(fc.bigInt({ min: 0n, max: 15n }), fc.integer({ min: 0, max: 128 }))
  .map(([nibble, length]) =>
    formatIpv6Network(ipv6NetworkOf((0xfd00n << 112n) | (nibble << 60n) | nibble, length))
  );

Deno.test("a subnet's number leads to it, and it to its number", () => {
  const cases = fc.tuple(CUT, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));
  fc.assert(fc.property(cases, ([{ network, subnetLength }, where]) => {
    const index = Math.floor(where * subnetsIn(network, subnetLength));
    const subnet = subnetNumber(network, subnetLength, index);
    equal(numberOfSubnet(network, subnetLength, subnet), index);
    equal(prefixLengthOf(subnet), subnetLength);
    equal(cidrAround(deviceAddressOf(subnet), subnetLength), subnet);
    equal(canonicalCidr(subnet.toUpperCase()), subnet);
  }));
});

Deno.test("numbers order as addresses do", () => {
  const cases = fc.tuple(CUT, fc.nat(), fc.nat());
  fc.assert(fc.property(cases, ([{ network, subnetLength }, one, other]) => {
    const count = subnetsIn(network, subnetLength);
    const numbers = [one % count, other % count];
    const [left = "", right = ""] = numbers.map((index) =>
      subnetNumber(network, subnetLength, index)
    );
    const [first = 0, second = 0] = numbers;
    equal(Math.sign(compareCidrs(left, right)), Math.sign(first - second));
    equal(cidrsOverlap(left, right), first === second);
  }));
});

Deno.test("what lies outside, or is cut otherwise, has no number", () => {
  fc.assert(fc.property(CUT, ADDRESS, fc.integer({ min: 0, max: 128 }), (cut, address, length) => {
    const { network, subnetLength } = cut;
    const subnet = formatIpv6Network(ipv6NetworkOf(address, length));
    const isOne = length === subnetLength && cidrsOverlap(network, subnet);
    equal(numberOfSubnet(network, subnetLength, subnet) !== null, isOne);
  }));
});

Deno.test("a pool's subnets are as many as it says, different, in order, and its own", () => {
  const cases = fc.tuple(ADDRESS, fc.integer({ min: 8, max: 124 }), fc.integer({ min: 2, max: 8 }));
  fc.assert(
    fc.property(cases, ([address, length, bits]) => {
      const within = (0xfdn << 120n) | (address >> 8n);
      const network = formatIpv6Network(ipv6NetworkOf(within, length));
      const pool = makePool({ network, subnetLength: Math.min(126, length + bits) });
      const subnets = subnetsOf(pool);
      equal(subnets.length, subnetCount(pool));
      equal(new Set(subnets).size, subnets.length);
      deepEqual([...subnets].sort(compareCidrs), subnets);
      for (const subnet of subnets) equal(isInPool(pool, subnet), true);
      equal(isInPool(pool, subnetNumber(network, pool.subnetLength, 0)), false);
    }),
    { numRuns: 40 },
  );
});

Deno.test("a network survives its encoding, in as few bytes as its prefix takes", () => {
  fc.assert(fc.property(ADDRESS, fc.integer({ min: 0, max: 128 }), (address, length) => {
    const cidr = formatIpv6Network(ipv6NetworkOf(address, length));
    const [bytes, prefix] = networkFields(cidr);
    equal(networkFrom(bytes, prefix, "it"), cidr);
    equal(bytes instanceof Uint8Array ? bytes.length : -1, Math.ceil(length / 8));
  }));
});

Deno.test("overlaps are found as if each were compared with each", () => {
  const cases = fc.tuple(fc.array(CROWDED, { maxLength: 30 }), CROWDED);
  fc.assert(fc.property(cases, ([networks, wanted]) => {
    const index = new OverlapIndex<string>();
    for (const network of networks) index.set(network, network);
    index.set("10.0.0.0/8", "IPv4 beside it");
    const expected = [...new Set(networks)].filter((one) => cidrsOverlap(one, wanted)).sort();
    deepEqual(index.overlapping(wanted).sort(), expected);
    equal(index.get(wanted), networks.includes(wanted) ? wanted : undefined);
    equal(new NetworkSet([...networks, "10.0.0.0/8"]).overlaps(wanted), expected.length > 0);
    for (const network of networks) index.delete(network);
    deepEqual(index.overlapping(wanted), []);
  }));
});
