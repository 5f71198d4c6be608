/** The adversarial schedules of docs/simulator.md, each with what must have come of it. */
import { CONTENTION } from "./contention.ts";
import { DISTURBANCES } from "./disturbances.ts";
import { PARTITIONS } from "./partitions.ts";
import { play } from "./play.ts";
import { RETURNS } from "./returns.ts";

const SEEDS = 3;

for (const schedule of [...CONTENTION, ...PARTITIONS, ...RETURNS, ...DISTURBANCES]) {
  Deno.test(`${schedule.number}: ${schedule.name}`, () => {
    for (let seed = 1; seed <= (schedule.seeds ?? SEEDS); seed++) play(schedule, seed);
  });
}
