/** How figures of several runs are summed up. */
import assert from "node:assert/strict";
import { quantile } from "../../../mod/sim/statistics.ts";

Deno.test("a quantile is the least measured value that so many do not exceed", () => {
  const values = [5, 1, 4, 2, 3];
  const rows: [number, number][] = [[0, 1], [0.2, 1], [0.21, 2], [0.5, 3], [0.8, 4], [0.999, 5]];
  for (const [share, value] of rows) assert.equal(quantile(values, share), value);
  assert.deepEqual(values, [5, 1, 4, 2, 3]); // not sorted in place
});

Deno.test("without values there is no quantile", () => {
  assert.equal(quantile([], 0.5), NaN);
});
