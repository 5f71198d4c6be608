/** Partitions of every kind and length, and what must come back by itself when they end. */
import assert from "node:assert/strict";
import { SILENT_RIDER } from "../../mod/sim/membership_cluster.ts";
import { Swim } from "../../mod/swim/swim.ts";
import {
  allSee,
  bootHosts,
  eventsAbout,
  statusOf,
  type SwimCluster,
  swimCluster,
  type SwimHost,
  swimOptions,
} from "./swim_hosts.ts";

/** Contact after a heal: the reconnector's interval of 30 s and its jitter, a dial that hangs, and gossip. */
const HEAL_MS = 90_000;

/** Settled: nothing of the joins is under way any more. */
function formed(seed: number, count: number): { cluster: SwimCluster; hosts: SwimHost[] } {
  const cluster = swimCluster(seed);
  const hosts = bootHosts(cluster, count);
  cluster.runUntil("all alive", () => allSee(cluster, hosts, "alive"), 10_000);
  cluster.runFor(15_000); // the members documents are on disk
  return { cluster, hosts };
}

function endpoints(hosts: readonly SwimHost[]): string[] {
  return hosts.map(({ endpoint }) => endpoint);
}

/** Every second host: both sides have a seed's neighbours and far ones. */
function sides(hosts: readonly SwimHost[]): [SwimHost[], SwimHost[]] {
  return [
    hosts.filter((_, index) => index % 2 === 0),
    hosts.filter((_, index) => index % 2 === 1),
  ];
}

/** Whether each of these believes that of each of those. */
function see(viewers: SwimHost[], others: SwimHost[], status: string | undefined): boolean {
  return viewers.every((viewer) =>
    others.every((other) => viewer === other || statusOf(viewer, other) === status)
  );
}

/** Starts hosts again with nothing on their disks. */
function restartEmpty(cluster: SwimCluster, hosts: readonly SwimHost[]): void {
  for (const host of hosts) {
    if (host.isRunning) cluster.kill(host);
    host.documents.clear();
  }
  for (const host of hosts) cluster.boot(host);
}

function untilWhole(cluster: SwimCluster, hosts: SwimHost[], withinMs = HEAL_MS): void {
  cluster.runUntil("healed", () => allSee(cluster, hosts, "alive"), withinMs);
}

for (const minutes of [1, 30, 600]) {
  Deno.test(`a partition of ${minutes} minutes, each side holding the other dead, heals`, () => {
    const { cluster, hosts } = formed(41, minutes > 100 ? 4 : 12);
    const [these, those] = sides(hosts);
    cluster.network.partition(endpoints(these), endpoints(those));
    cluster.runFor(minutes * 60_000);
    assert.ok(see(these, those, "dead") && see(those, these, "dead"));
    cluster.network.heal();
    untilWhole(cluster, hosts);
  });
}

Deno.test("a side that forgot the other, having been started anew, is found by it", () => {
  const { cluster, hosts } = formed(42, 10);
  const [these, those] = sides(hosts); // the seed is among these
  cluster.network.partition(endpoints(these), endpoints(those));
  cluster.runFor(60_000);
  restartEmpty(cluster, those);
  cluster.runFor(60_000);
  assert.ok(see(those, these, undefined) && see(these, those, "dead"));
  cluster.network.heal();
  untilWhole(cluster, hosts);
});

Deno.test("a side that knows the other dead finds it, forgotten by it, seed or no seed", () => {
  const { cluster, hosts } = formed(43, 10);
  const [these, those] = sides(hosts);
  cluster.network.partition(endpoints(these), endpoints(those));
  cluster.runFor(60_000);
  restartEmpty(cluster, these); // the seed itself: it has nobody to ask
  cluster.runFor(60_000);
  assert.ok(see(these, those, undefined) && see(those, these, "dead"));
  cluster.network.heal();
  untilWhole(cluster, hosts);
});

Deno.test("sides that forgot each other meet again through a seed, tried for ever", () => {
  const { cluster, hosts } = formed(44, 10);
  const [these, those] = sides(hosts);
  cluster.network.partition(endpoints(these), endpoints(those));
  cluster.runFor(60_000);
  restartEmpty(cluster, hosts);
  cluster.runFor(3_600_000);
  assert.ok(see(these, those, undefined) && see(those, these, undefined));
  cluster.network.heal();
  untilWhole(cluster, hosts);
});

for (const forgetful of [1, 2, 3]) {
  Deno.test(`a partition in which ${forgetful} of 5 hosts of each side forgot the other heals`, () => {
    const { cluster, hosts } = formed(44 + forgetful, 10);
    const [these, those] = sides(hosts);
    cluster.network.partition(endpoints(these), endpoints(those));
    cluster.runFor(60_000);
    restartEmpty(cluster, [...these.slice(-forgetful), ...those.slice(-forgetful)]);
    cluster.runFor(120_000);
    cluster.network.heal();
    untilWhole(cluster, hosts);
  });
}

Deno.test("two sides with one host that reaches both: nothing is torn for long, and all heals", () => {
  const { cluster, hosts } = formed(48, 7);
  const [bridge, ...rest] = hosts;
  assert(bridge !== undefined);
  const [these, those] = sides(rest);
  for (const one of these) {
    for (const other of those) {
      cluster.network.block(one.endpoint, other.endpoint);
      cluster.network.block(other.endpoint, one.endpoint);
    }
  }
  cluster.runFor(300_000);
  for (const host of rest) {
    // Everybody reaches the bridge; what it hears of others may be a suspicion that it did not hear refuted in time.
    assert.equal(eventsAbout(host, "member-failed", bridge), 0);
    assert.ok(
      eventsAbout(bridge, "member-failed", host) <= 2,
      `${host.name} failed again and again`,
    );
  }
  cluster.runUntil("the bridge sees all", () => see([bridge], rest, "alive"), 60_000);
  cluster.network.heal();
  untilWhole(cluster, hosts);
});

Deno.test("three sides that come back one after another are one again", () => {
  const { cluster, hosts } = formed(49, 12);
  const thirds = [0, 1, 2].map((third) => hosts.filter((_, index) => index % 3 === third));
  const [one = [], two = [], three = []] = thirds;
  cluster.network.partition(endpoints(one), endpoints(two), endpoints(three));
  cluster.runFor(120_000);
  for (const third of thirds) {
    const others = hosts.filter((host) => !third.includes(host));
    assert.ok(see(third, third, "alive") && see(third, others, "dead"));
  }
  cluster.network.heal();
  cluster.network.partition(endpoints([...one, ...two]), endpoints(three));
  const isPartlyWhole = () => see([...one, ...two], [...one, ...two], "alive");
  cluster.runUntil("two thirds are one", isPartlyWhole, HEAL_MS);
  cluster.runFor(60_000);
  cluster.network.heal();
  untilWhole(cluster, hosts);
});

Deno.test("hosts that start while nobody reaches anybody are one cluster once they do", () => {
  const cluster = swimCluster(50);
  const hosts = Array.from({ length: 8 }, () => cluster.add());
  cluster.network.partition(...hosts.map((host) => [host.endpoint]));
  for (const host of hosts) cluster.boot(host);
  cluster.runFor(600_000);
  assert.equal(hosts.every((host) => host.snapshot().members.length === 1), true);
  cluster.network.heal();
  untilWhole(cluster, hosts);
});

Deno.test("seeds that are all started anew at once, knowing nobody, are no island", () => {
  const SEEDS = ["10.0.0.1:7947", "10.0.0.2:7947", "10.0.0.3:7947"];
  const cluster = swimCluster(51, {
    start: (boot) => {
      const isSeed = SEEDS.includes(boot.endpoint);
      const seeds = isSeed ? [] : SEEDS;
      return new Swim(swimOptions(boot, seeds), boot.random, SILENT_RIDER);
    },
  });
  const hosts = bootHosts(cluster, 9);
  cluster.runUntil("all alive", () => allSee(cluster, hosts, "alive"), 60_000);
  const seeds = hosts.slice(0, 3);
  const rest = hosts.slice(3);
  for (const seed of seeds) cluster.kill(seed);
  cluster.runUntil("seeds are dead", () => see(rest, seeds, "dead"), 60_000);
  restartEmpty(cluster, seeds);
  untilWhole(cluster, hosts);
});

Deno.test("a partition that comes and goes every ten seconds leaves no scar", () => {
  const { cluster, hosts } = formed(52, 10);
  const [these, those] = sides(hosts);
  for (let turn = 0; turn < 20; turn++) {
    cluster.network.partition(endpoints(these), endpoints(those));
    cluster.runFor(10_000);
    cluster.network.heal();
    cluster.runFor(10_000);
  }
  untilWhole(cluster, hosts);
  cluster.runFor(60_000);
  assert.equal(allSee(cluster, hosts, "alive"), true);
});
