/** The claims' part of syncs: what is told, what is kept to oneself, what is refused. */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { WireError } from "../../../mod/base/errors.ts";
import { Ledger, TOMBSTONE_MS } from "../../../mod/claim/ledger.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import { NO_POOL_RECORD } from "../../../mod/claim/pool_codec.ts";
import { decodeRecord, encodeRecord } from "../../../mod/claim/record_codec.ts";
import {
  type ClaimState,
  decodeClaimSync,
  encodeClaimSync,
} from "../../../mod/claim/sync_messages.ts";
import { BucketSet } from "../../../mod/wire/bucket_set.ts";
import { encode } from "../../../mod/wire/codec.ts";
import { hostId, record, type Staged, stagedHolding, stateOfLedger } from "./samples.ts";

const HEAD = { lamport: 5, heard: "yes", pool: NO_POOL_RECORD } as const;
const ALL_BUCKETS = BucketSet.of(16, Array.from({ length: 16 }, (_, bucket) => bucket));
const NEWCOMER = encodeClaimSync({
  kind: "compare",
  ...HEAD,
  records: { count: 0, digest: new Uint8Array(8) },
  fence: { count: 0, digest: new Uint8Array(8) },
});

function stateFrom(bytes: Uint8Array): ClaimState {
  const message = decodeClaimSync(bytes);
  ok(message.kind === "state");
  return message;
}

function recordsIn({ records }: ClaimState): ClaimRecord[] {
  return records.kind === "entries" ? records.entries.map(({ bytes }) => decodeRecord(bytes)) : [];
}

/** A holder that knows so many other hosts' claims. */
function holderKnowing(count: number): Staged {
  const host = stagedHolding();
  const ledger = new Ledger();
  for (let index = 0; index < count; index++) {
    const claim = record({ hostId: hostId(100 + index), subnet: `10.245.${index}.0/24` });
    ledger.merge(0, claim, encodeRecord(claim));
  }
  host.claimant.merge(0, hostId(2), stateOfLedger(0, ledger, 0, true));
  return host;
}

Deno.test("a newcomer is told every record, and of the fence what no record says", () => {
  const host = holderKnowing(40);
  const ledger = new Ledger();
  ledger.mergeFence(0, "10.244.9.0/24", 6);
  ledger.mergeFence(0, "10.244.7.0/24", 1); // this host's own record says so too
  host.claimant.merge(0, hostId(2), stateOfLedger(0, ledger, 77, true));
  const state = stateFrom(host.claimant.compared(0, NEWCOMER));
  equal(recordsIn(state).length, 41);
  deepEqual(state.fence, { kind: "entries", entries: [{ subnet: "10.244.9.0/24", epoch: 6 }] });
  equal(state.lamport, 77);
  equal(state.heard, "yes");
});

Deno.test("a host that knows the same is told so in some bytes, and both clocks advance", () => {
  const [one, other] = [holderKnowing(40), holderKnowing(40)];
  other.claimant.merge(0, hostId(3), stateOfLedger(0, new Ledger(), 500, true));
  const question = one.claimant.compare(0);
  const answer = other.claimant.compared(0, question);
  ok(question.length + answer.length < 70, `${question.length} + ${answer.length} bytes`);
  equal(one.claimant.update(0, hostId(2), answer), null);
  const again = decodeClaimSync(one.claimant.compare(0));
  equal(again.lamport, 500);
});

Deno.test("of one claim that differs among many, its bucket alone is told, each way what is new", () => {
  const [one, other] = [holderKnowing(200), holderKnowing(200)];
  const newer = record({ hostId: hostId(150), subnet: "10.245.50.0/24", sequence: 1, epoch: 2 });
  other.hear(newer);
  const update = one.claimant.update(
    0,
    hostId(2),
    other.claimant.compared(0, one.claimant.compare(0)),
  );
  ok(update !== null);
  const told = decodeClaimSync(update);
  ok(told.kind === "update" && told.records.length >= 1 && told.records.length <= 15);
  ok(told.recordBuckets.has(hostId(150)) && told.fenceBuckets.has(newer.subnet));
  const rest = other.claimant.updated(0, update);
  deepEqual(recordsIn(stateFrom(rest)), [newer]);
  one.claimant.merge(0, hostId(2), rest);
  ok(one.snapshot.records.some(({ epoch }) => epoch === 2));
  deepEqual(
    one.claimant.update(0, hostId(2), other.claimant.compared(0, one.claimant.compare(0))),
    null,
  );
});

Deno.test("a tombstone is told with its age though both have it: the older age counts", () => {
  const released = record({ hostId: hostId(3), subnet: "10.244.8.0/24", state: "released" });
  const host = stagedHolding();
  host.hear(released);
  host.at(60_000);
  const update = (ageMs: number) =>
    encodeClaimSync({
      kind: "update",
      ...HEAD,
      recordBuckets: ALL_BUCKETS,
      records: [{ bytes: encodeRecord(released), ageMs }],
      fenceBuckets: BucketSet.NONE,
      fence: [],
      poolRecord: null,
    });
  const ageAfter = (bytes: Uint8Array) => {
    const { records } = stateFrom(host.claimant.updated(host.nowMs, bytes));
    ok(records.kind === "entries");
    return records.entries.find(({ ageMs }) => ageMs > 0)?.ageMs;
  };
  equal(ageAfter(update(0)), 60_000);
  equal(ageAfter(update(3_600_000)), 3_600_000);
});

Deno.test("a tombstone that is only known by age is not passed on, or gossip would make it young for ever", () => {
  const released = record({
    hostId: hostId(3),
    subnet: "10.244.8.0/24",
    state: "released",
    sequence: 1,
  });
  const ledger = new Ledger();
  ledger.merge(0, released, encodeRecord(released));
  const state = stateOfLedger(TOMBSTONE_MS - 2_000, ledger, 0, true);
  const spread = (host: Staged) =>
    host.carrier.gossiped.filter(({ key }) => key === `claim ${hostId(3)}`).length;

  const forgotten = stagedHolding();
  forgotten.claimant.merge(0, hostId(2), state);
  equal(forgotten.snapshot.records.length, 2);
  equal(spread(forgotten), 0);
  forgotten.at(2_001);
  equal(forgotten.snapshot.records.length, 1);

  // Who still believes the host to hold may be one of many.
  const outdated = stagedHolding();
  outdated.claimant.merge(0, hostId(2), stateOfHolding());
  const before = spread(outdated);
  outdated.claimant.merge(0, hostId(2), state);
  equal(spread(outdated), before + 1);
});

/** Host 3 still holds. */
function stateOfHolding(): Uint8Array {
  const held = record({ hostId: hostId(3), subnet: "10.244.8.0/24", generation: 1, sequence: 0 });
  const ledger = new Ledger();
  ledger.merge(0, held, encodeRecord(held));
  return stateOfLedger(0, ledger, 0, true);
}

Deno.test("ages do not differ in digests", () => {
  const released = record({ hostId: hostId(3), subnet: "10.244.8.0/24", state: "released" });
  const [one, other] = [holderKnowing(40), holderKnowing(40)];
  one.hear(released);
  for (const host of [one, other]) host.at(60_000);
  other.hear(released);
  const answer = other.claimant.compared(60_000, one.claimant.compare(60_000));
  equal(one.claimant.update(60_000, hostId(2), answer), null);
});

Deno.test("what cannot be read is answered with everything, or with nothing to an update", () => {
  const host = holderKnowing(40);
  const later = encode([2, 1, 0, 1]);
  for (const bytes of [new Uint8Array([1]), later, host.claimant.compared(0, NEWCOMER)]) {
    equal(recordsIn(stateFrom(host.claimant.compared(0, bytes))).length, 41);
    const { records, fence } = stateFrom(host.claimant.updated(0, bytes));
    const nothing = { kind: "digests", digests: new Uint8Array() };
    deepEqual([records, fence], [nothing, nothing]);
    equal(host.claimant.update(0, hostId(2), new Uint8Array([1])), null);
  }
});

Deno.test("malformed messages of a sync are refused", () => {
  const [bytes, digest, digests] = [new Uint8Array(1), new Uint8Array(8), new Uint8Array(128)];
  const messages = [
    new Uint8Array(),
    encode(1),
    encode([]),
    encode([1]),
    encode([2, 2, 0, 1, [], []]),
    encode([1, 4, 0, 1, [], []]),
    encode([1, 1, 0, 1, 20_001, digest, 0, digest]),
    encode([1, 1, 0, 1, 0, digest, 65_537, digest]),
    encode([1, 1, 0, 1, 0, bytes, 0, digest]),
    encode([1, 1, 0, 1, 0, digest, 0]),
    encode([1, 2, 0, 1, [bytes], []]),
    encode([1, 2, 0, 1, [new Uint8Array(161), 0], []]),
    encode([1, 2, 0, 1, [bytes, TOMBSTONE_MS], []]),
    encode([1, 2, 0, 1, [], [1, 24]]),
    encode([1, 2, 0, 1, [], [0x0af40701, 24, 1]]),
    encode([1, 2, 0, 2, [], []]),
    encode([1, 2, 2 ** 32, 1, [], []]),
    encode([1, 2, 0, 1, new Uint8Array(127), digests]),
    encode([1, 2, 0, 1, digests, new Uint8Array(8 * 2048)]),
    encode([1, 3, 0, 1, new Uint8Array(3), [], new Uint8Array(), []]),
    encode([1, 3, 0, 1, new Uint8Array(2), [], new Uint8Array(256), []]),
    encode([1, 3, 0, 1, new Uint8Array(2), [bytes], new Uint8Array(2), []]),
  ];
  for (const [index, message] of messages.entries()) {
    throws(() => decodeClaimSync(message), WireError, `${index}`);
  }
});
