/**
 * Hostile bytes at every door of the claim protocol: nothing throws, nothing malformed changes anything, and nothing at
 * all changes this host's own record.
 */
import { equal } from "node:assert/strict";
import fc from "fast-check";
import { Ledger } from "../../mod/claim/ledger.ts";
import { DamagedClaimError, decodeClaimMemory } from "../../mod/claim/memory.ts";
import {
  encodeAnswer,
  encodePush,
  encodeRequest,
  idPrefix,
  seal,
} from "../../mod/claim/messages.ts";
import { NO_POOL_RECORD } from "../../mod/claim/pool_codec.ts";
import type { ClaimRecord } from "../../mod/claim/record.ts";
import { encodeRecord } from "../../mod/claim/record_codec.ts";
import { encodeClaimSync } from "../../mod/claim/sync_messages.ts";
import { BucketSet } from "../../mod/wire/bucket_set.ts";
import { claims } from "../property/claim_records.ts";
import {
  endpointOf,
  hostId,
  type Staged,
  stagedAsking,
  stagedHolding,
  stateOfLedger,
} from "../unit/claim/samples.ts";

/** Well-formed messages about arbitrary claims. */
function messages(): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    fc.array(claims(), { maxLength: 4 }).map((list) => encodePush(list.map(seal))),
    claims().map((claim) => encodeRequest(seal({ ...claim, state: "tentative", strength: 0 }))),
    fc.tuple(claims(), fc.option(claims()), fc.array(claims(), { maxLength: 3 }), fc.nat(3)).map(
      ([claim, busy, tentative, sequence]) =>
        encodeAnswer({
          kind: "answer",
          sender: claim.hostId,
          claimant: hostId(1),
          generation: claim.generation,
          sequence,
          verdict: busy === null ? { kind: "yes" } : { kind: "busy", claim: seal(busy) },
          members: [idPrefix(claim.hostId)],
          tentative: tentative.map(seal),
        }, 1_300),
    ),
  );
}

/** What a peer with such a ledger would say in a sync. */
function states(): fc.Arbitrary<Uint8Array> {
  return fc.tuple(fc.array(claims(), { maxLength: 5 }), fc.nat(3)).map(([list, kind]) => {
    const ledger = new Ledger();
    for (const claim of list) ledger.merge(0, claim, encodeRecord(claim));
    if (kind === 0) return stateOfLedger(0, ledger, 3, true);
    const head = { lamport: 3, heard: "yes", pool: NO_POOL_RECORD } as const;
    if (kind === 1) {
      const [records, fence] = [ledger.digest.summary(), ledger.fence.digest.summary()];
      return encodeClaimSync({ kind: "compare", ...head, records, fence });
    }
    if (kind === 2) {
      const digests = { kind: "digests", digests: ledger.digest.digests() } as const;
      return encodeClaimSync({
        kind: "state",
        ...head,
        records: digests,
        fence: digests,
        reclaimable: [hostId(4)],
        poolRecord: null,
        silent: [],
      });
    }
    return encodeClaimSync({
      kind: "update",
      ...head,
      recordBuckets: BucketSet.of(16, [1, 5, 9]),
      records: ledger.entries().map(({ bytes }) => ({ bytes, ageMs: 0 })),
      fenceBuckets: BucketSet.of(16, [2, 6]),
      fence: ledger.fence.entries(),
      poolRecord: Uint8Array.of(1),
    });
  });
}

/** Bytes with some of them changed, cut or doubled. */
function damaged(whole: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(), fc.nat(255));
  return fc.tuple(whole, fc.array(change, { maxLength: 4 }), fc.option(fc.nat())).map(
    ([bytes, changes, cut]) => {
      const copy = new Uint8Array(bytes);
      for (const [where, value] of changes) copy[where % copy.length] = value;
      return cut === null ? copy : copy.subarray(0, cut % (copy.length + 1));
    },
  );
}

const anything = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  messages(),
  damaged(messages()),
  states(),
  damaged(states()),
);

/** What of a record only its writer decides; epoch and state follow the rules. */
function identityOf(record: ClaimRecord | null): string {
  return JSON.stringify([record?.hostId, record?.instance, record?.vtep, record?.poolDigest]);
}

/** Each of the messages of a sync, and its end. */
function syncDoor(host: Staged, number: number, door: number, bytes: Uint8Array): void {
  const { claimant, nowMs } = host;
  if (door === 0) claimant.compared(nowMs, bytes);
  else if (door === 1) claimant.update(nowMs, hostId(number), bytes);
  else if (door === 2) claimant.updated(nowMs, bytes);
  else claimant.merge(nowMs, hostId(number), bytes);
}

function feed(host: Staged, inputs: readonly { door: number; bytes: Uint8Array }[]): void {
  for (const { door, bytes } of inputs) {
    const from = endpointOf(2 + door % 4);
    if (door % 3 === 0) syncDoor(host, 2 + door % 4, door % 4, bytes);
    else {
      const via = door % 3 === 1 ? "letter" : "gossip";
      host.claimant.receive(host.nowMs, { via, from }, bytes);
    }
    host.settle();
    host.at(host.nowMs + door * 7);
  }
}

const inputs = fc.array(
  fc.record({ door: fc.nat(60), bytes: anything }),
  { minLength: 1, maxLength: 12 },
);

Deno.test("a holder takes anything and stays itself", () => {
  fc.assert(
    fc.property(inputs, (list) => {
      const host = stagedHolding();
      const before = identityOf(host.snapshot.record);
      feed(host, list);
      equal(identityOf(host.snapshot.record), before);
    }),
    { numRuns: 400 },
  );
});

Deno.test("a claimant takes anything and stays itself", () => {
  fc.assert(
    fc.property(inputs, (list) => {
      const host = stagedAsking([2, 3]);
      const before = identityOf(host.snapshot.record);
      feed(host, list);
      equal(identityOf(host.snapshot.record), before);
    }),
    { numRuns: 400 },
  );
});

Deno.test("bytes that are no message change nothing", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(5), (bytes, door) => {
    const host = stagedHolding();
    const before = JSON.stringify(host.snapshot.records);
    feed(host, [{ door, bytes }]);
    equal(JSON.stringify(host.snapshot.records), before);
  }));
});

Deno.test("a document of any bytes gives a clear error, never another", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    try {
      decodeClaimMemory(bytes);
    } catch (error) {
      equal(error instanceof DamagedClaimError, true, String(error));
    }
  }));
});
