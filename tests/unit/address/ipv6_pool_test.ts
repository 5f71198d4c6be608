/** Pools of IPv6 subnets: defaults, edges, what is refused. */
import { deepEqual, equal, match, throws } from "node:assert/strict";
import {
  checkPin,
  isInPool,
  makePool,
  poolDigest,
  poolFamily,
  poolHasSubnet,
  type PoolSettings,
  subnetCount,
  subnetsOf,
} from "../../../mod/address/pool.ts";
import { whyNotPool } from "../../../mod/address/pool_record.ts";
import { ConfigError } from "../../../mod/base/errors.ts";

const POOL = makePool({ network: "FD00:10:244::/56" });

function refused(settings: PoolSettings): ConfigError {
  try {
    makePool(settings);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(settings)} was not refused`);
}

Deno.test("an IPv6 network is cut into /64 without the first, as flannel does", () => {
  deepEqual(POOL, {
    cidr: "fd00:10:244::/56",
    subnetLength: 64,
    subnetMin: "fd00:10:244:1::",
    subnetMax: "fd00:10:244:ff::",
    version: 1,
    reserved: [],
    added: [],
  });
  equal(poolFamily(POOL), 6);
  equal(subnetCount(POOL), 255);
  const subnets = subnetsOf(POOL);
  deepEqual([subnets.length, subnets[0], subnets.at(-1)], [
    255,
    "fd00:10:244:1::/64",
    "fd00:10:244:ff::/64",
  ]);
});

Deno.test("a small network is cut finer, and up to a /126", () => {
  equal(makePool({ network: "fd00::/112" }).subnetLength, 114);
  deepEqual(subnetsOf(makePool({ network: "fd00::/124" })), [
    "fd00::4/126",
    "fd00::8/126",
    "fd00::c/126",
  ]);
  const kubernetes = makePool({ network: "fd85:ee78:d8a6:8607::1:0/112", subnetLength: 120 });
  equal(subnetsOf(kubernetes)[6], "fd85:ee78:d8a6:8607::1:700/120");
});

Deno.test("the edges of the pool are subnets of it", () => {
  const pool = makePool({
    network: "fd00:10:244::/56",
    subnetMin: "FD00:10:244:0008::",
    subnetMax: "fd00:10:244:a::",
  });
  deepEqual([pool.subnetMin, pool.subnetMax], ["fd00:10:244:8::", "fd00:10:244:a::"]);
  deepEqual(subnetsOf(pool).length, 3);
  const network = "fd00:10:244::/56";
  match(refused({ network, subnetMin: "fd01::" }).message, /fd01:: is not in the network/);
  match(refused({ network, subnetMin: "10.0.0.0" }).message, /10\.0\.0\.0 is not in the network/);
  match(refused({ network, subnetMin: "fd00:10:244:1::5" }).message, /not the first address of a/);
  match(
    refused({ network, subnetMin: "fd00:10:244:9::", subnetMax: "fd00:10:244:8::" }).message,
    /fd00:10:244:9:: lies above --subnet-max fd00:10:244:8::/,
  );
});

Deno.test("more subnets than every host could put in order are refused, with what to give instead", () => {
  equal(subnetCount(makePool({ network: "fd00::/48" })), 65_535);
  const error = refused({ network: "fd00::/47" });
  match(error.message, /^--network: fd00::\/47 has 2\^17 subnets of \/64/);
  match(error.remedy ?? "", /a network of \/48 or smaller, or --subnet-len 63 or less/);
  equal(subnetCount(makePool({ network: "fd00::/47", subnetLength: 63 })), 65_535);
  match(refused({ network: "::/0", subnetLength: 126 }).message, /overlaps|2\^126/);
});

Deno.test("what hosts do not route is refused", () => {
  for (const network of ["fe80::/56", "ff00::/56", "::/16"]) {
    match(refused({ network, subnetLength: 64 }).message, /which hosts do not route/);
  }
  match(refused({ network: "fd00::/125" }).message, /too small for four subnets/);
});

Deno.test("subnets of the other family are none of the pool's, and nothing throws", () => {
  for (const subnet of ["10.244.7.0/24", "10.0.0.0/30", "0.0.0.0/0"]) {
    equal(isInPool(POOL, subnet), false);
    equal(poolHasSubnet(POOL, subnet), false);
  }
  const ipv4 = makePool({ network: "10.244.0.0/16", subnetLength: 30 });
  equal(isInPool(ipv4, "fd00::/30"), false);
  equal(isInPool(POOL, "fd00:10:244::/64"), false, "the first is left out");
  equal(isInPool(POOL, "fd00:10:245:1::/64"), false);
  equal(isInPool(POOL, "fd00:10:244:7::/65"), false);
  equal(isInPool(POOL, "fd00:10:244:7::/64"), true);
});

Deno.test("a pin is one of the pool's subnets, and canonical", () => {
  equal(checkPin(POOL, "FD00:10:244:07::/64"), "fd00:10:244:7::/64");
  throws(() => checkPin(POOL, "10.244.7.0/24"), /has prefix length 24, but subnets here have 64/);
  throws(() => checkPin(POOL, "fd00:10:245::/64"), /is not a subnet of the pool/);
});

Deno.test("the digest differs with everything that hosts must agree on", () => {
  const pools = [
    POOL,
    makePool({ network: "fd00:10:244::/56", subnetLength: 65 }),
    makePool({ network: "fd00:10:244::/57" }),
    makePool({ network: "fd00:10:244::/56", subnetMin: "fd00:10:244:2::" }),
  ];
  equal(new Set(pools.map(poolDigest)).size, pools.length);
  equal(poolDigest(makePool({ network: "fd00:10:244:0::/56" })), poolDigest(POOL));
});

Deno.test("operators add, reserve and pin IPv6, and nothing of IPv4", () => {
  const record = { version: 2, base: poolDigest(POOL), added: [], reserved: [], pins: [] };
  const hostId = "1".repeat(32);
  const good = {
    ...record,
    added: ["fd00:10:245::/56"],
    reserved: ["fd00:10:244:80::/57"],
    pins: [{ hostId, subnet: "fd00:10:245:7::/64" }],
  };
  equal(whyNotPool(POOL, good), null);
  const pool = { ...POOL, ...good };
  equal(poolHasSubnet(pool, "fd00:10:245:7::/64"), true);
  equal(poolHasSubnet(pool, "fd00:10:244:81::/64"), false, "reserved");
  equal(subnetsOf(pool).length, 127 + 255);
  const why = (changes: Partial<typeof good>) => whyNotPool(POOL, { ...record, ...changes }) ?? "";
  match(why({ added: ["10.244.0.0/16"] }), /is an IPv4 network, and the pool is of IPv6/);
  match(why({ added: ["fd00:10::/32"] }), /overlaps fd00:10:244::\/56/);
  match(why({ added: ["fd01::/47"] }), /more than 65536 further subnets/);
  match(why({ added: ["fe80::/60"] }), /hosts do not route/);
  match(why({ added: ["fd01::/64"] }), /has no room for a \/64/);
  match(why({ reserved: ["10.244.0.0/16"] }), /is not inside the pool/);
  match(why({ pins: [{ hostId, subnet: "10.244.7.0/24" }] }), /is no subnet of the pool/);
  match(why({ pins: [{ hostId, subnet: "fd00:10:244:7::/65" }] }), /is no subnet of the pool/);
});
