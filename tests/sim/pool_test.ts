/** What operators change of the pool, in simulated clusters: it is the same everywhere before long. */
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { makePool, poolDigest } from "../../mod/address/pool.ts";
import type { PoolRecord } from "../../mod/address/pool_record.ts";
import { encodePool } from "../../mod/claim/pool_codec.ts";
import { HostCluster, type SimulatedHost } from "../../mod/sim/host_cluster.ts";

/** Three subnets: 10.9.0.16/28, 10.9.0.32/28 and 10.9.0.48/28. */
const SMALL = makePool({ network: "10.9.0.0/26", subnetLength: 28 });

function setPool(
  sim: HostCluster,
  host: SimulatedHost,
  pool: typeof SMALL,
  changes: Partial<PoolRecord>,
): void {
  const present = host.snapshot().claim.poolRecord;
  const record: PoolRecord = {
    base: poolDigest(pool),
    added: [],
    reserved: [],
    pins: [],
    ...present,
    version: (present?.version ?? 1) + 1,
    ...changes,
  };
  sim.cluster.command(host, { kind: "set-pool", record });
}

/** A cluster whose pool has as many subnets as hosts, and a host that waits. */
function exhausted(seed: number) {
  const sim = new HostCluster({ seed, pool: SMALL });
  const hosts = sim.grow(3);
  const late = sim.start({ seeds: [hosts[0]?.endpoint ?? ""] });
  sim.cluster.runFor(10_000);
  equal(late.snapshot().claim.state, "waiting");
  return { sim, hosts, late };
}

function poolsOf(sim: HostCluster): (PoolRecord | null)[] {
  return sim.cluster.hosts.filter(({ isRunning }) => isRunning)
    .map((host) => host.snapshot().claim.poolRecord);
}

function sameEverywhere(sim: HostCluster): boolean {
  const [first, ...others] = poolsOf(sim).map((record) =>
    record === null ? "" : encodePool(record).toHex()
  );
  return others.every((other) => other === first);
}

Deno.test("who waits for a free subnet gets one of a network that is added", () => {
  const { sim, hosts, late } = exhausted(1);
  const [first] = hosts;
  ok(first !== undefined);
  const before = hosts.map((host) => host.snapshot().claim.subnet);
  setPool(sim, first, SMALL, { added: ["10.8.0.0/27"] });
  sim.untilHeld([late], 5_000);
  equal(late.snapshot().claim.subnet, "10.8.0.16/28");
  deepEqual(hosts.map((host) => host.snapshot().claim.subnet), before);
  sim.cluster.runUntil("one pool", () => sameEverywhere(sim), 2_000);
  sim.cluster.runFor(5_000);
  sim.checkQuiescent();
});

Deno.test("a restart remembers what was added, with no other host there", () => {
  const { sim, hosts, late } = exhausted(2);
  const [first] = hosts;
  ok(first !== undefined);
  setPool(sim, first, SMALL, { added: ["10.8.0.0/27"] });
  sim.untilHeld([late], 5_000);
  sim.cluster.runFor(1_000);
  for (const host of [...hosts, late]) sim.kill(host);
  sim.restart(late);
  sim.cluster.runFor(5_000);
  equal(late.snapshot().claim.subnet, "10.8.0.16/28");
  equal(late.snapshot().claim.poolRecord?.version, 2);
});

Deno.test("a pool grown differently on both sides of a partition is one pool after it", () => {
  const sim = new HostCluster({ seed: 3, pool: SMALL });
  const hosts = sim.grow(3);
  const [one, two, three] = hosts;
  ok(one !== undefined && two !== undefined && three !== undefined);
  sim.cluster.network.partition([one.endpoint], [two.endpoint, three.endpoint]);
  sim.cluster.runFor(5_000);
  setPool(sim, one, SMALL, { added: ["10.8.0.0/27"] });
  setPool(sim, two, SMALL, { added: ["10.7.0.0/27"] });
  const left = sim.cluster.add();
  sim.configure(left, { seeds: [two.endpoint] });
  sim.cluster.network.partition([one.endpoint], [two.endpoint, three.endpoint, left.endpoint]);
  sim.cluster.boot(left);
  sim.untilHeld([left], 60_000);
  equal(left.snapshot().claim.subnet, "10.7.0.16/28");
  ok(!sameEverywhere(sim));
  sim.cluster.network.heal();
  sim.cluster.runUntil("one pool", () => sameEverywhere(sim), 120_000);
  // Whichever record counts, nobody is renumbered by it.
  sim.cluster.runFor(60_000);
  equal(left.snapshot().claim.subnet, "10.7.0.16/28");
  equal(left.snapshot().claim.state, "held");
  const isOutside = poolsOf(sim)[0]?.added[0] === "10.8.0.0/27";
  const problems = one.snapshot().claim.problems.map(({ code }) => code);
  equal(problems.includes("subnet-outside-pool"), isOutside);
  sim.checkQuiescent();
});

Deno.test("a subnet pinned in one half that a host of the other half holds goes over once they meet", () => {
  const sim = new HostCluster({ seed: 4 });
  const pool = makePool({ network: "10.244.0.0/16" });
  const hosts = sim.grow(3);
  const [one, two, three] = hosts;
  ok(one !== undefined && two !== undefined && three !== undefined);
  const wanted = three.snapshot().claim.subnet ?? "";
  sim.cluster.network.partition([one.endpoint, two.endpoint], [three.endpoint]);
  sim.cluster.runFor(5_000);
  setPool(sim, one, pool, { pins: [{ hostId: sim.idOf(two.name) ?? "", subnet: wanted }] });
  sim.cluster.runFor(10_000);
  const kept = two.snapshot().claim.subnet;
  notEqual(kept, wanted); // it runs, so it keeps what it holds
  sim.restart(two);
  sim.cluster.runFor(5_000);
  equal(two.snapshot().claim.state, "waiting"); // three may hold it still
  sim.cluster.network.heal();
  sim.untilHeld([two, three], 120_000);
  sim.cluster.runUntil("the pin holds", () => two.snapshot().claim.subnet === wanted, 60_000);
  sim.cluster.runFor(30_000);
  equal(three.snapshot().claim.state, "held");
  notEqual(three.snapshot().claim.subnet, wanted);
  ok((two.snapshot().claim.record?.strength ?? 0) > 4);
  equal(three.snapshot().claim.counters.renumberings, 1);
  sim.checkQuiescent();
});

Deno.test("nobody claims what is reserved, and its holder keeps it over a restart", () => {
  const { sim, hosts, late } = exhausted(5);
  const [first, second] = hosts;
  ok(first !== undefined && second !== undefined);
  const reserved = second.snapshot().claim.subnet ?? "";
  setPool(sim, first, SMALL, { reserved: [reserved], added: ["10.8.0.0/27"] });
  sim.untilHeld([late], 5_000);
  sim.restart(second);
  sim.untilHeld([second], 5_000);
  equal(second.snapshot().claim.subnet, reserved);
  sim.cluster.runFor(5_000);
  sim.cluster.command(second, { kind: "leave", release: true });
  const another = sim.start({ seeds: [first.endpoint] });
  sim.cluster.runFor(30_000);
  equal(another.snapshot().claim.state, "waiting");
});

Deno.test("a host that is configured with another pool does not take the record", () => {
  const { sim, hosts } = exhausted(6);
  const [first] = hosts;
  ok(first !== undefined);
  const stranger = sim.start({
    seeds: [first.endpoint],
    pool: makePool({ network: "10.99.0.0/26", subnetLength: 28 }),
  });
  sim.cluster.runFor(10_000);
  setPool(sim, first, SMALL, { added: ["10.8.0.0/27"] });
  sim.cluster.runFor(10_000);
  equal(stranger.snapshot().claim.poolRecord, null);
  const { state, problems } = stranger.snapshot().claim;
  equal(state, "waiting");
  ok(problems.some(({ code }) => code === "pool-mismatch"));
});

Deno.test("a record with hundreds of pins reaches everybody, though no packet holds it", () => {
  const sim = new HostCluster({ seed: 7 });
  const hosts = sim.grow(4);
  const [first] = hosts;
  ok(first !== undefined);
  const pool = makePool({ network: "10.244.0.0/16" });
  const taken = new Set(hosts.map((host) => host.snapshot().claim.subnet));
  const pins = Array.from({ length: 200 }, (_, index) => ({
    hostId: (index + 1).toString(16).padStart(32, "0"),
    subnet: `10.244.${index + 50}.0/24`,
  })).filter(({ subnet }) => !taken.has(subnet));
  setPool(sim, first, pool, { pins });
  sim.cluster.runUntil(
    "everybody has it",
    () => poolsOf(sim).every((record) => record !== null),
    5_000,
  );
});
