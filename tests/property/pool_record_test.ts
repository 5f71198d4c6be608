/** The copies of the pool record: whatever order they come in, every host ends with the same one. */
import { deepEqual } from "node:assert/strict";
import fc from "fast-check";
import { makePool, poolDigest } from "../../mod/address/pool.ts";
import type { PoolRecord } from "../../mod/address/pool_record.ts";
import { decodePool, encodePool } from "../../mod/claim/pool_codec.ts";
import { PoolKeeper } from "../../mod/claim/pool_keeper.ts";

const BASE = makePool({ network: "10.9.0.0/16" });

function records(): fc.Arbitrary<PoolRecord> {
  return fc.record({
    version: fc.integer({ min: 2, max: 4 }),
    base: fc.constantFrom(poolDigest(BASE), poolDigest(BASE), "00112233445566ff"),
    added: fc.subarray(["10.8.0.0/16", "10.7.0.0/20", "10.9.0.0/20"]),
    reserved: fc.subarray(["10.9.3.0/24", "10.9.16.0/20", "172.16.0.0/24"]),
    pins: fc.subarray([
      { hostId: "1".repeat(32), subnet: "10.9.4.0/24" },
      { hostId: "2".repeat(32), subnet: "10.9.5.0/24" },
    ]),
  });
}

function keeperOf(list: readonly PoolRecord[]): PoolKeeper {
  const keeper = new PoolKeeper(BASE, undefined);
  for (const record of list) keeper.adopt(record, encodePool(record));
  return keeper;
}

Deno.test("hosts that heard of the same records have the same pool: any order, grouping, repetition", () => {
  const cases = fc.tuple(fc.array(records(), { minLength: 1, maxLength: 6 }), fc.nat());
  fc.assert(fc.property(cases, ([list, cut]) => {
    const all = keeperOf(list);
    const twice = keeperOf([...list].reverse().concat(list));
    deepEqual(twice.summary, all.summary);
    deepEqual(twice.pool, all.pool);
    // In two groups, which then tell each other only what they ended with.
    const [one, other] = [
      keeperOf(list.slice(0, cut % list.length)),
      keeperOf(list.slice(cut % list.length)),
    ];
    const merged = keeperOf([one.record, other.record].filter((record) => record !== null));
    deepEqual(merged.summary, all.summary);
    deepEqual(merged.pool, all.pool);
  }));
});

Deno.test("a record survives its encoding", () => {
  fc.assert(fc.property(records(), (record) => {
    deepEqual(decodePool(encodePool(record)), record);
  }));
});
