/** Schedules in which hosts ask for subnets while others do, or while their questions get lost. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { makePool } from "../../../mod/address/pool.ts";
import { guardiansOf } from "../../../mod/claim/rendezvous.ts";
import type { Member } from "../../../mod/swim/member.ts";
import { between, type ClaimSchedule, idOf, names, unwanted, wanting } from "./play.ts";

const POOL = makePool({ network: "10.9.0.0/16", subnetLength: 24 });
const NEWCOMERS = 8;
/** More than are asked by letter, so that a subnet's guardians decide. */
const MANY = 66;

const [S = ""] = unwanted(POOL, names(1, MANY));
const WANT_S = wanting(POOL, [S], NEWCOMERS);

/** Two newcomers each, of whom one does not see so many of the guardians. */
const PAIRS = [1, 2, 3].map((differing) => {
  const subnet = unwanted(POOL, names(1, MANY))[differing] ?? "";
  const first = MANY + 2 * differing - 1;
  return {
    differing,
    subnet,
    identities: wanting(POOL, [subnet], 2),
    newcomers: names(first, first + 1),
  };
});

function guardiansAmong(count: number, subnet = S): string[] {
  const members = names(1, count).map((name): Member => ({
    id: idOf(name),
    name,
    endpoint: "192.0.2.1:7947",
    incarnation: 0,
    instance: "00000000000000aa",
    status: "alive",
    version: "0.0.0",
    protocolMin: 1,
    protocolMax: 1,
    features: 0,
    statusSinceMs: 0,
  }));
  return guardiansOf(subnet, members).map(({ name }) => name);
}

export const CONTENTION: readonly ClaimSchedule[] = [
  {
    number: "1",
    name: "eight newcomers that all want one subnet get eight",
    hosts: 5 + NEWCOMERS,
    lines: () => [
      ...WANT_S.map((identity, index) => `host h${6 + index} identity=${identity} later=1`),
      ...names(6, 5 + NEWCOMERS).map((name) => `20000 boot ${name}`),
    ],
    expect(story) {
      equal(story.holders(S).length, 1);
      equal(story.holdersAtOnce(S), 1);
      deepEqual(story.renumbered(), []);
      for (const name of names(6, 5 + NEWCOMERS)) ok(story.heldAfter(name, 20_000) < 40_000, name);
    },
  },
  {
    number: "2",
    name:
      "a question that no guardian hears is answered by none, and still nobody takes the subnet twice",
    hosts: MANY + 2,
    seeds: 1,
    checksSteps: false,
    lines: () => {
      const guardians = guardiansAmong(MANY);
      return [
        "start-within 2000",
        `host h${MANY + 1} identity=${WANT_S[0]} later=1`,
        `host h${MANY + 2} identity=${WANT_S[1]} later=1`,
        ...between(7_900, "cut", [`h${MANY + 1}`], guardians),
        `8000 boot h${MANY + 1}`,
        `9500 boot h${MANY + 2}`,
        ...between(20_000, "mend", [`h${MANY + 1}`], guardians),
      ];
    },
    expect(story) {
      equal(story.holders(S).length, 1);
      equal(story.holdersAtOnce(S), 1);
      deepEqual(story.renumbered(), []);
      ok(story.heldAfter(`h${MANY + 1}`, 8_000) < 20_000);
    },
  },
  {
    number: "3",
    name: "a partition that begins while two ask for one subnet costs at most one of them a move",
    hosts: 8,
    seeds: 6,
    lines: (seed) => [
      `host h7 identity=${WANT_S[0]} seeds=h1 later=1`,
      `host h8 identity=${WANT_S[1]} seeds=h4 later=1`,
      "15000 network delayMs=100",
      "20000 boot h7",
      "20000 boot h8",
      `${20_300 + 150 * seed} partition h1,h2,h3,h7 h4,h5,h6,h8`,
      "60000 heal",
    ],
    expect(story) {
      ok(story.renumbered().length <= 1, story.renumbered().join());
      const doubled = story.heldAt("h7", 59_000) === S && story.heldAt("h8", 59_000) === S;
      equal(story.renumbered().length, doubled ? 1 : 0);
      for (const name of names(1, 6)) ok(!story.renumbered().includes(name));
    },
  },
  {
    number: "4",
    name: "a partition that ends while two ask for one subnet costs nobody a move",
    hosts: 8,
    seeds: 6,
    lines: (seed) => [
      `host h7 identity=${WANT_S[0]} seeds=h1 later=1`,
      `host h8 identity=${WANT_S[1]} seeds=h4 later=1`,
      "19500 partition h1,h2,h3,h7 h4,h5,h6,h8",
      "20000 boot h7",
      "20000 boot h8",
      `${20_000 + 500 * seed} heal`,
    ],
    expect(story) {
      const healAtMs = story.run?.hosts.cluster.nowMs ?? 0;
      ok(healAtMs > 0);
      deepEqual(story.renumbered(), []);
      equal(story.holders(S).length, 1);
    },
  },
  {
    number: "10",
    name:
      "who crashes while it asks holds something else or the same when it is back, and stands in nobody's way",
    hosts: 7,
    seeds: 5,
    lines: (seed) => [
      `host h6 identity=${WANT_S[0]} later=1`,
      `host h7 identity=${WANT_S[1]} later=1`,
      "15000 network delayMs=50",
      "20000 boot h6",
      `${20_000 + 130 * seed} kill h6`,
      "21500 boot h7",
      "40000 boot h6",
    ],
    expect(story) {
      deepEqual(story.renumbered(), []);
      ok(story.heldAfter("h7", 21_500) < 39_000);
    },
  },
  {
    number: "28",
    name: "a claimant and a member in a bad state of health take longer, and take nothing twice",
    hosts: 8,
    lines: () => {
      const others = names(1, 6).filter((name) => name !== "h2");
      const bad = ["h2", "h7"].flatMap((one) => [...others, "h8"].map((other) => [one, other]));
      return [
        `host h7 identity=${WANT_S[0]} later=1`,
        `host h8 identity=${WANT_S[1]} later=1`,
        ...bad.map(([from, to]) => `12000 link ${from} ${to} lossRate=0.6`),
        ...bad.map(([from, to]) => `12000 link ${to} ${from} lossRate=0.6`),
        "20000 boot h7",
        "24000 boot h8",
        "70000 heal",
      ];
    },
    expect(story) {
      equal(story.holders(S).length, 1);
      for (const name of names(1, 6)) ok(!story.renumbered().includes(name));
      ok(story.heldAfter("h8", 24_000) < 70_000);
    },
  },
  {
    number: "33",
    name:
      "pairs that want one subnet and see 1, 2 or 3 of its five guardians differently do not both get it",
    hosts: MANY + 6,
    seeds: 1,
    checksSteps: false,
    lines: () => [
      "start-within 2000",
      ...PAIRS.flatMap(({ differing, subnet, identities, newcomers }) => {
        const [first = "", second = ""] = newcomers;
        const guardians = guardiansAmong(MANY, subnet).slice(0, differing);
        return [
          `host ${first} identity=${identities[0]} later=1`,
          `host ${second} identity=${identities[1]} later=1`,
          ...between(7_900, "cut", [first], guardians),
          `8000 boot ${first}`,
          `8000 boot ${second}`,
          ...between(20_000, "mend", [first], guardians),
        ];
      }),
    ],
    expect(story) {
      for (const { subnet, newcomers } of PAIRS) {
        equal(story.holdersAtOnce(subnet), 1);
        for (const name of newcomers) ok(story.heldAfter(name, 8_000) < 20_000, name);
      }
      deepEqual(story.renumbered(), []);
    },
  },
];
