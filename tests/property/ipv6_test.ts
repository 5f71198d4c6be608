/** IPv6 arithmetic against an independent library, and the numbering of dual-stack subnets against itself. */
import { equal, notEqual } from "node:assert/strict";
import fc from "fast-check";
import { Address6 } from "ip-address";
import { makeIpv6Pool } from "../../mod/address/dual_stack.ts";
import {
  formatIpv6,
  formatIpv6Network,
  ipv6Contains,
  ipv6NetworkOf,
  ipv6Overlaps,
  parseIpv6,
  parseIpv6Network,
} from "../../mod/address/ipv6.ts";
import { ipv6HalfOf, makePool, type Pool } from "../../mod/address/pool.ts";

const MAX = (1n << 128n) - 1n;
/** With runs of zeros, which is what the short form is about. */
const address = fc.oneof(
  fc.bigInt({ min: 0n, max: MAX }),
  fc.array(fc.constantFrom(0n, 0n, 1n, 0xffffn), { minLength: 8, maxLength: 8 })
    .map((groups) => groups.reduce<bigint>((sum, group) => (sum << 16n) | group, 0n)),
);
const network = fc.tuple(address, fc.integer({ min: 0, max: 128 }))
  .map(([one, length]) => ipv6NetworkOf(one, length));

Deno.test("printing and parsing an IPv6 address agree with each other and with the library", () => {
  fc.assert(fc.property(address, (one) => {
    const text = formatIpv6(one);
    equal(parseIpv6(text), one);
    equal(new Address6(text).bigInt(), one);
    equal(new Address6(text).correctForm(), text);
    equal(parseIpv6(new Address6(text).canonicalForm()), one);
  }));
});

Deno.test("IPv6 networks have the bounds that the library gives them", () => {
  fc.assert(fc.property(network, address, (net, one) => {
    const text = formatIpv6Network(net);
    equal(formatIpv6Network(parseIpv6Network(text)), text);
    const oracle = new Address6(text);
    equal(oracle.startAddress().bigInt(), net.address);
    equal(ipv6Contains(net, one), new Address6(formatIpv6(one)).isInSubnet(oracle));
  }));
});

Deno.test("IPv6 networks overlap when one contains the other's first address, both ways round", () => {
  fc.assert(fc.property(network, network, (one, other) => {
    const contains = ipv6Contains(one, other.address) || ipv6Contains(other, one.address);
    equal(ipv6Overlaps(one, other), contains);
    equal(ipv6Overlaps(other, one), contains);
  }));
});

Deno.test("two IPv4 subnets never share an IPv6 subnet, and none moves when networks are added", () => {
  const ipv4 = makePool({ network: "10.244.0.0/16" });
  const ipv6 = makeIpv6Pool(ipv4, { network: "fd00:244::/54" });
  const base: Pool = { ...ipv4, ipv6 };
  const grown: Pool = { ...base, added: ["10.3.0.0/16", "10.9.0.0/17"] };
  const subnet = fc.constantFrom(...["10.244", "10.3", "10.9"].flatMap((prefix) =>
    Array.from(
      { length: prefix === "10.9" ? 128 : 256 },
      (_, index) => `${prefix}.${index}.0/24`,
    )
  ));
  fc.assert(fc.property(subnet, subnet, (one, other) => {
    const half = ipv6HalfOf(grown, one);
    notEqual(half, null);
    equal(half === ipv6HalfOf(grown, other), one === other);
    if (one.startsWith("10.244.")) equal(ipv6HalfOf(base, one), half);
  }));
});
