/** Who counts as the cluster for hosts that have not heard it: seeds that are away, chains of newcomers, restarts. */
import { equal, match, ok } from "node:assert/strict";
import { makePool } from "../../mod/address/pool.ts";
import { HostCluster, type SimulatedHost } from "../../mod/sim/host_cluster.ts";
import { claimOf, firstSeed, statesOf, subnetsHeld } from "./claim_hosts.ts";

/** Seven subnets that may be claimed. */
const POOL = makePool({ network: "10.9.0.0/25", subnetLength: 28 });
const AWAY_MS = [1_500, 10_000, 60_000];

function endpoints(numbers: readonly number[]): string[] {
  return numbers.map((number) => `10.0.0.${number}:7947`);
}

function differ(hosts: readonly SimulatedHost[]): void {
  equal(new Set(subnetsHeld(hosts)).size, hosts.length);
}

Deno.test("a chain of newcomers whose real seed is away waits for it, however long that takes", () => {
  for (const awayMs of AWAY_MS) {
    for (const seed of [1, 2, 3, 13]) { // with 13 the last of the chain never meets the first
      const hosts = new HostCluster({ seed, pool: POOL });
      const [first] = hosts.grow(1);
      ok(first);
      hosts.cluster.runFor(1_000);
      hosts.kill(first);
      const middle = hosts.start({ seeds: firstSeed(hosts), identity: `middle ${seed}` });
      const far = hosts.start({ seeds: [middle.endpoint], identity: `far ${seed}` });
      const farther = hosts.start({ seeds: [far.endpoint], identity: `farther ${seed}` });
      hosts.cluster.runFor(awayMs);
      for (const host of [middle, far, farther]) ok(claimOf(host).subnet === null);
      hosts.restart(first);
      hosts.untilHeld([middle, far, farther], 40_000);
      differ(hosts.cluster.hosts);
    }
  }
});

Deno.test("one that cannot be certain keeps those from founding who could", () => {
  const hosts = new HostCluster({ seed: 1, pool: POOL });
  const [first] = hosts.grow(1);
  ok(first);
  hosts.kill(first);
  const edge = hosts.start({ seeds: firstSeed(hosts) });
  const [one, other] = [1, 2].map(() => hosts.start({ seeds: [edge.endpoint] }));
  ok(one && other);
  hosts.cluster.runFor(30_000);
  equal(new Set(subnetsHeld([edge, one, other])).size, 1, "none has one");
  hosts.restart(first);
  hosts.untilHeld([edge, one, other], 40_000);
  differ(hosts.cluster.hosts);
});

Deno.test("fresh hosts that all list the same seeds form a cluster with less than half of those down", () => {
  for (const [size, down] of [[3, 1], [5, 2], [5, 0]] as const) {
    for (let seed = 1; seed <= 5; seed++) {
      const hosts = new HostCluster({ seed, pool: POOL });
      const seeds = endpoints(Array.from({ length: size }, (_, index) => index + 1));
      const all = seeds.map(() => hosts.start({ seeds }));
      for (const host of all.slice(size - down)) hosts.kill(host);
      const late = hosts.start({ seeds });
      const running = [...all.slice(0, size - down), late];
      hosts.untilHeld(running, 15_000);
      differ(running);
      hosts.cluster.runFor(10_000);
      hosts.checkQuiescent();
    }
  }
});

Deno.test("half of the seeds are not enough, and the reason says so", () => {
  const hosts = new HostCluster({ seed: 1, pool: POOL });
  const seeds = endpoints([1, 2]);
  const here = hosts.start({ seeds });
  const third = hosts.start({ seeds: [...seeds, "10.0.0.9:7947"] }); // is the second seed
  hosts.kill(third);
  const other = hosts.start({ seeds });
  hosts.cluster.runFor(60_000);
  equal(claimOf(here).state, "waiting");
  equal(claimOf(other).state, "waiting");
  const [problem] = claimOf(here).problems;
  equal(problem?.code, "nobody-heard");
  match(
    problem?.text ?? "",
    /either have answered \(1 of 2 given with --join, nobody at 10\.0\.0\.\d+:7947\)/,
  );
  match(problem?.remedy ?? "", /more than half of the hosts given with --join/);
  match(claimOf(here).reason ?? "", /^Only hosts .*: start more than half/);
});

Deno.test("hosts that all restart at once know the cluster when most of them are back", () => {
  const hosts = new HostCluster({ seed: 3, pool: POOL });
  const all = hosts.grow(5);
  hosts.cluster.runFor(30_000);
  for (const host of all) {
    hosts.kill(host);
    hosts.configure(host, { seeds: ["10.0.0.200:7947"] }); // no seed is ever reached again
  }
  hosts.cluster.runFor(60_000);
  for (const host of all.slice(0, 3)) hosts.restart(host);
  hosts.cluster.runUntil(
    "the three have heard each other",
    () => all.slice(0, 3).every((host) => claimOf(host).complete),
    20_000,
  );
  const newcomer = hosts.start({ seeds: firstSeed(hosts) });
  hosts.untilHeld([newcomer], 15_000);
  for (const host of all.slice(3)) hosts.restart(host);
  hosts.cluster.runFor(30_000);
  differ([...all, newcomer]);
  hosts.checkQuiescent();
});

Deno.test("the few that come back after a catastrophe go on without the others after a minute", () => {
  const hosts = new HostCluster({ seed: 4, pool: POOL });
  const all = hosts.grow(5);
  hosts.cluster.runFor(30_000);
  for (const host of all) hosts.kill(host);
  const back = all.slice(0, 2);
  for (const host of back) hosts.restart(host);
  const newcomer = hosts.start({ seeds: firstSeed(hosts) });
  hosts.cluster.runFor(50_000);
  equal(claimOf(newcomer).subnet, null);
  hosts.untilHeld([newcomer], 40_000);
  hosts.cluster.runFor(10_000);
  differ([...back, newcomer]);
  equal(statesOf(back).join(), "held,held");
  hosts.checkQuiescent();
});
