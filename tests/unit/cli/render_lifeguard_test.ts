/** The Lifeguard experiment as people read it. */
import assert from "node:assert/strict";
import { plainPaint } from "../../../mod/cli/paint.ts";
import { renderLifeguard } from "../../../mod/cli/render_lifeguard.ts";
import type { LifeguardRow } from "../../../mod/sim/scenarios/lifeguard.ts";
import { LAN_TIMINGS } from "../../../mod/swim/timings.ts";

const SWIM: LifeguardRow = {
  configuration: "SWIM",
  falsePositives: 120,
  healthyFalsePositives: 100,
  slowDeclaredDead: 60,
  firstDetectionMs: { p50: 10_440, p99: 12_000, p999: 12_000 },
  disseminationMs: { p50: 10_900, p99: 13_040, p999: 13_040 },
  crashes: 8,
  missedCrashes: 0,
  messages: 4,
  bytes: 1200,
  healthyByAnomalies: [100],
};

Deno.test("the experiment reads as a table, the anomalies, and what holds", () => {
  const lifeguard = { ...SWIM, configuration: "Lifeguard", healthyFalsePositives: 6 };
  const report = {
    grid: {
      hosts: 128,
      timings: LAN_TIMINGS,
      anomalies: [{ members: 4, durationMs: 16_384, intervalMs: 1024 }],
      seeds: [1, 2],
    },
    rows: [SWIM, lifeguard],
    marks: [
      { name: "messages", ratio: 1, ratioMax: 1.15, holds: true },
      { name: "false verdicts", ratio: 0.06, ratioMax: 0.05, holds: false },
    ],
  };
  assert.equal(
    renderLifeguard(report, plainPaint),
    `128 hosts, suspicion multiplier 4, seeds 1, 2

CONFIGURATION  FP   FP-  SLOW  FIRST 50/99/99.9 %  ALL 50/99/99.9 %    MISSED  MESSAGES  BYTES
SWIM           120  100  60    10.4 / 12.0 / 12.0  10.9 / 13.0 / 13.0  0 of 8  4.00      1200
Lifeguard      120  6    60    10.4 / 12.0 / 12.0  10.9 / 13.0 / 13.0  0 of 8  4.00      1200

FP: events that call a healthy member dead; FP-: those at healthy members
SLOW: events at healthy members that call a member dead which is only slow
FIRST, ALL: seconds from a real crash until the first, and every, healthy member calls it dead
MESSAGES, BYTES: sent per member and second

False verdicts at healthy members, by what the slow ones suffer for two minutes:
ANOMALIES                                     SWIM  Lifeguard
4 blocked for 16384 ms, with 1024 ms between  100   100

Lifeguard / SWIM, messages        1.000  at most 1.15  holds
Lifeguard / SWIM, false verdicts  0.060  at most 0.05  does not hold
`,
  );
});
