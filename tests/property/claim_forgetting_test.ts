/**
 * What is forgotten stays forgotten: fence entries merge like records, a forgotten host's claim counts nowhere, and once a
 * release was heard nothing older of that claim comes back, however old the tombstone and whatever arrives after it was
 * dropped. Hosts here write as the protocol has them write, and others hear any of it in any order.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Ledger, TOMBSTONE_MS } from "../../mod/claim/ledger.ts";
import type { ClaimRecord } from "../../mod/claim/record.ts";
import { encodeRecord } from "../../mod/claim/record_codec.ts";
import { record } from "../unit/claim/samples.ts";
import { claims } from "./claim_records.ts";

const NOW_MS = TOMBSTONE_MS;
const HOUR_MS = 3_600_000;

/** One thing that a host may hear. */
type News =
  | { readonly kind: "record"; readonly claim: ClaimRecord; readonly ageMs: number }
  | { readonly kind: "fence"; readonly subnet: string; readonly epoch: number };

function hear(ledger: Ledger, news: News): void {
  if (news.kind === "fence") ledger.mergeFence(NOW_MS, news.subnet, news.epoch);
  else ledger.merge(NOW_MS, news.claim, encodeRecord(news.claim), news.ageMs);
}

function ledgerOf(all: readonly News[]): Ledger {
  const ledger = new Ledger();
  for (const news of all) hear(ledger, news);
  return ledger;
}

function verdict(ledger: Ledger) {
  return {
    records: ledger.entries().map(({ bytes }) => bytes.toHex()),
    fence: ledger.fence.entries(),
    owners: ledger.owners(),
  };
}

/** Not as old as a tombstone that is dropped. */
const ages = fc.constantFrom(0, 1_000, HOUR_MS, TOMBSTONE_MS - 1);

const anyNews: fc.Arbitrary<News> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("record" as const), claim: claims(), ageMs: ages }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("fence" as const),
      subnet: claims().map(({ subnet }) => subnet),
      epoch: fc.integer({ min: 1, max: 6 }),
    }),
  },
);

Deno.test("records and fence entries merge to one verdict, in any order and however often", () => {
  const arrivals = fc.array(anyNews, { minLength: 1, maxLength: 16 }).chain((list) =>
    fc.tuple(
      fc.constant(list),
      fc.shuffledSubarray([...list, ...list], { minLength: 2 * list.length }),
    )
  );
  fc.assert(fc.property(arrivals, ([list, shuffled]) => {
    assert.deepEqual(verdict(ledgerOf(shuffled)), verdict(ledgerOf(list)));
  }));
});

Deno.test("of two writes of one number all keep the same one, and each host that hears both says so", () => {
  const twins = fc.tuple(claims(), claims()).map(([one, other]) =>
    [one, {
      ...other,
      hostId: one.hostId,
      generation: one.generation,
      sequence: one.sequence,
    }] as const
  );
  fc.assert(fc.property(twins, ([one, other]) => {
    const [left, right] = [new Ledger(), new Ledger()];
    const isSame = encodeRecord(one).toHex() === encodeRecord(other).toHex();
    const said: string[] = [];
    for (const [ledger, first, second] of [[left, one, other], [right, other, one]] as const) {
      ledger.merge(NOW_MS, first, encodeRecord(first));
      said.push(ledger.merge(NOW_MS, second, encodeRecord(second)).kind);
    }
    assert.deepEqual(said, isSame ? ["old", "old"] : ["clone", "clone"]);
    assert.deepEqual(verdict(left), verdict(right));
  }));
});

Deno.test("whatever pools their writers know, the same claims have the same owners", () => {
  // All at the fence, so that the rest of the order has much to decide.
  const held = claims().map((claim): ClaimRecord => ({
    ...claim,
    state: "held",
    epoch: 1,
    strength: Math.max(claim.strength, 1),
  }));
  const list = fc.uniqueArray(held, {
    minLength: 1,
    maxLength: 14,
    selector: ({ hostId, generation, sequence }) => `${hostId} ${generation} ${sequence}`,
  });
  const owned = (claims: readonly ClaimRecord[]) =>
    ledgerOf(claims.map((claim) => ({ kind: "record", claim, ageMs: 0 })))
      .owners().map(({ hostId, subnet }) => `${hostId} ${subnet}`);
  fc.assert(fc.property(list, (claims) => {
    const elsewhere = claims.map((claim) => ({
      ...claim,
      poolVersion: 7,
      poolDigest: claim.hostId.slice(0, 16),
    }));
    assert.deepEqual(owned(elsewhere), owned(claims));
  }));
});

/** What a forgotten host leaves: the fence of its subnet is above all that it ever held there. */
Deno.test("a forgotten host's claim owns nothing and stands in nobody's way, whenever it is heard", () => {
  const forgotten = "f".repeat(32);
  const list = fc.array(anyNews, { maxLength: 10 });
  const held = claims().map((claim): ClaimRecord => ({
    ...claim,
    hostId: forgotten,
    state: "held",
    strength: Math.max(claim.strength, 1),
  }));
  fc.assert(fc.property(list, held, fc.nat(10), fc.nat(10), (others, claim, when, forgetting) => {
    const arrivals: News[] = [...others];
    arrivals.splice(when, 0, { kind: "record", claim, ageMs: 0 });
    arrivals.splice(forgetting, 0, {
      kind: "fence",
      subnet: claim.subnet,
      epoch: claim.epoch + 1,
    });
    const ledger = ledgerOf(arrivals);
    assert.ok(!ledger.isOwner(forgotten));
    assert.ok(!ledger.routed().some(({ hostId }) => hostId === forgotten));
    assert.ok(!ledger.occupants(claim.subnet, "").some(({ hostId }) => hostId === forgotten));
  }));
});

/**
 * What one host writes while it holds subnets one after the other: asked for, held, raised now and then, given up by a yield
 * or a release, the last one by a release.
 */
const released: fc.Arbitrary<readonly ClaimRecord[]> = fc.array(
  fc.record({
    subnet: fc.constantFrom("10.244.6.0/24", "10.244.7.0/24", "10.244.6.0/23"),
    epoch: fc.integer({ min: 1, max: 4 }),
    raises: fc.nat(2),
    yields: fc.boolean(),
  }),
  { minLength: 1, maxLength: 3 },
).map((claims) => {
  const written: ClaimRecord[] = [];
  const write = (changes: Partial<ClaimRecord>) =>
    written.push(record({ hostId: "1".repeat(32), sequence: written.length, ...changes }));
  let fence = 0;
  for (const [index, { subnet, epoch: above, raises, yields }] of claims.entries()) {
    const epoch = fence + above;
    fence = epoch + raises + 1;
    write({ subnet, state: "tentative", epoch });
    for (let raise = 0; raise <= raises; raise++) {
      write({ subnet, state: "held", strength: 1, epoch: epoch + raise });
    }
    const last = epoch + raises;
    const isYield = yields && index < claims.length - 1;
    write(
      isYield
        ? { subnet, state: "yielding", strength: 1, epoch: last }
        : { subnet, state: "released", strength: 1, epoch: last + 1 },
    );
  }
  return written;
});

Deno.test("once its release was heard, no older claim to that subnet counts again, also after a day", () => {
  const cases = released.chain((written) =>
    fc.record({
      before: fc.subarray([...written]),
      after: fc.shuffledSubarray([...written.slice(0, -1), ...written.slice(0, -1)]),
      release: fc.constant(written.at(-1)),
      ageMs: fc.constantFrom(0, HOUR_MS, TOMBSTONE_MS - 1, TOMBSTONE_MS, 2 * TOMBSTONE_MS),
      isDropped: fc.boolean(),
    })
  );
  fc.assert(fc.property(cases, ({ before, after, release, ageMs, isDropped }) => {
    assert.ok(release);
    const ledger = ledgerOf(before.map((claim) => ({ kind: "record", claim, ageMs: 0 })));
    hear(ledger, { kind: "record", claim: release, ageMs });
    if (isDropped) ledger.collect(NOW_MS + 2 * TOMBSTONE_MS, () => true);
    if (isDropped) assert.equal(ledger.entry(release.hostId), undefined);
    for (const claim of after) {
      hear(ledger, { kind: "record", claim, ageMs: 0 });
      assert.ok(!ledger.owners().some(({ subnet }) => subnet === release.subnet));
    }
    const standing = ledger.occupants(release.subnet, "").filter((claim) =>
      claim.subnet === release.subnet && claim.state === "held"
    );
    assert.deepEqual(standing, []);
  }));
});

Deno.test("a tombstone is dropped a day after the earliest time at which anybody saw it, whoever tells of it when", () => {
  const release = record({ state: "released", strength: 1, epoch: 2 });
  fc.assert(fc.property(fc.array(ages, { minLength: 1, maxLength: 6 }), (told) => {
    const ledger = ledgerOf(told.map((ageMs) => ({ kind: "record", claim: release, ageMs })));
    const oldestMs = Math.max(...told);
    const dropMs = NOW_MS - oldestMs + TOMBSTONE_MS;
    assert.equal(ledger.collect(dropMs - 1, () => true), dropMs);
    assert.equal(ledger.size, 1);
    assert.equal(ledger.collect(dropMs, () => true), Infinity);
    assert.equal(ledger.size, 0);
    assert.equal(ledger.fence.of(release.subnet), 2);
  }));
});

Deno.test("a subnet that is released a second time rests anew, also for who missed that it was held between", () => {
  const first = record({ state: "released", strength: 1, epoch: 2 });
  const second = record({ state: "released", strength: 1, epoch: 4, sequence: 3 });
  const ledger = ledgerOf([{ kind: "record", claim: first, ageMs: HOUR_MS }]);
  hear(ledger, { kind: "record", claim: second, ageMs: 0 });
  assert.equal(ledger.entry(first.hostId)?.sinceMs, NOW_MS);
});
