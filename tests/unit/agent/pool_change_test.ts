/** What operators may do to the pool, and what they are told when they may not. */
import { deepEqual, equal, throws } from "node:assert/strict";
import { makePool, poolDigest } from "../../../mod/address/pool.ts";
import { type PoolRecord, poolWith } from "../../../mod/address/pool_record.ts";
import { changedPool, type PoolChange } from "../../../mod/agent/pool_change.ts";
import { UserError } from "../../../mod/base/errors.ts";
import type { HostSnapshot } from "../../../mod/claim/host_core.ts";
import { hostId, member, record } from "../claim/samples.ts";

const BASE = makePool({ network: "10.244.0.0/16" });

/** Host 1 holds 10.244.7.0/24; host 2 holds 10.245.3.0/24, of a network that was added. */
function snapshot(changes: Partial<PoolRecord> = {}): HostSnapshot {
  const poolRecord: PoolRecord = {
    version: 5,
    base: poolDigest(BASE),
    added: ["10.245.0.0/16", "10.246.0.0/16"],
    reserved: ["10.244.64.0/20"],
    pins: [{ hostId: hostId(3), subnet: "10.244.9.0/24" }],
    ...changes,
  };
  return {
    swim: { self: member(1), members: [member(1), member(2), member(3)], missing: [] },
    claim: {
      pool: poolWith(BASE, poolRecord),
      poolRecord,
      records: [record(), record({ hostId: hostId(2), subnet: "10.245.3.0/24" })],
      fenceOf: () => 0,
    },
  } as unknown as HostSnapshot;
}

Deno.test("a pool of IPv6 is changed in the same ways, and by nothing of IPv4", () => {
  const base = makePool({ network: "fd00:10:244::/56" });
  const at = {
    swim: { self: member(1), members: [member(1), member(2)], missing: [] },
    claim: {
      pool: base,
      poolRecord: null,
      records: [record({ subnet: "fd00:10:244:7::/64" })],
      fenceOf: () => 0,
    },
  } as unknown as HostSnapshot;
  const made = (what: PoolChange) => changedPool(base, at, what);
  deepEqual(made({ operation: "grow", network: "FD00:10:245::/56" })?.added, ["fd00:10:245::/56"]);
  const reserved = made({ operation: "reserve", network: "fd00:10:244:80::/60" });
  deepEqual(reserved?.reserved, ["fd00:10:244:80::/60"]);
  const pin = { operation: "pin", host: "h2", subnet: "fd00:10:244:9::/64", force: false } as const;
  equal(made(pin)?.pins[0]?.subnet, "fd00:10:244:9::/64");
  throws(() => made({ ...pin, subnet: "fd00:10:244:7::/64" }), /is claimed by h1/);
  throws(() => made({ ...pin, subnet: "10.244.7.0/24" }), /is no subnet: those are \/64 here/);
  throws(
    () => made({ operation: "grow", network: "10.245.0.0/16" }),
    /is an IPv4 network, and the/,
  );
  throws(() => made({ operation: "reserve", network: "10.244.0.0/20" }), /is not inside the pool/);
  throws(() => made({ operation: "grow", network: "fd00:10:244::/48" }), /overlaps fd00:10:244::/);
});

function change(what: PoolChange): PoolRecord | null {
  return changedPool(BASE, snapshot(), what);
}

Deno.test("each change makes the next version, and one that changes nothing makes none", () => {
  const grown = change({ operation: "grow", network: "10.247.0.0/16" });
  equal(grown?.version, 6);
  deepEqual(grown?.added, ["10.245.0.0/16", "10.246.0.0/16", "10.247.0.0/16"]);
  deepEqual(change({ operation: "shrink", network: "10.246.0.0/16" })?.added, ["10.245.0.0/16"]);
  deepEqual(change({ operation: "reserve", network: "10.244.64.0/19" })?.reserved, [
    "10.244.64.0/19",
  ]);
  deepEqual(change({ operation: "unreserve", network: "10.244.64.0/20" })?.reserved, []);
  deepEqual(change({ operation: "unpin", host: "h3" })?.pins, []);
  const pin = { operation: "pin", host: "h1", subnet: "10.244.7.0/24", force: false } as const;
  deepEqual(change(pin)?.pins.map(({ subnet }) => subnet), ["10.244.7.0/24", "10.244.9.0/24"]);
  equal(change({ operation: "grow", network: "10.245.0.0/16" }), null);
  equal(change({ operation: "reserve", network: "10.244.65.0/24" }), null);
});

Deno.test("a pin by which containers are renumbered takes force", () => {
  const taken = { operation: "pin", host: "h3", subnet: "10.244.7.0/24" } as const;
  throws(() => change({ ...taken, force: false }), /10\.244\.7\.0\/24 is claimed by h1/);
  equal(change({ ...taken, force: true })?.pins[0]?.subnet, "10.244.7.0/24");
  const moved = { operation: "pin", host: "h1", subnet: "10.244.8.0/24" } as const;
  throws(() => change({ ...moved, force: false }), /h1 holds 10\.244\.7\.0\/24/);
  equal(change({ ...moved, force: true })?.version, 6);
});

const REFUSED: readonly (readonly [PoolChange, RegExp])[] = [
  [{ operation: "grow", network: "10.245.128.0/17" }, /overlaps 10\.245\.0\.0\/16/],
  [{ operation: "grow", network: "10.9.0.0/24" }, /no room for subnets/],
  [{ operation: "grow", network: "10.9.0.1/16" }, /did you mean 10\.9\.0\.0\/16/],
  [{ operation: "grow", network: "127.0.0.0/16" }, /do not route/],
  [
    { operation: "shrink", network: "10.245.0.0/16" },
    /1 host has a subnet .*10\.245\.3\.0\/24 by h2/,
  ],
  [{ operation: "shrink", network: "10.244.0.0/16" }, /configured with/],
  [{ operation: "shrink", network: "10.9.0.0/16" }, /was not added/],
  [{ operation: "reserve", network: "10.9.0.0/24" }, /not inside the pool/],
  [{ operation: "unreserve", network: "10.244.65.0/24" }, /not reserved/],
  [{ operation: "unpin", host: "h2" }, /h2 is not pinned/],
  [{ operation: "pin", host: "h9", subnet: "10.244.5.0/24", force: true }, /known: h9/],
  [{ operation: "pin", host: "h2", subnet: "10.244.9.0/24", force: true }, /pinned to h3/],
  [{ operation: "pin", host: "h2", subnet: "10.244.9.0/25", force: true }, /no subnet/],
  [{ operation: "pin", host: "h2", subnet: "10.9.9.0/24", force: true }, /no subnet of the pool/],
];

Deno.test("what is refused says why", () => {
  for (const [what, why] of REFUSED) {
    throws(() => change(what), (error) => error instanceof UserError && why.test(error.message));
  }
});
