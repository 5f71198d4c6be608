/** Documents of `gossamer simulate --json`, as a run might give them. */
import type { SimulationDocument } from "../../mod/cli/render_simulation.ts";
import type { Meaning } from "../../mod/cli/paint.ts";

/** Meanings that a person can read in a file. */
export function markedPaint(meaning: Meaning, text: string): string {
  return `<${meaning}>${text}</${meaning}>`;
}

export const SIMULATION: SimulationDocument = {
  schema: 1,
  scenario: "tour",
  seed: 1,
  hosts: 20,
  lossRate: 0.05,
  chapters: [
    { atMs: 0, text: "start", noticedAfterMs: 80, knownAfterMs: 1700 },
    { atMs: 10_000, text: "kill h20", noticedAfterMs: 2960, knownAfterMs: 8400 },
    { atMs: 70_000, text: "kill h14", noticedAfterMs: null, knownAfterMs: null },
    { atMs: 70_000, text: "kill h15", noticedAfterMs: 1700, knownAfterMs: null },
    {
      atMs: 130_000,
      text: "partition h1,h2,h3,h4,h5,h6,h7,h8,h9,h10,h11,h12,h13",
      noticedAfterMs: null,
      knownAfterMs: 14_500,
    },
  ],
  virtualMs: 263_300,
  steps: 21_875,
  bytesPerHostPerSecond: 230.6,
  settledAfterMs: 300,
  fingerprint: "21875-0123abcd",
  failure: null,
};

export const SIMULATION_FAILED: SimulationDocument = {
  ...SIMULATION,
  chapters: SIMULATION.chapters.slice(0, 2),
  lossRate: 0,
  settledAfterMs: null,
  failure: {
    rule: "false-death",
    message: "false-death at 41313.2 ms: h17 declares h2 dead@1, which is well and connected",
    scenario: "# false-death at 20.0 ms\nseed 1\nhosts 3\n10 kill h2\n",
  },
};
