/** Schedules of hosts that are away, and come back to what others have made of it. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { makePool } from "../../../mod/address/pool.ts";
import { type ClaimSchedule, names, type Story, unwanted, wanting } from "./play.ts";

const POOL = makePool({ network: "10.9.0.0/16", subnetLength: 24 });
const [S = ""] = unwanted(POOL, names(1, 50));
const WANT_S = wanting(POOL, [S], 4);

/** Three subnets, and no more. */
const FULL = "pool 10.9.0.0/24 26";
const HOUR_MS = 3_600_000;
const DAY_MS = 26 * HOUR_MS;
const YEAR_MS = 365 * 24 * 3_600_000;

function expectSame(story: Story, all: readonly string[], atMs: number): void {
  for (const name of all) equal(story.claim(name).subnet, story.heldAt(name, atMs), name);
  deepEqual(story.renumbered(), []);
}

export const RETURNS: readonly ClaimSchedule[] = [
  {
    number: "11",
    name:
      "who comes back with the disk of a claim that was taken over meanwhile leaves the newcomer alone",
    hosts: 4,
    lines: () => [
      FULL,
      "host h4 later=1",
      "12000 kill h3",
      "14000 boot h4",
      "40000 forget h1 h3",
      "70000 boot h3",
    ],
    expect(story) {
      const lost = story.heldAt("h3", 11_000);
      ok(lost !== null);
      equal(story.heldAt("h4", 39_000), null);
      equal(story.claim("h4").subnet, lost);
      equal(story.claim("h3").state, "waiting");
    },
  },
  {
    number: "12",
    name:
      "a loser whose machine is set back to its snapshot, after all tombstones are gone, loses again",
    hosts: 8,
    lines: () => [
      `host h7 identity=${WANT_S[0]} seeds=h1 later=1`,
      `host h8 identity=${WANT_S[1]} seeds=h5 later=1`,
      "12000 partition h1,h2,h3,h4,h7 h5,h6,h8",
      "15000 boot h7",
      "15000 boot h8",
      "40000 heal",
      ...names(1, 8).map((name) => `100000 jump ${name} ${DAY_MS}`),
      "130000 rollback h8 100000",
    ],
    expect(story) {
      equal(story.heldAt("h7", 39_000), S);
      equal(story.heldAt("h8", 39_000), S);
      deepEqual(story.holders(S), ["h7"]);
      ok(!story.renumbered().includes("h7"));
    },
  },
  {
    number: "12.dead",
    name:
      "a loser that is dead while its contest ends moves when it is back, and the winner does not",
    hosts: 8,
    seeds: 5,
    lines: () => [
      `host h7 identity=${WANT_S[0]} seeds=h1 later=1`,
      `host h8 identity=${WANT_S[1]} seeds=h5 later=1`,
      "12000 partition h1,h2,h3,h4,h7 h5,h6,h8",
      "15000 boot h7",
      "15000 boot h8",
      "50000 kill h8",
      "60000 heal",
      "200000 boot h8",
    ],
    expect(story) {
      equal(story.heldAt("h8", 49_000), S);
      deepEqual(story.holders(S), ["h7"]);
      equal(story.heldAfter("h7", 59_900), Infinity);
      deepEqual(story.renumbered(), ["h8"]);
    },
  },
  {
    number: "15",
    name:
      "who wakes after 26 hours of sleep and goes on at once has its subnet, and so have all others",
    hosts: 5,
    lines: () => [
      "20000 pause h3",
      `40000 jump h3 ${DAY_MS}`,
      "40000 resume h3",
    ],
    expect: (story) => expectSame(story, names(1, 5), 19_000),
  },
  {
    number: "16",
    name: "clocks that jump a year ahead or run too fast move nobody",
    hosts: 5,
    lines: () => [
      `20000 jump h3 ${YEAR_MS}`,
      "20000 drift h4 1.05",
      `30000 jump h1 ${YEAR_MS}`,
      "60000 drift h4 1",
    ],
    expect: (story) => expectSame(story, names(1, 5), 19_000),
  },
  {
    number: "17",
    name: "fifty hosts that are killed and started again within five seconds have the same subnets",
    hosts: 50,
    seeds: 1,
    checksSteps: false,
    lines: () => [
      "start-within 2000",
      "seed-hosts 2",
      ...names(1, 50).map((name, index) => `${15_000 + 20 * index} kill ${name}`),
      ...names(1, 50).map((name, index) => `${16_000 + 97 * ((index * 17) % 50)} boot ${name}`),
    ],
    expect: (story) => expectSame(story, names(1, 50), 14_900),
  },
  {
    number: "17.new",
    name:
      "forty new hosts that start within a second, with two of them as seeds, hold subnets five seconds later",
    hosts: 40,
    seeds: 2,
    checksSteps: false,
    lines: () => ["seed-hosts 2"],
    expect(story) {
      for (const name of names(1, 40)) ok(story.heldAfter(name, 0) < 6_000, name);
      deepEqual(story.renumbered(), []);
    },
  },
  {
    number: "18",
    name: "a new host whose seeds are all down waits for ever, and joins when one is there",
    hosts: 6,
    lines: () => [
      "seed-hosts 2",
      "host h6 later=1",
      "10000 kill h1",
      "10000 kill h2",
      "15000 boot h6",
      "90000 boot h2",
      "91000 boot h1",
    ],
    expect(story) {
      ok(story.heldAfter("h6", 0) > 90_000);
      equal(story.claim("h6").state, "held");
      deepEqual(story.renumbered(), []);
    },
  },
  {
    number: "21",
    name: "of three that wait for one subnet that comes free one gets it, and two go on waiting",
    hosts: 6,
    lines: () => [
      FULL,
      ...names(4, 6).map((name) => `host ${name} later=1`),
      ...names(4, 6).map((name) => `15000 boot ${name}`),
      "30000 kill h2",
      "60000 forget h1 h2",
    ],
    expect(story) {
      const states = names(4, 6).map((name) => story.claim(name).state).toSorted();
      deepEqual(states, ["held", "waiting", "waiting"]);
      ok(names(4, 6).every((name) => story.heldAt(name, 59_900) === null));
    },
  },
  {
    number: "21.absent",
    name:
      "of two that wait one gets the subnet of a host that was away for its absence time, and it waits when it is back",
    hosts: 5,
    seeds: 1,
    checksSteps: false,
    lines: () => [
      FULL,
      ...names(4, 5).map((name) => `host ${name} later=1`),
      ...names(4, 5).map((name) => `15000 boot ${name}`),
      "30000 kill h2",
      `${30_000 + HOUR_MS - 60_000} network lossRate=0`,
      `${30_000 + HOUR_MS + 300_000} boot h2`,
    ],
    during(run) {
      const { cluster } = run.hosts;
      cluster.after(0, () => {
        for (const host of cluster.hosts) {
          run.hosts.configure(host, { seeds: run.hosts.seedsOf(host), absenceTtlHours: 1 });
        }
      });
    },
    expect(story) {
      const lost = story.heldAt("h2", 29_000) ?? "";
      const takers = names(4, 5).filter((name) => story.claim(name).subnet === lost);
      equal(takers.length, 1);
      ok(story.heldAfter(takers[0] ?? "", 0) > HOUR_MS);
      equal(story.claim("h2").state, "waiting");
      for (const name of ["h1", "h3"]) equal(story.claim(name).state, "held");
    },
  },
  {
    number: "22",
    name:
      "an owner that is back while its subnet is being taken has it, or has lost it, but never shares it",
    hosts: 4,
    seeds: 20,
    lines: (seed) => [
      FULL,
      "host h4 later=1",
      "12000 kill h3",
      "14000 boot h4",
      "38000 network delayMs=20",
      "40000 forget h1 h3",
      // From before the newcomer hears of it until after it holds.
      `${39_960 + 10 * seed} boot h3`,
    ],
    expect(story) {
      const lost = story.heldAt("h3", 11_000) ?? "";
      equal(story.holders(lost).length, 1);
      const states = ["h3", "h4"].map((name) => story.claim(name).state).toSorted();
      deepEqual(states, ["held", "waiting"]);
    },
  },
  {
    number: "23",
    name:
      "an owner that stands still while its subnet is being taken never shares it for long when it moves again",
    hosts: 4,
    seeds: 8,
    lines: (seed) => [
      FULL,
      "host h4 later=1",
      "14000 boot h4",
      "20000 pause h3",
      "38000 network delayMs=20",
      "40000 forget h1 h3",
      `${39_970 + 20 * seed} resume h3`,
    ],
    expect(story) {
      const lost = story.heldAt("h3", 11_000) ?? "";
      equal(story.holders(lost).length, 1);
      const states = ["h3", "h4"].map((name) => story.claim(name).state).toSorted();
      deepEqual(states, ["held", "waiting"]);
    },
  },
  {
    number: "23.late",
    name:
      "a subnet that was forgotten and taken stays taken when its former owner moves again and finds old questions",
    hosts: 4,
    seeds: 4,
    lines: () => [
      FULL,
      "host h4 later=1",
      "14000 boot h4",
      "20000 pause h3",
      "40000 forget h1 h3",
      "60000 resume h3",
    ],
    expect(story) {
      const lost = story.heldAt("h3", 11_000) ?? "";
      equal(story.heldAt("h4", 59_000), lost);
      deepEqual(story.holders(lost), ["h4"]);
      equal(story.heldAfter("h4", 60_000), Infinity);
      equal(story.claim("h3").state, "waiting");
    },
  },
  {
    number: "24",
    name: "a released subnet rests for ten minutes while others are free, and is then given again",
    hosts: 7,
    seeds: 2,
    lines: () => [
      `host h3 identity=${WANT_S[0]}`,
      `host h6 identity=${WANT_S[1]} later=1`,
      `host h7 identity=${WANT_S[2]} later=1`,
      "20000 release h3",
      "30000 boot h6",
      "640000 boot h7",
    ],
    expect(story) {
      equal(story.heldAt("h3", 19_000), S);
      ok(story.claim("h6").subnet !== S);
      equal(story.claim("h7").subnet, S);
      deepEqual(story.renumbered(), []);
    },
  },
  {
    number: "24.full",
    name: "a released subnet is given again at once when nothing else is free",
    hosts: 4,
    lines: () => [FULL, "host h4 later=1", "20000 release h3", "25000 boot h4"],
    expect(story) {
      equal(story.claim("h4").subnet, story.heldAt("h3", 19_000));
      ok(story.heldAfter("h4", 25_000) < 60_000);
    },
  },
];
