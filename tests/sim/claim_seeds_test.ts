/** Schedules of whole hosts in which the simulator once found a bug, and a few random ones: all pass, and run the same again. */
import assert from "node:assert/strict";
import { generateClaims } from "../../mod/sim/generate_claims.ts";
import { runHosts } from "../../mod/sim/host_run.ts";
import { runSchedule } from "../../mod/sim/run.ts";
import { formatSchedule, parseSchedule } from "../../mod/sim/schedule.ts";

/** What each of them showed, by its smallest scenario. */
const FOUND: Readonly<Record<string, string>> = {
  "who wins against a host that is gone for good is routed to by everybody": `
    seed 268
    hosts 9
    start-within 0
    claims 1
    pool 10.9.0.0/25 28
    2257 kill h5
    2257 kill h1
    2257 replace h5
    2257 replace h1`,
  "a newcomer that met only newcomers asks those who know the cluster as soon as they are there": `
    seed 949
    hosts 6
    seed-hosts 3
    start-within 2673
    claims 1
    pool 10.9.0.0/23 28
    10606 kill h4
    11311 move h3
    11799 move h6
    11799 kill h2
    11799 kill h6
    11799 kill h1
    12023 replace h1
    12128 move h2
    19292 replace h6`,
  "a founder that lost its identity to a clone goes on without the hosts that it remembers": `
    seed 991
    hosts 3
    start-within 0
    claims 1
    pool 10.9.0.0/16 24
    2 clone h2 h3
    2750 kill h1
    2750 clone h1 h2
    2750 clone h1 h3
    2750 boot h1`,
};

for (const [what, scenario] of Object.entries(FOUND)) {
  Deno.test(what, () => assert.equal(runSchedule(parseSchedule(scenario)).failure, null));
}

for (const seed of [118, 141, 207, 246, 250, 476, 709]) {
  Deno.test(`seed ${seed} of whole hosts, which once broke a rule, passes`, () => {
    const schedule = generateClaims(seed, { hosts: 3 + (seed * 7) % 10 });
    assert.equal(runHosts(schedule).failure, null);
  });
}

Deno.test("the same schedule of whole hosts gives the same run, also when it was written and read", () => {
  const schedule = generateClaims(7, { hosts: 5 });
  const { fingerprint } = runHosts(schedule);
  assert.equal(runHosts(schedule).fingerprint, fingerprint);
  assert.equal(runSchedule(parseSchedule(formatSchedule(schedule))).fingerprint, fingerprint);
  assert.notEqual(runHosts({ ...schedule, seed: 8 }).fingerprint, fingerprint);
});
