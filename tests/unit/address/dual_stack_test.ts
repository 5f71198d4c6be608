/** The IPv6 half of a pool: subnet i of the one goes with subnet i of the other, whatever is added. */
import { equal, notEqual, throws } from "node:assert/strict";
import { ipv6SubnetOf, makeIpv6Pool } from "../../../mod/address/dual_stack.ts";
import {
  ipv6HalfOf,
  makePool,
  type Pool,
  poolDigest,
  subnetsOf,
} from "../../../mod/address/pool.ts";
import { poolWith, whyNotPool } from "../../../mod/address/pool_record.ts";

const IPV4 = makePool({ network: "10.244.0.0/16" });

function dual(network: string, subnetLength?: number, ipv4 = IPV4): Pool {
  return { ...ipv4, ipv6: makeIpv6Pool(ipv4, { network, subnetLength }) };
}

Deno.test("the lengths are flannel's: 64 where there is room, else two bits more", () => {
  const small = makePool({ network: "10.9.0.0/28" });
  equal(makeIpv6Pool(IPV4, { network: "fc00::/48" }).subnetLength, 64);
  equal(makeIpv6Pool(small, { network: "fc00::/62" }).subnetLength, 64);
  equal(makeIpv6Pool(small, { network: "fc00::/63" }).subnetLength, 65);
  equal(makeIpv6Pool(small, { network: "fc00::/124" }).subnetLength, 126);
});

Deno.test("subnet i goes with subnet i", () => {
  const pool = dual("fd00:244::/56");
  equal(ipv6HalfOf(pool, "10.244.0.0/24"), "fd00:244::/64");
  equal(ipv6HalfOf(pool, "10.244.7.0/24"), "fd00:244:0:7::/64");
  equal(ipv6HalfOf(pool, "10.244.255.0/24"), "fd00:244:0:ff::/64");
  equal(ipv6HalfOf(pool, "10.245.0.0/24"), null, "not of the pool");
  equal(ipv6HalfOf(pool, "10.244.7.0/25"), null, "of another length");
  equal(ipv6HalfOf(IPV4, "10.244.7.0/24"), null, "no dual stack");
});

Deno.test("no two subnets share an IPv6 subnet, added networks included", () => {
  const base = dual("fd00:244::/112", 122, makePool({ network: "10.9.0.0/24", subnetLength: 26 }));
  const pool = { ...base, added: ["10.10.0.0/24", "10.8.0.0/25"] };
  const halves = subnetsOf(pool).map((subnet) => ipv6HalfOf(pool, subnet));
  equal(new Set(halves).size, halves.length);
  equal(ipv6HalfOf(pool, "10.10.0.64/26"), "fd00:244::140/122", "the sixth, from 0: 5 * 64");
  equal(ipv6HalfOf(pool, "10.8.0.64/26"), "fd00:244::240/122", "the tenth");
  equal(ipv6HalfOf(pool, "10.9.0.64/26"), ipv6HalfOf(base, "10.9.0.64/26"), "none moves");
});

Deno.test("a network that is too small for all subnets is refused, with what would do", () => {
  throws(
    () => dual("fd00:244::/60"),
    (error: Error) => {
      equal(
        error.message.includes("fd00:244::/60 has 16 subnets of /64, and --network 10.244.0.0/16"),
        true,
        error.message,
      );
      return true;
    },
  );
  const { ipv6 } = dual("fd00:244::/56");
  equal(
    ipv6 === undefined
      ? ""
      : ipv6SubnetOf({ ...IPV4, added: ["10.3.0.0/16"] }, ipv6, "10.3.1.0/24"),
    null,
  );
});

Deno.test("operators cannot add networks for which there is no IPv6", () => {
  const change = (base: Pool) => ({
    version: 2,
    base: poolDigest(base),
    added: ["10.3.0.0/16"],
    reserved: [],
    pins: [],
  });
  const tight = dual("fd00:244::/56");
  equal(whyNotPool(tight, change(tight))?.includes("too few subnets"), true);
  const roomy = dual("fd00:244::/55");
  equal(whyNotPool(roomy, change(roomy)), null);
  equal(ipv6HalfOf(poolWith(roomy, change(roomy)), "10.3.1.0/24"), "fd00:244:0:101::/64");
});

Deno.test("what makes no sense is refused", () => {
  throws(() => dual("10.0.0.0/8"), /not an IPv6 address/);
  throws(() => dual("fd00:244::1/56"), /did you mean/);
  throws(() => dual("fe80::/56"), /overlaps fe80::\/10/);
  throws(() => dual("ff00::/8"), /overlaps ff00::\/8/);
  throws(() => dual("::/48"), /overlaps ::\/8/);
  throws(() => dual("fd00:244::/125"), /too small/);
  throws(() => dual("fd00:244::/56", 57), /does not fit/);
  throws(() => dual("fd00:244::/56", 127), /does not fit/);
});

Deno.test("hosts of different IPv6 pools tell each other apart", () => {
  const digests = [IPV4, dual("fd00:244::/56"), dual("fd00:244::/55"), dual("fd00:244::/56", 66)]
    .map(poolDigest);
  equal(new Set(digests).size, 4);
  notEqual(digests[0], digests[1]);
});
