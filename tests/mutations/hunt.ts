/**
 * Runs inside a copy of the product: plays one seed after another until a rule does not hold. Prints what it found as
 * one line of JSON; prints nothing when all seeds passed.
 *
 * Arguments: first seed, step between seeds, number of seeds.
 */
import { generateSchedule } from "../../mod/sim/generate.ts";
import { runMembership } from "../../mod/sim/membership_run.ts";

/** Small clusters show a broken rule as well as large ones, and sooner. */
const HOSTS = [5, 9, 14] as const;
const DURATION_MS = 45_000;

const [first = 1, step = 1, count = 1] = Deno.args.map(Number);
for (let number = 0; number < count; number++) {
  const seed = first + number * step;
  const hosts = HOSTS[seed % HOSTS.length] ?? 5;
  const { failure } = runMembership(generateSchedule(seed, { hosts, durationMs: DURATION_MS }));
  if (failure === null) continue;
  console.log(JSON.stringify({ seed, ...failure }));
  break;
}
