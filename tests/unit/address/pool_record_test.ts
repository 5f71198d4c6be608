/** The pool record: what it makes of a pool, and what every host refuses. */
import { deepEqual, equal, match } from "node:assert/strict";
import {
  isInPool,
  makePool,
  networksOf,
  poolDigest,
  poolHasSubnet,
  subnetCount,
  subnetsOf,
} from "../../../mod/address/pool.ts";
import {
  ADDED_MAX,
  isForHost,
  type PoolRecord,
  poolWith,
  whyNotPool,
} from "../../../mod/address/pool_record.ts";

const BASE = makePool({ network: "10.9.0.0/26", subnetLength: 28 });
const HOSTS = ["1", "2"].map((digit) => digit.repeat(32));
const [ONE = "", TWO = ""] = HOSTS;

function record(changes: Partial<PoolRecord> = {}): PoolRecord {
  return { version: 2, base: poolDigest(BASE), added: [], reserved: [], pins: [], ...changes };
}

Deno.test("an added network is cut up like the first one, without its first subnet", () => {
  const pool = poolWith(BASE, record({ added: ["10.8.0.0/27"] }));
  deepEqual(subnetsOf(pool), ["10.9.0.16/28", "10.9.0.32/28", "10.9.0.48/28", "10.8.0.16/28"]);
  equal(subnetCount(pool), 4);
  deepEqual(networksOf(pool), ["10.9.0.0/26", "10.8.0.0/27"]);
  equal(isInPool(pool, "10.8.0.16/28"), true);
  equal(isInPool(BASE, "10.8.0.16/28"), false);
});

Deno.test("what operators change does not change the digest that claims carry", () => {
  const pool = poolWith(BASE, record({ added: ["10.8.0.0/27"] }));
  equal(poolDigest(pool), poolDigest(BASE));
  equal(pool.version, 2);
});

Deno.test("a reserved subnet stays in the pool, but is for nobody but whom it is pinned to", () => {
  const reserving = record({
    reserved: ["10.9.0.32/28"],
    pins: [{ hostId: ONE, subnet: "10.9.0.32/28" }],
  });
  const pool = poolWith(BASE, reserving);
  equal(whyNotPool(BASE, reserving), null);
  equal(poolHasSubnet(pool, "10.9.0.32/28"), false);
  equal(isInPool(pool, "10.9.0.32/28"), true);
  equal(isForHost(pool, reserving, "10.9.0.32/28", ONE), true);
  equal(isForHost(pool, reserving, "10.9.0.32/28", TWO), false);
  equal(isForHost(pool, reserving, "10.9.0.16/28", TWO), true);
});

Deno.test("records that no host takes", () => {
  const refused: [Partial<PoolRecord>, RegExp][] = [
    [{ added: ["10.9.0.0/24"] }, /overlaps 10\.9\.0\.0\/26/],
    [{ added: ["10.8.0.0/27", "10.8.0.0/26"] }, /overlaps 10\.8\.0\.0\/27/],
    [{ added: ["10.8.0.0/28"] }, /no room for a \/28/],
    [{ added: ["127.1.0.0/24"] }, /do not route/],
    [{ added: ["10.0.0.0/9"] }, /overlaps|further subnets/],
    [{ added: ["20.0.0.0/8"] }, /65536 further subnets/],
    [
      { added: Array.from({ length: ADDED_MAX + 1 }, (_, index) => `10.8.${index}.0/27`) },
      /more than 16 networks/,
    ],
    [{ reserved: ["10.7.0.0/28"] }, /not inside the pool/],
    [{ reserved: Array.from({ length: 257 }, () => "10.9.0.16/28") }, /more than 256/],
    [{ pins: HOSTS.map((hostId) => ({ hostId, subnet: "10.9.0.16/28" })) }, /pinned twice/],
    [
      { pins: ["10.9.0.16/28", "10.9.0.32/28"].map((subnet) => ({ hostId: ONE, subnet })) },
      /a host is pinned twice/,
    ],
    [{ pins: [{ hostId: ONE, subnet: "10.9.0.0/28" }] }, /no subnet of the pool/],
  ];
  for (const [changes, why] of refused) match(whyNotPool(BASE, record(changes)) ?? "", why);
});
