/** Formulas against values that were worked out elsewhere. */
import assert from "node:assert/strict";
import {
  convergence,
  convergenceTimeMs,
  detectionTimeMs,
  firstWave,
  meanField,
} from "../../../mod/sim/theory.ts";

Deno.test("convergence as serf's simulator shows it: members, seconds to 99, 99.9 and 99.99 %", () => {
  // Read off whole rounds of 0.2 s with a fanout of 3 and no loss.
  const rows: [number, number[]][] = [
    [10, [1.0, 1.4, 1.6]],
    [1000, [1.6, 2.0, 2.2]],
    [5000, [1.8, 2.2, 2.4]],
  ];
  for (const [members, seconds] of rows) {
    const rounds = [0.99, 0.999, 0.9999].map((share) =>
      Math.ceil(convergenceTimeMs(members, share) / 200)
    );
    assert.deepEqual(rounds.map((round) => round / 5), seconds, `${members} members`);
  }
});

Deno.test("the time to a share is the inverse of the share at a time", () => {
  for (const share of [0.1, 0.5, 0.999]) {
    const timeMs = convergenceTimeMs(1000, share);
    assert.ok(Math.abs(convergence(1000, timeMs) - share) < 1e-12);
  }
});

Deno.test("mean field: rounds to half of the members and to 99 %", () => {
  // Worked out apart from this code, for a fanout of 3.
  const rows: [number, number, number][] = [[10, 2, 4], [100, 4, 6], [1000, 5, 7], [5000, 6, 8]];
  for (const [members, half, most] of rows) {
    const first = (share: number) =>
      [...Array(20).keys()].find((rounds) => meanField(members, rounds, 3) >= share);
    assert.deepEqual([first(0.5), first(0.99)], [half, most], `${members} members`);
  }
});

Deno.test("a first wave with a fanout of 3 reaches 94 %", () => {
  assert.ok(Math.abs(firstWave(3) - 0.9405) < 1e-4, `${firstWave(3)}`);
  assert.ok(firstWave(1) < 0.1); // one each dies out
});

Deno.test("a crash among 1,000 counts as dead after 13.7 seconds in half of all cases", () => {
  assert.equal(Math.round(detectionTimeMs(1000, 0.5)), 12_000 + 1000 + 693);
  assert.equal(detectionTimeMs(10, 0), 5000);
});
