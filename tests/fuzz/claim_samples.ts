/** What claimants say and write that hosts in a quiet network have no reason to: one sample of each form. */
import type { PoolRecord } from "../../mod/address/pool_record.ts";
import { encodeClaimMemory } from "../../mod/claim/memory.ts";
import {
  encodeAnswer,
  encodeFencePush,
  encodePoolPush,
  encodePush,
  encodeRequest,
  idPrefix,
  seal,
  type Verdict,
} from "../../mod/claim/messages.ts";
import { encodePool, summaryOf } from "../../mod/claim/pool_codec.ts";
import { type ClaimSyncMessage, encodeClaimSync } from "../../mod/claim/sync_messages.ts";
import { BucketSet } from "../../mod/wire/bucket_set.ts";
import { hostId, record } from "../unit/claim/samples.ts";

const HELD = record({ strength: 2 });
const TENTATIVE = record({ hostId: hostId(2), state: "tentative", epoch: 3 });
const RELEASED = record({ hostId: hostId(3), state: "released", subnet: "10.244.9.0/24" });

const IPV6 = record({
  hostId: hostId(4),
  subnet: "fd00:10:244:7::/64",
  vtep: { address: "fd00:100::4", port: 8472, mac: "02:00:00:00:00:04", mtu: 1430 },
});

const FENCE = [
  { subnet: "10.244.7.0/24", epoch: 1 },
  { subnet: "10.244.9.0/24", epoch: 4_000_000_000 },
];
const IPV6_FENCE = [{ subnet: "fd00:10:244:7::/64", epoch: 2 }, {
  subnet: "fd00::4/126",
  epoch: 1,
}];

const REFERENCE: PoolRecord = {
  version: 2,
  base: HELD.poolDigest,
  added: ["10.245.0.0/16", "172.20.0.0/20"],
  reserved: ["10.244.16.0/20", "10.245.1.0/24"],
  pins: [{ hostId: hostId(1), subnet: "10.244.7.0/24" }, {
    hostId: hostId(2),
    subnet: "10.245.2.0/24",
  }],
};

const POOL_RECORDS: readonly PoolRecord[] = [
  REFERENCE,
  { ...REFERENCE, version: 4_000_000_000, added: [], pins: [] },
  { ...REFERENCE, reserved: [], pins: REFERENCE.pins.slice(1) },
  {
    ...REFERENCE,
    added: ["fd00:10:245::/56"],
    reserved: ["fd00:10:244:10::/60"],
    pins: [{ hostId: hostId(1), subnet: "fd00:10:244:7::/64" }],
  },
];

/** Pool records, as they go over the wire and to disk. */
export const POOLS = POOL_RECORDS.map(encodePool);
const POOL = encodePool(REFERENCE);

const VERDICTS: readonly Verdict[] = [
  { kind: "yes" },
  { kind: "busy", claim: seal(HELD) },
  { kind: "resting", seconds: 431 },
  { kind: "fenced", epoch: 7 },
];

const ANSWERS = VERDICTS.map((verdict) =>
  encodeAnswer({
    kind: "answer",
    sender: hostId(1),
    claimant: hostId(2),
    generation: 1,
    sequence: 2,
    verdict,
    members: [1, 2, 3].map((number) => idPrefix(hostId(number))),
    tentative: [seal(TENTATIVE)],
  }, 1_300)
);

/** Letters and gossip. */
export const RARE_CLAIM_MESSAGES = [
  encodeRequest(seal(TENTATIVE), true),
  encodeRequest(seal(TENTATIVE), false),
  ...ANSWERS,
  encodePush([HELD, RELEASED].map(seal)),
  encodePush([seal(IPV6)]),
  encodeFencePush(FENCE),
  encodeFencePush(IPV6_FENCE),
  encodeFencePush([]),
  ...POOL_RECORDS.map((pool) =>
    encodePoolPush({ summary: summaryOf(encodePool(pool), pool), record: encodePool(pool) })
  ),
  encodePoolPush({ summary: summaryOf(POOL, REFERENCE), record: null }),
];

const HEAD = { lamport: 77, pool: summaryOf(POOL, REFERENCE) };
const AGED = [{ bytes: seal(HELD).bytes, ageMs: 0 }, {
  bytes: seal(RELEASED).bytes,
  ageMs: 90_000,
}];

const SYNCS: readonly ClaimSyncMessage[] = [
  {
    kind: "state",
    ...HEAD,
    heard: "yes",
    records: { kind: "entries", entries: AGED },
    fence: { kind: "entries", entries: FENCE },
    reclaimable: [hostId(4), hostId(5)],
    silent: [],
    poolRecord: POOL,
  },
  {
    kind: "state",
    ...HEAD,
    heard: "silent",
    records: { kind: "entries", entries: [] },
    fence: { kind: "entries", entries: [] },
    reclaimable: [],
    silent: [hostId(6), hostId(7)],
    poolRecord: null,
  },
  {
    kind: "update",
    ...HEAD,
    heard: "no",
    recordBuckets: BucketSet.of(64, [0, 7, 63]),
    records: AGED,
    fenceBuckets: BucketSet.NONE,
    fence: FENCE,
    poolRecord: POOL,
  },
];

/** The claims' part of syncs. */
export const RARE_CLAIM_SYNCS = SYNCS.map(encodeClaimSync);

const MACHINE = "5e".repeat(16);

/** Documents "claim", with and without each of the fields that came later. */
export const RARE_DOCUMENTS = [
  {},
  { machine: MACHINE },
  { pool: REFERENCE },
  { machine: MACHINE, pool: REFERENCE },
  { fence: IPV6_FENCE, previous: "fd00:10:244:8::/64", others: [{ record: IPV6, ageMs: 0 }] },
].map((further) =>
  encodeClaimMemory({
    hostId: hostId(1),
    generation: 9,
    lamport: 77,
    fence: FENCE,
    record: HELD,
    previous: "10.244.8.0/24",
    others: [{ record: RELEASED, ageMs: 90_000 }],
    ...further,
  })
);
