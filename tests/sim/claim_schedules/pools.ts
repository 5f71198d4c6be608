/** Schedules in which operators change the pool while the cluster is in two, or while who is concerned is away. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { isInPool, makePool } from "../../../mod/address/pool.ts";
import { type ClaimSchedule, idOf, names, type Story, unwanted, wanting } from "./play.ts";

const POOL = makePool({ network: "10.9.0.0/16", subnetLength: 24 });
const [S = ""] = unwanted(POOL, names(1, 12));
const WANT_S = wanting(POOL, [S], 1);

/** To whom the record that all have in the end pins the subnet; fails when they have different ones. */
function pinnedTo(story: Story, subnet: string, count: number): string | undefined {
  const pins = names(1, count).map((name) =>
    story.claim(name).poolRecord?.pins.find((pin) => pin.subnet === subnet)?.hostId
  );
  equal(new Set(pins).size, 1, pins.join());
  return pins[0];
}

export const POOLS: readonly ClaimSchedule[] = [
  {
    number: "29.record",
    name:
      "two sides of a partition that are given different networks end with those of one side, and nobody moves",
    hosts: 8,
    lines: (seed) => [
      "pool 10.9.0.0/25 28",
      "host h7 seeds=h1 later=1",
      "host h8 seeds=h4 later=1",
      "15000 partition h1,h2,h3,h7 h4,h5,h6,h8",
      "20000 pool h1 reserve 10.9.0.0/25",
      "20000 pool h4 reserve 10.9.0.0/25",
      "21000 pool h2 add 10.8.0.0/27",
      "21000 pool h5 add 10.7.0.0/27",
      // Of equal versions the digest decides, else the higher one.
      ...(seed === 1 ? [] : [`22000 pool h${seed === 2 ? 3 : 6} unreserve 10.9.0.0/25`]),
      "22500 network lossRate=0",
      ...(seed === 1 ? [] : [`23000 pool h${seed === 2 ? 3 : 6} reserve 10.9.0.0/25`]),
      "30000 boot h7",
      "30000 boot h8",
      "60000 heal",
    ],
    expect(story) {
      deepEqual([story.heldAt("h7", 59_000), story.heldAt("h8", 59_000)], [
        "10.8.0.16/28",
        "10.7.0.16/28",
      ]);
      deepEqual(story.renumbered(), []);
      const added = new Set(names(1, 8).map((name) => story.claim(name).pool.added.join()));
      equal(added.size, 1, [...added].join(" and "));
      const outside = ["h7", "h8"].filter((name) => {
        const { pool, subnet } = story.claim(name);
        return subnet !== null && !isInPool(pool, subnet);
      });
      equal(outside.length, 1);
      for (const name of names(1, 8)) {
        ok(story.claim(name).problems.some(({ code }) => code === "subnet-outside-pool"), name);
      }
    },
  },
  {
    number: "31.record",
    name:
      "a subnet that all of one side pin to a host, and a host of the other side holds, goes over when they meet",
    hosts: 6,
    lines: () => [
      `host h2 identity=${WANT_S[0]}`,
      "15000 partition h2,h3 h1,h4,h5,h6",
      `20000 pool h1 pin h4 ${S}`,
      "30000 kill h4",
      "31000 boot h4",
      "60000 heal",
    ],
    expect(story) {
      equal(story.heldAt("h2", 59_900), S);
      equal(story.heldAt("h4", 59_900), null);
      deepEqual(story.holders(S), ["h4"]);
      equal(story.holdersAtOnce(S), 1);
      deepEqual(story.renumbered().toSorted(), ["h2", "h4"]);
    },
  },
  {
    number: "31.away",
    name:
      "who is back after its subnet was pinned to another host leaves it to that one, and moves once",
    hosts: 6,
    lines: () => [
      `host h2 identity=${WANT_S[0]}`,
      "15000 kill h2",
      `20000 pool h1 pin h4 ${S}`,
      "30000 kill h4",
      "31000 boot h4",
      "60000 boot h2",
    ],
    expect(story) {
      equal(story.heldAt("h4", 59_900), null);
      deepEqual(story.holders(S), ["h4"]);
      equal(story.holdersAtOnce(S), 1);
      deepEqual(story.renumbered().toSorted(), ["h2", "h4"]);
    },
  },
  {
    number: "31.both",
    name:
      "a subnet that each side pins to a host of its own is the one's that all pin it to, in the end",
    hosts: 6,
    seeds: 6,
    lines: (seed) => [
      "15000 partition h1,h2,h3 h4,h5,h6",
      `20000 pool h1 pin h2 ${S}`,
      `20000 pool h4 pin h5 ${S}`,
      // One side may have changed more, whoever asked for the subnet first.
      ...(seed > 2 ? [`21000 pool h${seed % 2 === 0 ? 3 : 6} reserve 10.9.255.0/24`] : []),
      `${24_000 + 1_000 * (seed % 3)} kill h2`,
      "25000 kill h5",
      `${26_000 + 1_000 * (seed % 3)} boot h2`,
      "27000 boot h5",
      "60000 heal",
    ],
    expect(story) {
      deepEqual([story.heldAt("h2", 59_000), story.heldAt("h5", 59_000)], [S, S]);
      const [winner, loser] = pinnedTo(story, S, 6) === idOf("h2") ? ["h2", "h5"] : ["h5", "h2"];
      deepEqual(story.holders(S), [winner]);
      const moves = (name: string) => story.renumbered().filter((one) => one === name).length;
      deepEqual([moves(winner), moves(loser)], [1, 2]);
      equal(story.renumbered().length, 3);
      // It has not given the subnet up even for a moment.
      equal(story.heldAfter(winner, 59_900), Infinity);
    },
  },
  {
    number: "31.dead",
    name: "who has a pinned subnet keeps it although a dead host that ranks higher has it too",
    hosts: 6,
    lines: () => [
      "15000 partition h1,h2,h3 h4,h5,h6",
      `20000 pool h1 pin h2 ${S}`,
      `20000 pool h4 pin h5 ${S}`,
      "21000 pool h3 reserve 10.9.255.0/24",
      "24000 kill h2",
      "24000 kill h5",
      "25000 boot h2",
      "25000 boot h5",
      "50000 kill h5",
      "60000 heal",
      "200000 boot h5",
    ],
    during({ hosts: { cluster } }) {
      cluster.after(190_000, () => {
        const hops = cluster.running.map((host) =>
          host.snapshot().claim.owners.find(({ subnet }) => subnet === S)?.hostId
        );
        deepEqual(new Set(hops), new Set([idOf("h2")]));
      });
    },
    expect(story) {
      equal(story.heldAt("h5", 49_000), S);
      deepEqual(story.holders(S), ["h2"]);
      equal(story.heldAfter("h2", 59_900), Infinity);
      equal(story.claim("h5").state, "held");
    },
  },
  {
    number: "31.unpin",
    name: "a pin that is taken back before the sides meet moves nobody",
    hosts: 6,
    lines: () => [
      `host h2 identity=${WANT_S[0]}`,
      "15000 partition h2,h3 h1,h4,h5,h6",
      `20000 pool h1 pin h4 ${S}`,
      "40000 pool h5 unpin h4",
      "60000 heal",
    ],
    expect(story) {
      deepEqual(story.holders(S), ["h2"]);
      deepEqual(story.renumbered(), []);
      equal(pinnedTo(story, S, 6), undefined);
    },
  },
];
