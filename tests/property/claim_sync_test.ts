/** A sync of claims by digest leaves both hosts with what telling each other everything would have left them with. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Random } from "../../mod/base/random.ts";
import { ClaimSync } from "../../mod/claim/claim_sync.ts";
import { ClaimContext } from "../../mod/claim/context.ts";
import { Hearing } from "../../mod/claim/hearing.ts";
import { Intake } from "../../mod/claim/intake.ts";
import { TOMBSTONE_MS } from "../../mod/claim/ledger.ts";
import type { ClaimRecord } from "../../mod/claim/record.ts";
import { encodeRecord } from "../../mod/claim/record_codec.ts";
import { hostId, POOL, record, Staged } from "../unit/claim/samples.ts";
import { claims } from "./claim_records.ts";

interface Known {
  readonly claim: ClaimRecord;
  readonly ageMs: number;
}

const NOW_MS = TOMBSTONE_MS;

/** What of a claimant takes part in syncs. */
class Side {
  readonly context: ClaimContext;
  readonly sync: ClaimSync;

  constructor(
    number: number,
    known: readonly Known[],
    fences: readonly (readonly [string, number])[],
  ) {
    this.context = new ClaimContext({
      cluster: "test",
      pool: POOL,
      pin: null,
      bootstrap: false,
      seedsGiven: true,
      vtep: { address: "192.0.2.1", port: 8472, mac: "02:00:00:00:00:01" },
      hostId: hostId(number),
      instance: "00000000000000aa",
      restored: null,
    }, new Random(number));
    this.context.attach(new Staged().carrier);
    this.context.complete = true;
    this.context.lamport = Math.max(number, ...known.map(({ claim }) => claim.stamp));
    this.sync = new ClaimSync(
      this.context,
      new Intake(this.context),
      new Hearing(this.context),
    );
    const { ledger } = this.context;
    for (const { claim, ageMs } of known) ledger.merge(NOW_MS, claim, encodeRecord(claim), ageMs);
    for (const [subnet, epoch] of fences) ledger.mergeFence(NOW_MS, subnet, epoch);
  }

  /** Without ages, which are compared for themselves. */
  knowledge() {
    const { ledger, lamport } = this.context;
    return {
      lamport,
      records: ledger.entries().map(({ bytes }) => bytes.toHex()),
      fence: ledger.fence.entries(),
      owners: ledger.owners().map(({ hostId }) => hostId),
    };
  }
}

function syncFully(asker: Side, peer: Side): void {
  peer.sync.merge(NOW_MS, asker.sync.everything(NOW_MS));
  asker.sync.merge(NOW_MS, peer.sync.everything(NOW_MS));
}

/** Returns how many bytes were told. */
function syncByDigest(asker: Side, peer: Side): number {
  const question = asker.sync.compare();
  const answer = peer.sync.compared(NOW_MS, question);
  const { update } = asker.sync.update(NOW_MS, answer);
  if (update === null) return question.length + answer.length;
  const { rest } = peer.sync.updated(NOW_MS, update);
  asker.sync.merge(NOW_MS, rest);
  return question.length + answer.length + update.length + rest.length;
}

const known: fc.Arbitrary<Known> = fc.record({
  claim: claims(),
  ageMs: fc.constantFrom(0, 1_000, 3_600_000, TOMBSTONE_MS - 1_000),
});

/** Hosts that have nothing to do with the rest, so that sets are large enough for digests. */
const crowd = fc.constantFrom(0, 40).map((count) =>
  Array.from({ length: count }, (_, index): Known => ({
    claim: record({ hostId: hostId(100 + index), subnet: `10.244.${100 + index}.0/24` }),
    ageMs: 0,
  }))
);

const fences = fc.array(
  fc.tuple(fc.nat(250).map((third) => `10.244.${third}.0/24`), fc.integer({ min: 1, max: 5 })),
  { maxLength: 30 },
);

const sides = fc.record({
  crowd,
  common: fc.array(known, { maxLength: 8 }),
  one: fc.array(known, { maxLength: 4 }),
  other: fc.array(known, { maxLength: 4 }),
  commonFences: fences,
  oneFences: fences,
  otherFences: fences,
}).map((all) => ({
  one: () =>
    new Side(1, [...all.crowd, ...all.common, ...all.one], [
      ...all.commonFences,
      ...all.oneFences,
    ]),
  other: () =>
    new Side(2, [...all.crowd, ...all.common, ...all.other], [
      ...all.commonFences,
      ...all.otherFences,
    ]),
}));

Deno.test("ledgers end as after telling everything, and as each other", () => {
  fc.assert(
    fc.property(sides, ({ one, other }) => {
      const full = [one(), other()] as const;
      const digest = [one(), other()] as const;
      syncFully(...full);
      syncByDigest(...digest);
      for (const index of [0, 1] as const) {
        assert.deepEqual(digest[index].knowledge(), full[index].knowledge());
      }
      assert.deepEqual(digest[0].knowledge(), digest[1].knowledge());
      assert.deepEqual(
        digest[0].context.ledger.digest.summary(),
        digest[1].context.ledger.digest.summary(),
      );
    }),
    { numRuns: 500 },
  );
});

Deno.test("when half of a sync is lost, the next one ends as if nothing had been", () => {
  fc.assert(
    fc.property(sides, fc.nat(2), ({ one, other }, lost) => {
      const whole = [one(), other()] as const;
      syncByDigest(...whole);
      const [asker, peer] = [one(), other()];
      const answer = peer.sync.compared(NOW_MS, asker.sync.compare());
      if (lost > 0) {
        const { update } = asker.sync.update(NOW_MS, answer);
        if (lost > 1 && update !== null) peer.sync.updated(NOW_MS, update);
      }
      syncByDigest(peer, asker);
      assert.deepEqual(asker.knowledge(), whole[0].knowledge());
      assert.deepEqual(peer.knowledge(), whole[1].knowledge());
    }),
    { numRuns: 300 },
  );
});

Deno.test("after a sync the next one is some bytes", () => {
  fc.assert(fc.property(sides, ({ one, other }) => {
    const pair = [one(), other()] as const;
    syncByDigest(...pair);
    const bytes = syncByDigest(...pair);
    assert.ok(bytes < 60, `${bytes} bytes`);
  }));
});

Deno.test("of a thousand claims that differ in one, some kilobytes are told", () => {
  const all = Array.from({ length: 1000 }, (_, index): Known => ({
    claim: record({
      hostId: hostId(100 + index),
      subnet: `10.${index >> 8}.${index & 255}.0/24`,
    }),
    ageMs: 0,
  }));
  for (const odd of [0, 17, 999]) {
    const claim = { ...(all[odd] as Known).claim, sequence: 1 };
    const other = all.with(odd, { claim, ageMs: 0 });
    const bytes = syncByDigest(new Side(1, all, []), new Side(2, other, []));
    assert.ok(bytes < 3_000, `${bytes} bytes`);
  }
});
