/** Arbitrary claim records that meet each other: few hosts, few subnets, small numbers. */
import fc from "fast-check";
import { formatNetwork, networkOf } from "../../mod/address/network.ts";
import type { ClaimRecord } from "../../mod/claim/record.ts";

/** 10.244.0.0 */
const IN_POOL = 0x0af40000;

const SUBNETS = [
  "10.244.6.0/24",
  "10.244.7.0/24",
  "10.244.6.0/23",
  "10.244.4.0/22",
  "10.244.7.128/25",
];

/** Any other prefix of the pool, and two networks that no pool of ours has. */
const elsewhere = fc.oneof(
  fc.tuple(fc.integer({ min: 17, max: 30 }), fc.nat(0xffff)).map(([length, low]) =>
    formatNetwork(networkOf(IN_POOL + low, length))
  ),
  fc.constantFrom("10.99.7.0/24", "10.0.0.0/8"),
);

const subnets = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...SUBNETS) },
  { weight: 1, arbitrary: elsewhere },
);

const stateAndStrength = fc.oneof(
  fc.constant({ state: "tentative", strength: 0 } as const),
  fc.constant({ state: "released", strength: 0 } as const),
  fc.record({
    state: fc.constantFrom("held", "held", "yielding", "released"),
    strength: fc.constantFrom(1, 2, 5, 6),
  }),
);

/** One claim. Fields that may differ between two records of one number differ often. */
export function claims(): fc.Arbitrary<ClaimRecord> {
  return fc.tuple(
    fc.record({
      hostId: fc.integer({ min: 1, max: 6 }).map((number) => String(number).repeat(32)),
      instance: fc.constantFrom("00000000000000aa", "00000000000000bb"),
      generation: fc.integer({ min: 1, max: 3 }),
      sequence: fc.integer({ min: 0, max: 3 }),
      poolVersion: fc.constantFrom(1, 2),
      poolDigest: fc.constantFrom("5a5a5a5a5a5a5a5a", "a5a5a5a5a5a5a5a5"),
      subnet: subnets,
      epoch: fc.integer({ min: 1, max: 4 }),
      stamp: fc.integer({ min: 0, max: 3 }),
      vtep: fc.record({
        address: fc.constantFrom("192.0.2.1", "192.0.2.2"),
        port: fc.constant(8472),
        mac: fc.constantFrom("02:00:00:00:00:01", "02:00:00:00:00:02"),
      }),
      absenceTtlHours: fc.constant(24),
    }),
    stateAndStrength,
  ).map(([fields, state]) => ({ ...fields, ...state }));
}
