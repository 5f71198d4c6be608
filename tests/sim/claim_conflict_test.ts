/** Conflicts between claims: made in partitions or by old disks, decided by the order when hosts meet. */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import type { PersistedDocument } from "../../mod/base/core.ts";
import { makePool } from "../../mod/address/pool.ts";
import { HostCluster, type SimulatedHost } from "../../mod/sim/host_cluster.ts";
import {
  claimOf,
  eventsOf,
  identitiesWanting,
  isRouted,
  statesOf,
  subnetsHeld,
} from "./claim_hosts.ts";

const POOL = makePool({ network: "10.244.0.0/16" });
const WANTED = "10.244.77.0/24";
/** Contact after a heal comes with the 30 s reconnect tick; then a sync, a yield and a new claim. */
const HEAL_MS = 60_000;

interface Conflict {
  readonly hosts: HostCluster;
  readonly left: readonly SimulatedHost[];
  readonly right: readonly SimulatedHost[];
  /** The two newcomers that hold one subnet. */
  readonly pair: readonly [SimulatedHost, SimulatedHost];
}

/** A cluster cut in two, with a newcomer on each side that took the same subnet. */
function cutAndDouble(seed: number, leftSize: number, rightSize: number): Conflict {
  const hosts = new HostCluster({ seed });
  const all = hosts.grow(leftSize + rightSize);
  const left = all.slice(0, leftSize);
  const right = all.slice(leftSize);
  const pairEndpoints = [`10.0.0.${all.length + 1}:7947`, `10.0.0.${all.length + 2}:7947`];
  hosts.cluster.runFor(10_000);
  hosts.cluster.network.partition(
    [...left.map(({ endpoint }) => endpoint), pairEndpoints[0] ?? ""],
    [...right.map(({ endpoint }) => endpoint), pairEndpoints[1] ?? ""],
  );
  hosts.invariants.allowDoubles = true;
  hosts.cluster.runFor(120_000);
  const identities = identitiesWanting(WANTED, 2, POOL);
  const [one, two] = [left, right].map((side, index) =>
    hosts.start({ seeds: [side[0]?.endpoint ?? ""], identity: identities[index] ?? "" })
  );
  ok(one && two);
  hosts.untilHeld([one, two], 30_000);
  deepEqual(subnetsHeld([one, two]), [WANTED, WANTED]);
  hosts.cluster.runFor(1_000);
  return { hosts, left: [...left, one], right: [...right, two], pair: [one, two] };
}

function heal({ hosts }: Conflict): void {
  hosts.cluster.network.heal();
  hosts.cluster.runFor(HEAL_MS);
  hosts.checkQuiescent();
}

Deno.test("two holders of one subnet end in exactly one renumbering when the partition heals", () => {
  for (let seed = 1; seed <= 5; seed++) {
    const conflict = cutAndDouble(seed, 2, 2);
    const { hosts, pair } = conflict;
    heal(conflict);
    const losers = hosts.cluster.hosts.filter((host) => eventsOf(host, "renumbered").length > 0);
    equal(losers.length, 1);
    const [loser] = losers;
    ok(loser && pair.includes(loser));
    const [renumbered, ...more] = eventsOf(loser, "renumbered");
    deepEqual(more, []);
    equal(renumbered?.old, WANTED);
    equal(renumbered?.new, claimOf(loser).subnet);
    deepEqual(statesOf(pair), ["held", "held"]);
    equal(new Set(subnetsHeld(hosts.cluster.hosts)).size, hosts.cluster.hosts.length);
  }
});

Deno.test("both sides name the same winner and the field that decided", () => {
  const conflict = cutAndDouble(6, 2, 2);
  heal(conflict);
  const [one, two] = conflict.pair.map((host) => eventsOf(host, "conflict"));
  equal(one?.length, 1);
  equal(two?.length, 1);
  equal(one?.[0]?.winner, two?.[0]?.winner);
  equal(one?.[0]?.why, two?.[0]?.why);
  match(one?.[0]?.why ?? "", /equal epoch 1; .* wins: /);
});

Deno.test("the claim that a majority acknowledged wins against one made in a minority", () => {
  for (let seed = 11; seed <= 13; seed++) {
    const conflict = cutAndDouble(seed, 4, 1);
    const [inMajority, inMinority] = conflict.pair;
    equal(claimOf(inMajority).record?.strength, 2);
    equal(claimOf(inMinority).record?.strength, 1);
    heal(conflict);
    equal(claimOf(inMajority).subnet, WANTED);
    notEqual(claimOf(inMinority).subnet, WANTED);
  }
});

Deno.test("a contest changes the route to the subnet at most once on every host, and never leaves it without", () => {
  let changes = 0;
  for (let seed = 21; seed <= 32; seed++) {
    const conflict = cutAndDouble(seed, 2, 2);
    const { hosts, pair } = conflict;
    const routers = hosts.cluster.hosts.filter((host) => !pair.includes(host));
    const nextHop = (host: SimulatedHost) =>
      claimOf(host).owners.find(({ subnet }) => subnet === WANTED)?.hostId;
    const seen = new Map(routers.map((host) => [host.name, [nextHop(host)]]));
    hosts.cluster.network.heal();
    const endMs = hosts.cluster.nowMs + HEAL_MS;
    while (hosts.cluster.nowMs < endMs) {
      hosts.cluster.runFor(1);
      for (const host of routers) {
        const hops = seen.get(host.name) ?? [];
        if (hops.at(-1) !== nextHop(host)) hops.push(nextHop(host));
      }
    }
    for (const hops of seen.values()) {
      ok(hops.length <= 2, `seed ${seed}: next hops ${hops.join(", ")}`);
      changes += hops.length - 1;
    }
  }
  ok(changes > 0, "somebody had to change its route");
});

Deno.test("the winner raises its epoch, so a loser restored from an old disk loses again", () => {
  for (let seed = 31; seed <= 34; seed++) {
    const conflict = cutAndDouble(seed, 2, 2);
    const { hosts, pair } = conflict;
    const disks = new Map(pair.map((host) => [host, copyOf(host)]));
    heal(conflict);
    const winner = pair.find((host) => eventsOf(host, "renumbered").length === 0);
    const loser = pair.find((host) => host !== winner);
    ok(winner && loser);
    equal(claimOf(winner).record?.epoch, 2);
    hosts.kill(loser);
    hosts.invariants.allowRollbacks = true;
    for (const [document, bytes] of disks.get(loser) ?? []) loser.documents.set(document, bytes);
    hosts.restart(loser);
    hosts.cluster.runFor(HEAL_MS);
    equal(claimOf(winner).subnet, WANTED);
    equal(eventsOf(winner, "renumbered").length, 0);
    notEqual(claimOf(loser).subnet, WANTED);
    hosts.checkQuiescent();
  }
});

Deno.test("established claims survive a partition and its heal untouched", () => {
  const hosts = new HostCluster({ seed: 41 });
  const all = hosts.grow(5);
  hosts.cluster.runFor(10_000);
  const before = all.map((host) => claimOf(host).record);
  hosts.cluster.network.partition(all.slice(0, 2).map(({ endpoint }) => endpoint));
  hosts.cluster.runFor(300_000);
  hosts.cluster.network.heal();
  hosts.cluster.runFor(120_000);
  deepEqual(all.map((host) => claimOf(host).record), before);
  for (const host of all) ok(all.every((other) => isRouted(host, other)));
});

Deno.test("two clusters of one host each merge with one renumbering at most", () => {
  for (let seed = 51; seed <= 54; seed++) {
    const [first = "", second = ""] = identitiesWanting(WANTED, 2, POOL);
    const hosts = new HostCluster({ seed });
    hosts.invariants.allowDoubles = true;
    const pair = [hosts.start({ identity: first }), hosts.start({ identity: second })];
    hosts.untilHeld(pair, 1_000);
    deepEqual(subnetsHeld(pair), [WANTED, WANTED]);
    hosts.cluster.command(pair[0] as SimulatedHost, {
      kind: "join",
      seeds: [(pair[1] as SimulatedHost).endpoint],
    });
    hosts.cluster.runFor(20_000);
    hosts.checkQuiescent();
    equal(pair.flatMap((host) => eventsOf(host, "renumbered")).length, 1);
  }
});

Deno.test("a loser that finds nothing free waits and takes the first subnet that is released", () => {
  const pool = makePool({ network: "10.9.0.0/26", subnetLength: 28, subnetMin: "10.9.0.32" });
  const hosts = new HostCluster({ seed: 61, pool });
  const [identity = "", other = "", third = ""] = identitiesWanting("10.9.0.32/28", 3, pool);
  hosts.invariants.allowDoubles = true;
  const one = hosts.start({ identity });
  const two = hosts.start({ identity: other });
  hosts.untilHeld([one, two], 1_000);
  const last = hosts.start({ identity: third, seeds: [one.endpoint] });
  hosts.untilHeld([last], 10_000);
  hosts.cluster.command(two, { kind: "join", seeds: [one.endpoint] });
  hosts.cluster.runFor(30_000);
  deepEqual(statesOf([one, two, last]).toSorted(), ["held", "held", "waiting"]);
  hosts.checkQuiescent();
  hosts.cluster.command(last, { kind: "leave", release: true });
  hosts.cluster.runFor(10_000);
  deepEqual(statesOf([one, two]), ["held", "held"]);
  hosts.checkQuiescent();
});

Deno.test("claims converge through a flapping link and heavy loss", () => {
  const hosts = new HostCluster({ seed: 71, network: { lossRate: 0.3, jitterMs: 20 } });
  const all = hosts.grow(6);
  hosts.invariants.allowDoubles = true;
  const half = all.slice(0, 3).map(({ endpoint }) => endpoint);
  for (let flap = 0; flap < 60; flap++) {
    hosts.cluster.network.partition(half);
    hosts.cluster.runFor(1_000);
    hosts.cluster.network.heal();
    hosts.cluster.runFor(1_000);
  }
  hosts.cluster.network.configure({ lossRate: 0 });
  hosts.cluster.runFor(120_000);
  hosts.checkQuiescent();
  for (const host of all) equal(eventsOf(host, "renumbered").length, 0);
});

function copyOf(host: SimulatedHost): Map<PersistedDocument, Uint8Array> {
  return new Map([...host.documents].map(([document, bytes]) => [document, bytes.slice()]));
}
