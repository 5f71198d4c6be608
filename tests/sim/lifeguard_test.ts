/** The Lifeguard experiment in small: the parts that make it honest, and the marks of the whole. */
import assert from "node:assert/strict";
import {
  CONFIGURATIONS,
  lifeguardExperiment,
  type LifeguardGrid,
} from "../../mod/sim/scenarios/lifeguard.ts";
import { LAN_TIMINGS } from "../../mod/swim/timings.ts";

const GRID: LifeguardGrid = {
  hosts: 48,
  timings: LAN_TIMINGS,
  anomalies: [
    { members: 4, durationMs: 32_768, intervalMs: null },
    { members: 4, durationMs: 16_384, intervalMs: 1024 },
  ],
  seeds: [1],
};

Deno.test("slow members have healthy ones declared dead in SWIM, and hardly in Lifeguard", () => {
  const both = CONFIGURATIONS.filter(({ name }) => name === "SWIM" || name === "Lifeguard");
  const { rows, marks } = lifeguardExperiment(GRID, () => {}, both);
  const [swim, lifeguard] = rows;
  assert(swim !== undefined && lifeguard !== undefined);
  // Without many false verdicts there the experiment would show nothing.
  assert.ok(swim.healthyFalsePositives > 1000, `${swim.healthyFalsePositives} false verdicts`);
  assert.ok(swim.falsePositives > swim.healthyFalsePositives, "slow members judge as well");
  for (const { name, ratio, ratioMax, holds } of marks) {
    assert.ok(holds, `${name}: ${ratio} of SWIM's, more than ${ratioMax}`);
  }
  for (const { crashes, missedCrashes, slowDeclaredDead } of rows) {
    assert.deepEqual([crashes, missedCrashes], [16, 0]);
    assert.ok(slowDeclaredDead > 0, "half a minute of silence is a death");
  }
});

Deno.test("the experiment gives the same figures again from the same seeds", () => {
  const grid = {
    ...GRID,
    hosts: 16,
    anomalies: [{ members: 2, durationMs: 8192, intervalMs: 64 }],
  };
  const run = () => lifeguardExperiment(grid, () => {}, CONFIGURATIONS.slice(-1));
  assert.deepEqual(run(), run());
});
