/** How benchmarks sum up what they measured. */
import assert from "node:assert/strict";
import { figureTable, spreadOf, spreadText } from "../../../scripts/bench/statistics.ts";

Deno.test("a spread has the median of the runs, odd or even, in any order", () => {
  assert.deepEqual(spreadOf([5, 1, 9]), { median: 5, least: 1, most: 9, runs: 3 });
  assert.deepEqual(spreadOf([4, 1, 2, 10]), { median: 3, least: 1, most: 10, runs: 4 });
});

Deno.test("spreads print median, range and number of runs", () => {
  assert.equal(spreadText(spreadOf([43.26, 38.34, 53.31])), "43.3 (38.3-53.3), n = 3");
  assert.equal(spreadText(spreadOf([0.1234]), 3), "0.123");
});

Deno.test("figures make a table whose columns line up", () => {
  const lines = figureTable([
    { name: "join, ms", measured: "43", aim: "< 50", rivals: "flannel 43" },
    { name: "x", measured: "1", aim: "-", rivals: "-" },
  ]).split("\n");
  assert.equal(lines.length, 4);
  assert.equal(new Set(lines.map((line) => line.length)).size, 1);
  assert.match(lines[2] ?? "", /^\| join, ms \| 43 +\| < 50 \| flannel 43 \|$/);
});
