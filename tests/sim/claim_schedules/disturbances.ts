/** Schedules of bad networks, copied and broken disks, operators at cross purposes, and values at their limits. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { makePool } from "../../../mod/address/pool.ts";
import type { RememberedClaim, RestoredClaim } from "../../../mod/claim/options.ts";
import { decodeClaimMemory, encodeClaimMemory } from "../../../mod/claim/memory.ts";
import { encodeFencePush, encodePush, seal } from "../../../mod/claim/messages.ts";
import {
  EPOCH_MAX,
  GENERATION_MAX,
  SEQUENCE_MAX,
  STAMP_MAX,
} from "../../../mod/claim/record_codec.ts";
import { KEY_BYTES } from "../../../mod/wire/aead.ts";
import { Envelope } from "../../../mod/wire/envelope.ts";
import { fingerprintOf } from "../../../mod/wire/keyring.ts";
import { joinParts } from "../../../mod/wire/parts.ts";
import { encodeRiderLetter } from "../../../mod/wire/rider_messages.ts";
import type { HostRun } from "../../../mod/sim/host_run.ts";
import { NOWHERE } from "../../../mod/sim/nowhere.ts";
import { type ClaimSchedule, idOf, names, type Story, unwanted, wanting } from "./play.ts";

const POOL = makePool({ network: "10.9.0.0/16", subnetLength: 24 });
const [S = ""] = unwanted(POOL, names(1, 12));
const WANT_S = wanting(POOL, [S], 3);

function expectSame(story: Story, all: readonly string[], atMs: number): void {
  for (const name of all) equal(story.claim(name).subnet, story.heldAt(name, atMs), name);
  deepEqual(story.renumbered(), []);
}

/** A letter about claims that anybody who knows the label can send where gossip is plain. */
function forge(run: HostRun, to: string, letter: Uint8Array): void {
  const host = run.hosts.find(to);
  ok(host);
  const packet = new Envelope("simulated", null).seal(joinParts([encodeRiderLetter(letter)]));
  const [from] = run.hosts.cluster.hosts;
  ok(from);
  run.hosts.cluster.inject(host, from.endpoint, packet);
}

/** What a host would have on its disk after a million writes, or four thousand million claims or contests; others do not know. */
function usedUp(memory: RestoredClaim, variant: number): RestoredClaim {
  const { record } = memory;
  ok(record);
  const others: readonly RememberedClaim[] = [];
  switch (variant) {
    case 1:
      return { ...memory, others, record: { ...record, sequence: SEQUENCE_MAX } };
    case 2:
      return { ...memory, others, lamport: STAMP_MAX };
    default:
      return {
        ...memory,
        others,
        record: { ...record, sequence: record.sequence + 1, epoch: EPOCH_MAX },
        fence: [{ subnet: record.subnet, epoch: EPOCH_MAX }],
      };
  }
}

export const DISTURBANCES: readonly ClaimSchedule[] = [
  {
    number: "13",
    name:
      "of two live hosts with one identity one takes another, and both hold a subnet of their own",
    hosts: 6,
    lines: () => ["20000 clone h2 h6"],
    expect(story) {
      const subnets = names(1, 6).map((name) => story.claim(name).subnet);
      equal(new Set(subnets).size, 6, subnets.join());
      ok(!subnets.includes(null));
      const lost = story.told.filter(({ event }) => event.kind === "identity-lost");
      equal(lost.length, 1);
      for (const name of ["h1", "h3", "h4", "h5"]) ok(!story.renumbered().includes(name));
    },
  },
  {
    number: "14",
    name:
      "a copy that starts while its original is off, and the original when it is back, end with two identities",
    hosts: 6,
    lines: () => ["20000 kill h2", "25000 clone h2 h6", "60000 boot h2"],
    expect(story) {
      const subnets = names(1, 6).map((name) => story.claim(name).subnet);
      equal(new Set(subnets).size, 6, subnets.join());
      for (const name of ["h1", "h3", "h4", "h5"]) ok(!story.renumbered().includes(name));
    },
  },
  {
    number: "20",
    name:
      "a host of another label is not heard, and a cluster that happens to have the same pool not either",
    hosts: 6,
    lines: () => ["host h6 later=1", "20000 kill h6", "21000 boot h6"],
    during(run) {
      const { cluster } = run.hosts;
      cluster.after(15_000, () => {
        const [one] = cluster.hosts;
        const six = cluster.hosts[5];
        ok(one && six);
        run.hosts.configure(six, { seeds: [one.endpoint], label: "another" });
        cluster.boot(six);
      });
      cluster.after(19_900, () => {
        const [one] = cluster.hosts;
        const six = cluster.hosts[5];
        ok(one && six);
        equal(one.snapshot().swim.members.length, 5);
        equal(six.snapshot().claim.subnet, null);
        run.hosts.configure(six, { seeds: [one.endpoint] });
      });
    },
    expect(story) {
      expectSame(story, names(1, 5), 14_000);
      equal(story.claim("h6").state, "held");
    },
  },
  {
    number: "25",
    name:
      "packets that come twice, in any order, or hours later as somebody recorded them move nobody",
    hosts: 8,
    lines: () => [
      `host h7 identity=${WANT_S[0]} later=1`,
      `host h8 identity=${WANT_S[1]} later=1`,
      "12000 network reorderRate=0.3 reorderMs=3000 duplicateRate=0.3",
      "20000 boot h7",
      "22000 boot h8",
      "30000 release h5",
      "90000 network reorderRate=0 duplicateRate=0",
      ...names(1, 8).map((name) => `100000 jump ${name} 3600000`),
      "101000 boot h5",
      "200000 kill h1",
      "201000 boot h1",
    ],
    during(run) {
      const { cluster } = run.hosts;
      const recorded: Uint8Array[] = [];
      const record = () => {
        const packet = run.hosts.lastPacket();
        if (packet !== null) recorded.push(packet);
        if (cluster.nowMs < 60_000) cluster.after(37, record);
      };
      cluster.after(1_000, record);
      cluster.after(150_000, () => {
        for (const packet of recorded.toReversed()) {
          for (const host of cluster.running) cluster.inject(host, NOWHERE, packet);
        }
      });
    },
    expect(story) {
      expectSame(story, names(1, 4), 11_000);
      deepEqual(story.renumbered(), []);
      equal(story.holders(S).length, 1);
    },
  },
  {
    number: "26",
    name: "five thousand news a second for two seconds drown no claim",
    hosts: 8,
    seeds: 1,
    lines: () => [
      `host h7 identity=${WANT_S[0]} later=1`,
      `host h8 identity=${WANT_S[1]} later=1`,
      ...names(1, 5).map((name) => `20000 flood ${name} 2000`),
      "21000 boot h7",
      "21000 boot h8",
    ],
    expect(story) {
      expectSame(story, names(1, 6), 19_000);
      equal(story.holders(S).length, 1);
      for (const name of ["h7", "h8"]) ok(story.heldAfter(name, 21_000) < 40_000, name);
    },
  },
  {
    number: "27",
    name: "at a loss of 30 % for ten minutes newcomers get subnets of their own, and nobody moves",
    hosts: 11,
    seeds: 1,
    lines: () => [
      `host h9 identity=${WANT_S[0]} later=1`,
      `host h10 identity=${WANT_S[1]} later=1`,
      `host h11 identity=${WANT_S[2]} later=1`,
      "15000 network lossRate=0.3",
      "60000 boot h9",
      "200000 boot h10",
      "200100 boot h11",
      "615000 network lossRate=0",
    ],
    expect(story) {
      expectSame(story, names(1, 8), 14_000);
      equal(story.holdersAtOnce(S), 1);
      for (const name of names(9, 11)) ok(story.heldAfter(name, 0) < 260_000, name);
    },
  },
  {
    number: "29",
    name:
      "two sides of a partition that start again with networks that differ keep what they hold, and say so",
    hosts: 8,
    lines: () => [
      "host h7 seeds=h1 later=1",
      "host h8 seeds=h4 later=1",
      "15000 partition h1,h2,h3,h7 h4,h5,h6,h8",
      ...names(1, 6).map((name) => `20000 kill ${name}`),
      ...names(1, 6).map((name) => `21000 boot ${name}`),
      "30000 boot h7",
      "30000 boot h8",
      "60000 heal",
    ],
    during(run) {
      const { cluster } = run.hosts;
      cluster.after(20_500, () => {
        for (const host of cluster.hosts) {
          const isFirst = ["h1", "h2", "h3", "h7"].includes(host.name);
          const pool = makePool({
            network: isFirst ? "10.8.0.0/15" : "10.9.0.0/16",
            subnetLength: 24,
            ...(isFirst ? {} : { reserved: ["10.9.255.0/24"] }),
          });
          run.hosts.configure(host, { seeds: run.hosts.seedsOf(host), pool });
        }
      });
    },
    expect(story) {
      expectSame(story, names(1, 6), 14_000);
      const problems = names(1, 8).flatMap((name) => story.claim(name).problems);
      ok(problems.some(({ code }) => code === "pool-mismatch"));
    },
  },
  {
    number: "30",
    name: "a host with another subnet length joins, claims nothing, and disturbs nobody",
    hosts: 6,
    lines: () => ["host h6 pool=10.9.0.0/16,25 later=1", "20000 boot h6"],
    expect(story) {
      expectSame(story, names(1, 5), 19_000);
      equal(story.claim("h6").state, "waiting");
      ok(story.claim("h6").problems.some(({ code }) => code === "pool-mismatch"));
    },
  },
  {
    number: "31",
    name:
      "a pin on a subnet that is held across a partition moves its holder, once, when the sides meet",
    hosts: 7,
    lines: () => [
      `host h2 identity=${WANT_S[0]}`,
      `host h7 pin=${S} seeds=h4 later=1`,
      // The newcomer does not hear that the subnet is taken: who could tell is asleep.
      "11000 partition h2 h1,h3,h4,h5,h6,h7",
      ...["h1", "h3", "h4", "h5", "h6"].map((name) => `11500 kill ${name}`),
      ...["h1", "h3", "h4", "h5", "h6"].map((name) => `11600 wipe ${name}`),
      ...["h1", "h3", "h4", "h5", "h6"].map((name) => `12000 boot ${name}`),
      "30000 boot h7",
      "60000 heal",
    ],
    expect(story) {
      equal(story.heldAt("h2", 10_900), S);
      deepEqual(story.holders(S), ["h7"]);
      equal(story.renumbered().filter((name) => name === "h2").length, 1);
    },
  },
  {
    number: "31.held",
    name: "a pin on a subnet whose claim is known waits while it is held, also in a partition",
    hosts: 7,
    lines: () => [
      `host h2 identity=${WANT_S[0]}`,
      `host h7 pin=${S} seeds=h4 later=1`,
      "20000 partition h1,h2,h3 h4,h5,h6,h7",
      "30000 boot h7",
      "60000 heal",
      "90000 release h2",
      "720000 kill h1",
      "721000 boot h1",
    ],
    expect(story) {
      ok(story.heldAfter("h7", 0) > 90_000);
      deepEqual(story.holders(S), ["h7"]);
      deepEqual(story.renumbered(), []);
    },
  },
  {
    number: "35",
    name: "keys that change while a third of the hosts sleep cut nobody off, and move nobody",
    hosts: 9,
    lines: () => [
      "sealed 1",
      ...names(7, 9).map((name) => `20000 pause ${name}`),
      ...names(7, 9).map((name) => `60000 resume ${name}`),
      "120000 network lossRate=0",
    ],
    during(run) {
      const { cluster } = run.hosts;
      const key = new Uint8Array(KEY_BYTES).fill(2);
      const old = new Uint8Array(KEY_BYTES).fill(1);
      const operations = [
        [25_000, { kind: "install", key }],
        [30_000, { kind: "use", fingerprint: fingerprintOf(key) }],
        [40_000, { kind: "remove", fingerprint: fingerprintOf(old) }],
      ] as const;
      for (const [request, [atMs, operation]] of operations.entries()) {
        cluster.after(atMs, () => {
          const [first] = cluster.hosts;
          ok(first);
          cluster.command(first, { kind: "keys", request, operation, force: false });
        });
      }
    },
    expect: (story) => expectSame(story, names(1, 9), 19_000),
  },
  {
    number: "a",
    name:
      "a cluster whose sequence numbers, stamps or epochs are used up starts with its subnets, and takes in a newcomer",
    hosts: 6,
    lines: () => [
      "host h6 later=1",
      ...names(1, 5).map((name) => `20000 kill ${name}`),
      ...names(1, 5).map((name) => `30000 boot ${name}`),
      "50000 boot h6",
    ],
    during(run, _story, seed) {
      const { cluster } = run.hosts;
      cluster.after(25_000, () => {
        for (const host of cluster.hosts) {
          const bytes = host.documents.get("claim");
          if (bytes === undefined) continue;
          const memory = usedUp(decodeClaimMemory(bytes), seed);
          cluster.write(host, "claim", encodeClaimMemory(memory));
        }
      });
    },
    expect(story) {
      expectSame(story, names(1, 5), 19_000);
      equal(story.claim("h6").state, "held");
    },
  },
  {
    number: "b",
    name: "forged claims and fences at the highest numbers change nothing, and are reported",
    hosts: 5,
    lines: () => ["60000 kill h5", "61000 boot h5"],
    during(run) {
      const { cluster } = run.hosts;
      cluster.after(20_000, () => {
        const victim = run.hosts.find("h3")?.snapshot().claim.record;
        ok(victim);
        const forged = {
          ...victim,
          hostId: idOf("nobody"),
          epoch: EPOCH_MAX,
          stamp: 0,
          strength: 6,
        };
        for (const to of names(1, 5)) {
          forge(run, to, encodePush([seal(forged)]));
          forge(run, to, encodePush([seal({ ...forged, epoch: victim.epoch, stamp: STAMP_MAX })]));
          forge(run, to, encodePush([seal({ ...victim, epoch: EPOCH_MAX })]));
          forge(run, to, encodePush([seal({ ...victim, generation: GENERATION_MAX })]));
          forge(run, to, encodeFencePush([{ subnet: victim.subnet, epoch: EPOCH_MAX }]));
        }
      });
    },
    expect(story) {
      expectSame(story, names(1, 5), 19_000);
      ok(story.warnings().length > 0);
    },
  },
  {
    number: "b.asked",
    name: "a live owner whose subnet somebody asks for at a higher epoch holds it at that epoch",
    hosts: 5,
    // No host ever wrote the question, which the rules after each step would notice.
    checksSteps: false,
    lines: () => ["60000 kill h5", "61000 boot h5"],
    during(run, story) {
      const { cluster } = run.hosts;
      cluster.after(20_000, () => {
        const victim = run.hosts.find("h3")?.snapshot().claim.record;
        ok(victim);
        const question = {
          ...victim,
          hostId: idOf("nobody"),
          state: "tentative",
          strength: 0,
          epoch: victim.epoch + 5,
        } as const;
        for (const to of names(1, 5)) forge(run, to, encodePush([seal(question)]));
        cluster.after(5_000, () => equal(story.claim("h3").record?.epoch, question.epoch));
      });
    },
    expect: (story) => expectSame(story, names(1, 5), 19_000),
  },
  {
    number: "c",
    name: "who leaves and is back within a second has its subnet, and who released it has one too",
    hosts: 6,
    lines: () => [
      "20000 leave h3",
      "20300 kill h3",
      "20600 boot h3",
      "30000 release h4",
      "32000 boot h4",
      "40000 leave h5",
      "40100 join h5",
      "42000 boot h5",
    ],
    expect(story) {
      expectSame(story, ["h1", "h2", "h3", "h5", "h6"], 19_000);
      equal(story.claim("h4").state, "held");
    },
  },
  {
    number: "d",
    name: "a live host that is forgotten, from any side and any number of times, keeps its subnet",
    hosts: 6,
    lines: () => [
      "20000 forget h1 h3",
      "20000 forget h2 h3",
      "21000 forget h1 h3",
      "30000 partition h3 h1,h2,h4,h5,h6",
      "60000 forget h1 h3",
      "61000 forget h4 h3",
      "90000 heal",
    ],
    expect: (story) => expectSame(story, names(1, 6), 19_000),
  },
  {
    number: "e",
    name: "what a full disk refuses is not announced, and is claimed when there is room",
    hosts: 6,
    lines: () => [
      "host h6 later=1",
      "19000 disk h6 no space left on device",
      "20000 boot h6",
      "60000 disk h6 ok",
    ],
    during(run) {
      run.hosts.cluster.after(59_000, () => {
        const id = run.hosts.idOf("h6");
        for (const host of run.hosts.cluster.running) {
          if (host.name === "h6") continue;
          const { records } = host.snapshot().claim;
          ok(!records.some(({ hostId }) => hostId === id), `${host.name} was told of a claim`);
        }
      });
    },
    expect(story) {
      ok(story.heldAfter("h6", 0) > 60_000);
      ok(story.heldAfter("h6", 0) < 90_000);
      expectSame(story, names(1, 5), 18_000);
    },
  },
];
