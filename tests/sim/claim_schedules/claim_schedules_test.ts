/**
 * The adversarial schedules of docs/simulator.md. Each ends with everybody of one mind, every rule of whole hosts checked
 * on the way, and with what its own name says.
 */
import { deepEqual, equal } from "node:assert/strict";
import { NOT_PLAYED, rowOf, SCHEDULES } from "./catalogue.ts";
import { play } from "./play.ts";

const SEEDS = 3;
/** As many as were thought of before the protocol was written. */
const NUMBERS = 36;

for (const schedule of SCHEDULES) {
  Deno.test(`${schedule.number}: ${schedule.name}`, () => {
    for (let seed = 1; seed <= (schedule.seeds ?? SEEDS); seed++) play(schedule, seed);
  });
}

Deno.test("every number has a schedule, or a reason why it has none", () => {
  const missing = Array.from({ length: NUMBERS }, (_, index) => String(index + 1)).filter((
    number,
  ) =>
    !(number in NOT_PLAYED) &&
    !SCHEDULES.some((schedule) => schedule.number.split(".")[0] === number)
  );
  deepEqual(missing, []);
});

Deno.test("docs/simulator.md lists every schedule as it is", () => {
  const page = Deno.readTextFileSync(new URL("../../../docs/simulator.md", import.meta.url));
  const rows = page.split("\n").filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()).join(" | "));
  for (const schedule of SCHEDULES) {
    const row = rowOf(schedule).join(" | ");
    equal(rows.includes(row), true, `the page has no row "${row}"`);
  }
});
