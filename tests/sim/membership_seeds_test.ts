/** Schedules in which the simulator once found a bug, and a few random ones: all pass, and the same seed runs the same. */
import assert from "node:assert/strict";
import { generateSchedule } from "../../mod/sim/generate.ts";
import { runMembership } from "../../mod/sim/membership_run.ts";
import { parseSchedule } from "../../mod/sim/schedule.ts";
import { SCENARIOS } from "../../mod/sim/scenarios/all.ts";

/** What each of them showed, by its smallest scenario. */
const FOUND: Readonly<Record<string, string>> = {
  "hosts that lost their disks, known by an earlier process of the same incarnation, are known anew":
    `
    seed 7021
    hosts 3
    start-within 0
    0 kill h3
    1 kill h1
    1 reinstall h1
    1 reinstall h3`,
  "a host that slept through its deadline accuses nobody whom no helper has tried": `
    seed 1207
    hosts 5
    start-within 2000
    3437 kill h5
    3528 pause h3
    4532 resume h3`,
  "who leaves and returns within a suspicion declares nobody without having suspected": `
    seed 37
    hosts 20
    start-within 190
    43037 leave h18
    44914 pause h5
    51777 leave h3
    52146 join h3`,
  "who stood still at the end of a suspicion hears the refutation that waits before it declares anybody":
    `
    seed 626
    hosts 20
    seed-hosts 3
    start-within 2390
    sealed 1
    18197 pause h1
    23893 pause h3
    23893 resume h1
    66116 resume h3`,
  "a split under loss ends with everybody alive": `
    seed 6013
    hosts 9
    start-within 0
    0 network lossRate=0.4
    0 partition h8,h1,h4,h2,h3
    18498 heal`,
};

for (const [what, scenario] of Object.entries(FOUND)) {
  Deno.test(what, () => assert.equal(runMembership(parseSchedule(scenario)).failure, null));
}

/** A flapping network once gave some members two turns in a lap: 42 is its seed, with 20 hosts. */
for (const seed of [42, 92, 122, 137]) {
  Deno.test(`seed ${seed}, which once broke a rule, passes`, () => {
    assert.equal(runMembership(generateSchedule(seed, { hosts: 20 })).failure, null);
  });
}

for (const scenario of SCENARIOS) {
  Deno.test(`scenario ${scenario.name} passes with 2 and with 7 hosts`, () => {
    for (const hosts of [2, 7]) {
      assert.equal(runMembership(scenario.schedule({ hosts, seed: 1 })).failure, null);
    }
  });
}

Deno.test("the same schedule gives the same run, another seed another one", () => {
  const schedule = generateSchedule(7, { hosts: 7 });
  const { fingerprint } = runMembership(schedule);
  assert.equal(runMembership(schedule).fingerprint, fingerprint);
  assert.notEqual(runMembership({ ...schedule, seed: 8 }).fingerprint, fingerprint);
});
