/** Schedules in which parts of a cluster do not reach each other, and meet again. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { makePool } from "../../../mod/address/pool.ts";
import {
  between,
  type ClaimSchedule,
  hosts,
  names,
  type Story,
  unwanted,
  wanting,
} from "./play.ts";

const POOL = makePool({ network: "10.9.0.0/16", subnetLength: 24 });
const [S = ""] = unwanted(POOL, names(1, 12));
const WANT_S = wanting(POOL, [S], 3);

/** Where subnets are few, so that one can say who wants what after what. */
const SMALL = "pool 10.9.0.0/24 28";
const SMALL_POOL = makePool({ network: "10.9.0.0/24", subnetLength: 28 });
/** The first, and what they take when they do not get it. */
const [T = "", U = ""] = unwanted(SMALL_POOL, []).slice(10);
const WANT_T_THEN_U = wanting(SMALL_POOL, [T, U], 2);
const [WANTS_U = ""] = wanting(SMALL_POOL, [U], 1);
const PINNED = unwanted(SMALL_POOL, []).slice(0, 9);

/** Two clusters of five, of which the first of each wants what the first of the other wants, and so on. */
const TWINS = unwanted(SMALL_POOL, []).slice(0, 5).map((subnet) =>
  wanting(SMALL_POOL, [subnet], 2)
);

/** Everybody holds at the end what it held then. */
function expectSame(story: Story, all: readonly string[], atMs: number): void {
  for (const name of all) equal(story.claim(name).subnet, story.heldAt(name, atMs), name);
  deepEqual(story.renumbered(), []);
}

export const PARTITIONS: readonly ClaimSchedule[] = [
  {
    number: "5",
    name:
      "a link that is open in one direction only costs nobody its subnet, and newcomers at both ends get two",
    hosts: 7,
    lines: () => [
      `host h6 identity=${WANT_S[0]} seeds=h1 later=1`,
      `host h7 identity=${WANT_S[1]} seeds=h2 later=1`,
      "10000 cut h1 h2",
      "15000 boot h6",
      "15100 boot h7",
      "15100 cut h6 h7",
      "60000 heal",
    ],
    expect(story) {
      deepEqual(story.renumbered(), []);
      equal(story.holdersAtOnce(S), 1);
    },
  },
  {
    number: "6",
    name: "newcomers of two sides that only one host sees both of do not get the same subnet",
    hosts: 9,
    lines: () => {
      const [one, other] = [[...names(2, 4), "h8"], [...names(5, 7), "h9"]];
      return [
        `host h8 identity=${WANT_S[0]} seeds=h2 later=1`,
        `host h9 identity=${WANT_S[1]} seeds=h5 later=1`,
        ...between(12_000, "cut", one, other),
        "25000 boot h8",
        "26000 boot h9",
        ...between(60_000, "mend", one, other),
      ];
    },
    expect(story) {
      deepEqual(story.renumbered(), []);
      equal(story.holders(S).length, 1);
    },
  },
  {
    number: "7",
    name:
      "three sides that meet one after the other leave a contested subnet with one host, and two have moved once",
    hosts: 12,
    lines: () => [
      ...[1, 4, 7].map((seed, index) =>
        `host h${10 + index} identity=${WANT_S[index]} seeds=h${seed} later=1`
      ),
      `12000 partition ${hosts(1, 3)},h10 ${hosts(4, 6)},h11 ${hosts(7, 9)},h12`,
      ...names(10, 12).map((name) => `15000 boot ${name}`),
      `40000 partition ${hosts(1, 6)},h10,h11 ${hosts(7, 9)},h12`,
      "80000 heal",
    ],
    expect(story) {
      equal(story.holdersAtOnce(S), 3);
      equal(story.holders(S).length, 1);
      const [keeper = ""] = story.holders(S);
      const moved = names(10, 12).filter((name) => name !== keeper);
      deepEqual(story.renumbered().toSorted(), moved);
    },
  },
  {
    number: "8",
    name: "a link that flaps every two seconds for ten minutes moves nobody",
    hosts: 6,
    seeds: 1,
    lines: () =>
      Array.from(
        { length: 300 },
        (_, turn) =>
          turn % 2 === 0
            ? `${12_000 + 2_000 * turn} partition h1,h2,h3 h4,h5,h6`
            : `${12_000 + 2_000 * turn} heal`,
      ),
    expect: (story) => expectSame(story, names(1, 6), 11_900),
  },
  {
    number: "9",
    name:
      "a second contest that begins while the first one's loser is on its way ends with three subnets for three",
    hosts: 12,
    seeds: 5,
    lines: (seed) => [
      SMALL,
      ...PINNED.map((subnet, index) => `host h${1 + index} pin=${subnet}`),
      ...[1, 4].map((seed, index) =>
        `host h${10 + index} identity=${WANT_T_THEN_U[index]} seeds=h${seed} later=1`
      ),
      `host h12 identity=${WANTS_U} seeds=h7 later=1`,
      `12000 partition ${hosts(1, 3)},h10 ${hosts(4, 6)},h11 ${hosts(7, 9)},h12`,
      ...names(10, 12).map((name) => `15000 boot ${name}`),
      "39000 slow-disk h10 1500",
      "39000 slow-disk h11 1500",
      `40000 partition ${hosts(1, 6)},h10,h11 ${hosts(7, 9)},h12`,
      // A dead member is dialled again within half a minute.
      `${40_000 + 4_000 * seed} heal`,
    ],
    expect(story) {
      equal(story.holders(T).length, 1);
      equal(story.holders(U).length, 1);
      for (const name of names(1, 9)) ok(!story.renumbered().includes(name), name);
      const moved = story.renumbered();
      ok(moved.length >= 1 && moved.length <= 3, moved.join());
    },
  },
  {
    number: "19",
    name:
      "two clusters that began by themselves and meet keep one owner of each subnet, and each loser moves once",
    hosts: 11,
    lines: () => [
      SMALL,
      ...TWINS.flatMap(([one, other], index) => [
        `host h${1 + index} identity=${one} seeds=${index === 0 ? "none" : "h1"}`,
        `host h${6 + index} identity=${other} seeds=${index === 0 ? "none" : "h6"}`,
      ]),
      "host h11 seeds=h1,h6 later=1",
      "30000 boot h11",
    ],
    expect(story) {
      const moved = story.renumbered();
      equal(new Set(moved).size, moved.length, moved.join());
      ok(moved.length <= 5, moved.join());
      for (const subnet of unwanted(SMALL_POOL, []).slice(0, 5)) {
        equal(story.holders(subnet).length, 1, subnet);
      }
    },
  },
  {
    number: "34",
    name: "hosts that swap addresses, or move while they are cut off, keep their subnets",
    hosts: 6,
    lines: () => [
      "15000 swap h2 h3",
      "30000 partition h1,h2,h3 h4,h5,h6",
      "40000 move h5",
      "45000 swap h4 h6",
      "60000 heal",
    ],
    expect: (story) => expectSame(story, names(1, 6), 14_000),
  },
  {
    number: "36",
    name: "of two lone hosts with one subnet and equal claims the one with the lower hash keeps it",
    hosts: 3,
    lines: () => [
      `host h1 identity=${WANT_S[0]} seeds=none`,
      `host h2 identity=${WANT_S[1]} seeds=none`,
      "host h3 seeds=h1,h2 later=1",
      "20000 boot h3",
    ],
    expect(story) {
      equal(story.heldAt("h1", 19_000), S);
      equal(story.heldAt("h2", 19_000), S);
      equal(story.renumbered().length, 1);
      equal(story.holders(S).length, 1);
      const why = story.told.flatMap(({ event }) => event.kind === "conflict" ? [event.why] : []);
      ok(
        why.some((text) => text.includes("the lower hash of host id and subnet wins")),
        why.join(),
      );
    },
  },
];
