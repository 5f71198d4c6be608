/** Attended absence: which time counts, and for whom. */
import { deepEqual, equal } from "node:assert/strict";
import { Absence, ttlMs } from "../../../mod/claim/absence.ts";
import { Ledger } from "../../../mod/claim/ledger.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import { encodeRecord } from "../../../mod/claim/record_codec.ts";
import { Roster } from "../../../mod/claim/roster.ts";
import { hostId, member, record, Staged } from "./samples.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Host 1, which sees hosts 2 and 3, and knows a claim of host 4, which is away and may be for an hour. */
class Watch {
  readonly carrier = new Staged().carrier;
  readonly ledger = new Ledger();
  readonly absence: Absence;
  attends = true;
  nowMs = 0;
  claim = record({ hostId: hostId(4), absenceTtlHours: 1 });

  constructor(claim: Partial<ClaimRecord> = {}) {
    for (const number of [2, 3]) this.carrier.table.set(hostId(number), member(number));
    const roster = new Roster(hostId(1), this.ledger, () => this.carrier);
    this.absence = new Absence(hostId(1), this.ledger, roster, () => this.attends);
    this.hear({ ...this.claim, ...claim });
  }

  hear(claim: ClaimRecord): void {
    this.claim = claim;
    this.ledger.merge(this.nowMs, claim, encodeRecord(claim));
  }

  pass(timeMs: number, stepMs = 1_000): void {
    for (const endMs = this.nowMs + timeMs; this.nowMs < endMs;) {
      this.nowMs += stepMs;
      this.absence.advance(this.nowMs);
    }
  }

  see(number: number, status: "alive" | "suspect" | "dead"): void {
    const now = member(number, status);
    this.carrier.table.set(now.id, now);
    this.absence.memberChanged(now);
  }

  get isReclaimable(): boolean {
    return this.absence.isReclaimable(this.claim);
  }
}

Deno.test("a claim is reclaimable after the time that its host allows", () => {
  const watch = new Watch();
  watch.pass(HOUR_MS);
  equal(watch.isReclaimable, false, "the absence began a moment after the start");
  watch.pass(3_000);
  equal(watch.isReclaimable, true);
  deepEqual(watch.absence.reclaimable(), [hostId(4)]);
});

Deno.test("questions and yields, which gave out no addresses, are reclaimable after ten minutes", () => {
  for (const state of ["tentative", "yielding"] as const) {
    const watch = new Watch({
      state,
      strength: state === "tentative" ? 0 : 1,
      absenceTtlHours: 24,
    });
    equal(ttlMs(watch.claim), 10 * MINUTE_MS);
    watch.pass(9.9 * MINUTE_MS);
    equal(watch.isReclaimable, false);
    watch.pass(0.2 * MINUTE_MS);
    equal(watch.isReclaimable, true);
  }
});

Deno.test("time in which this host is not well, or sees no majority, does not count", () => {
  const watch = new Watch();
  watch.pass(0.9 * HOUR_MS);
  watch.attends = false;
  watch.pass(10 * HOUR_MS);
  equal(watch.isReclaimable, false);
  watch.attends = true;
  watch.pass(0.05 * HOUR_MS);
  equal(watch.isReclaimable, false);
  watch.pass(0.1 * HOUR_MS);
  equal(watch.isReclaimable, true);
});

Deno.test("time in which this host stood still does not count", () => {
  const watch = new Watch();
  watch.pass(0.9 * HOUR_MS);
  watch.pass(26 * HOUR_MS, HOUR_MS);
  equal(watch.isReclaimable, false);
  watch.pass(0.2 * HOUR_MS, 9_000);
  equal(watch.isReclaimable, true, "steps of some seconds are no standstill");
});

Deno.test("who is there again, even as a suspect, was never away", () => {
  for (const status of ["alive", "suspect"] as const) {
    const watch = new Watch();
    watch.pass(2 * HOUR_MS);
    watch.see(4, status);
    equal(watch.isReclaimable, false);
    watch.see(4, "dead");
    equal(watch.isReclaimable, false);
    watch.pass(0.9 * HOUR_MS);
    equal(watch.isReclaimable, false);
    watch.pass(0.2 * HOUR_MS);
    equal(watch.isReclaimable, true);
  }
});

Deno.test("a claim that its host wrote elsewhere begins a new absence", () => {
  const watch = new Watch();
  watch.pass(2 * HOUR_MS);
  watch.hear({ ...watch.claim, sequence: watch.claim.sequence + 1 });
  equal(watch.isReclaimable, false);
  watch.pass(0.9 * HOUR_MS);
  equal(watch.isReclaimable, false);
  watch.pass(0.2 * HOUR_MS);
  equal(watch.isReclaimable, true);
});

Deno.test("what counts for nothing is not absent: released, or below the fence", () => {
  const watch = new Watch();
  watch.pass(2 * HOUR_MS);
  watch.ledger.mergeFence(watch.nowMs, watch.claim.subnet, watch.claim.epoch + 1);
  watch.pass(1_000);
  deepEqual(watch.absence.list(), []);
  equal(watch.isReclaimable, false);
});

Deno.test("absent hosts are listed with their time, the longest first", () => {
  const watch = new Watch();
  watch.pass(MINUTE_MS);
  watch.hear(record({ hostId: hostId(5), subnet: "10.244.5.0/24" }));
  watch.pass(MINUTE_MS);
  deepEqual(
    watch.absence.list().map((
      { record, awayMs },
    ) => [record.hostId, Math.round(awayMs / MINUTE_MS)]),
    [[hostId(4), 2], [hostId(5), 1]],
  );
});

Deno.test("what others count is worth asking for when three of them agree, or all there are", () => {
  const watch = new Watch();
  watch.see(6, "alive");
  watch.see(7, "alive");
  const isWorthAsking = () => watch.absence.isWorthAsking(watch.nowMs, watch.claim);
  equal(watch.absence.told(0, hostId(2), [hostId(4)]), true);
  equal(watch.absence.told(0, hostId(2), [hostId(4)]), false, "that is no news");
  watch.absence.told(0, hostId(3), [hostId(4)]);
  equal(isWorthAsking(), false);
  watch.absence.told(0, hostId(6), [hostId(4)]);
  equal(isWorthAsking(), true);
  watch.see(4, "alive");
  equal(isWorthAsking(), false);
  watch.see(4, "dead");
  watch.absence.told(0, hostId(6), []);
  equal(isWorthAsking(), false);
  watch.see(7, "dead");
  watch.see(6, "dead");
  equal(isWorthAsking(), true, "two of two");
  watch.nowMs = 6 * MINUTE_MS;
  equal(isWorthAsking(), false, "that was long ago");
});
