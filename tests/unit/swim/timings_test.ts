/** How the timings grow with the cluster: the tables of memberlist. */
import assert from "node:assert/strict";
import { Awareness } from "../../../mod/swim/awareness.ts";
import { remainingSuspicionMs, Suspicion } from "../../../mod/swim/suspicion.ts";
import {
  LAN_TIMINGS,
  LOCAL_TIMINGS,
  nackWaitMs,
  retransmitLimit,
  suspicionBoundsMs,
  TIMINGS,
  WAN_TIMINGS,
} from "../../../mod/swim/timings.ts";

Deno.test("news are sent more often in larger clusters", () => {
  const limits = [1, 9, 10, 99, 100, 999, 1000, 9999]
    .map((members) => retransmitLimit({ ...LAN_TIMINGS, retransmitMinimum: 0 }, members));
  assert.deepEqual(limits, [4, 4, 8, 8, 12, 12, 16, 16]);
});

Deno.test("news are sent at least eight times, in whatever small cluster", () => {
  for (const timings of Object.values(TIMINGS)) {
    for (const members of [0, 1, 9]) assert.equal(retransmitLimit(timings, members), 8);
    assert.ok(retransmitLimit(timings, 10) >= 8);
  }
});

Deno.test("suspicions last longer in larger clusters", () => {
  const bounds = (members: number) => {
    const { minMs, maxMs } = suspicionBoundsMs(LAN_TIMINGS, members);
    return [Math.round(minMs), Math.round(maxMs)];
  };
  assert.deepEqual(bounds(1), [4000, 24_000]);
  assert.deepEqual(bounds(10), [4000, 24_000]);
  assert.deepEqual(bounds(30), [5908, 35_451]);
  assert.deepEqual(bounds(100), [8000, 48_000]);
  assert.deepEqual(bounds(1000), [12_000, 72_000]);
});

Deno.test("what is left of a suspicion shrinks with confirmations and with time", () => {
  const rows: [number, number, number][] = [
    // confirmations of 3 expected, elapsed, left; between 2 s and 30 s
    [0, 0, 30_000],
    [1, 2000, 14_000],
    [2, 3000, 4810],
    [3, 4000, -2000],
    [4, 5000, -3000],
    [5, 10_000, -8000],
  ];
  for (const [confirmations, elapsedMs, leftMs] of rows) {
    assert.equal(remainingSuspicionMs(confirmations, 3, elapsedMs, 2000, 30_000), leftMs);
  }
});

Deno.test("a suspicion counts each accuser once, and only as many as matter", () => {
  const suspicion = new Suspicion(100, "a", LAN_TIMINGS, 10);
  assert.equal(suspicion.deadlineMs, 100 + 24_000);
  assert.deepEqual(["a", "b", "b", "c", "d"].map((id) => suspicion.confirm(1000, id)), [
    false,
    true,
    false,
    true,
    false,
  ]);
  assert.equal(suspicion.deadlineMs, 100 + 4000);
  suspicion.postpone(1050, 50);
  assert.equal(suspicion.deadlineMs, 150 + 4000);
});

Deno.test("an accusation never ends a suspicion at once: who is accused may answer to it", () => {
  const suspicion = new Suspicion(0, "a", LAN_TIMINGS, 10);
  suspicion.confirm(5000, "b");
  assert.equal(suspicion.deadlineMs, 11_381); // 24 s - log(2) / log(3) * 20 s
  suspicion.confirm(11_000, "c");
  assert.equal(suspicion.deadlineMs, 11_000 + 2000); // not 4 s, which are long over
  suspicion.postpone(11_500, 500);
  assert.equal(suspicion.deadlineMs, 13_500);
  // Who stood still beyond the end first hears what was said meanwhile.
  suspicion.postpone(20_000, 6500);
  assert.equal(suspicion.deadlineMs, 22_000);
});

Deno.test("too few members to confirm: the shortest suspicion at once", () => {
  for (const [members, durationMs] of [[2, 4000], [3, 4000], [4, 24_000]] as const) {
    assert.equal(new Suspicion(0, "a", LAN_TIMINGS, members).deadlineMs, durationMs);
  }
});

Deno.test("health stays between 0 and 7 and stretches times", () => {
  const awareness = new Awareness(7);
  const scores = [1, 2, 10, -1, -20, 3].map((change) => {
    awareness.adjust(change);
    return awareness.score;
  });
  assert.deepEqual(scores, [1, 3, 7, 6, 0, 3]);
  assert.equal(awareness.stretch(500), 2000);
});

Deno.test("the presets keep a probe within its interval", () => {
  for (const timings of [LAN_TIMINGS, WAN_TIMINGS, LOCAL_TIMINGS]) {
    assert.ok(timings.probeTimeoutMs < timings.probeIntervalMs);
    // A helper's nack is back before the asker concludes, or each dead host would cost it health.
    const nackAtMs = timings.probeTimeoutMs + nackWaitMs(timings);
    assert.ok(nackAtMs <= timings.probeIntervalMs - 100, `${nackAtMs} ms`);
    // The dead hear of their death for longer than it took to pronounce it.
    assert.ok(timings.gossipToTheDeadMs >= suspicionBoundsMs(timings, 10).minMs);
  }
});
