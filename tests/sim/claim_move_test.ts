/** Hosts whose address changes while they run: the subnet stays, and everybody's way to it follows. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { Random } from "../../mod/base/random.ts";
import {
  HostCluster,
  type HostClusterOptions,
  type SimulatedHost,
} from "../../mod/sim/host_cluster.ts";
import { testKeyring } from "../support/test_cipher.ts";
import { claimOf, eventsOf, statesOf, subnetsHeld } from "./claim_hosts.ts";

/** An address that nobody had before. */
const ELSEWHERE = "10.9.9.9:7947";
/** Letters to everybody, after one write to the disk. */
const TOLD_MS = 100;
/** Suspicions that a change of address starts are refuted by then. */
const CALM_MS = 30_000;
const HEAL_MS = 60_000;

/** As an agent does when its underlay is another one, or is back. */
function tell(hosts: HostCluster, host: SimulatedHost): void {
  const { cluster } = hosts;
  cluster.command(host, { kind: "move", endpoint: host.endpoint });
  cluster.command(host, { kind: "set-vtep", vtep: hosts.vtepOf(host) });
}

function move(hosts: HostCluster, host: SimulatedHost, endpoint: string): void {
  hosts.cluster.move(host, endpoint);
  tell(hosts, host);
}

function swap(hosts: HostCluster, one: SimulatedHost, two: SimulatedHost): void {
  const endpoints = [one.endpoint, two.endpoint] as const;
  hosts.cluster.move(one, endpoints[1]);
  hosts.cluster.move(two, endpoints[0]);
  tell(hosts, one);
  tell(hosts, two);
}

/** Whether every host sends every other one's packets to where that one is. */
function areRoutesRight(hosts: HostCluster): boolean {
  const { running } = hosts.cluster;
  return running.every((host) =>
    running.every((other) => {
      const { id } = other.snapshot().swim.self;
      const owner = claimOf(host).owners.find(({ hostId }) => hostId === id);
      return owner?.vtep.address === hosts.vtepOf(other).address;
    })
  );
}

/** Whether every host knows every other as alive, at its address. */
function areMembersRight(hosts: HostCluster): boolean {
  const { running } = hosts.cluster;
  return running.every((host) =>
    running.every((other) => {
      const { id } = other.snapshot().swim.self;
      const member = host.snapshot().swim.members.find((known) => known.id === id);
      return member?.status === "alive" && member.endpoint === other.endpoint;
    })
  );
}

function untilRight(hosts: HostCluster, withinMs: number): number {
  return hosts.cluster.runUntil(
    "everybody finds everybody",
    () => areRoutesRight(hosts) && areMembersRight(hosts),
    withinMs,
  );
}

/** A settled cluster and what may not change: who holds what, and how strongly. */
function settled(count: number, options: HostClusterOptions) {
  const hosts = new HostCluster(options);
  const all = hosts.grow(count);
  hosts.cluster.runFor(60_000);
  const ranks = () =>
    all.map((host) => {
      const { record, state } = claimOf(host);
      return [state, record?.subnet, record?.epoch, record?.strength, record?.stamp];
    });
  const before = ranks();
  const unchanged = () => {
    deepEqual(ranks(), before);
    for (const host of all) {
      deepEqual([eventsOf(host, "renumbered"), eventsOf(host, "conflict")], [[], []]);
    }
    hosts.checkQuiescent();
  };
  return { hosts, all, unchanged };
}

function at(hosts: readonly SimulatedHost[], index: number): SimulatedHost {
  const host = hosts[index];
  ok(host);
  return host;
}

const SEALED = { keyring: (random: Random) => testKeyring(random, 1) };

for (const [how, options] of [["plain", {}], ["sealed", SEALED]] as const) {
  Deno.test(`${how}: a host that gets another address keeps its subnet, and everybody finds it`, () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { hosts, all, unchanged } = settled(8, { seed, ...options });
      move(hosts, at(all, 3), ELSEWHERE);
      hosts.cluster.runUntil("routes", () => areRoutesRight(hosts), TOLD_MS);
      untilRight(hosts, CALM_MS);
      hosts.cluster.runFor(CALM_MS);
      ok(areMembersRight(hosts) && areRoutesRight(hosts));
      unchanged();
    }
  });
}

Deno.test("with a fifth of the packets lost everybody finds it all the same", () => {
  const { hosts, all, unchanged } = settled(12, { seed: 6 });
  hosts.cluster.network.configure({ lossRate: 0.2 });
  move(hosts, at(all, 3), ELSEWHERE);
  untilRight(hosts, CALM_MS);
  hosts.cluster.network.configure({ lossRate: 0 });
  hosts.cluster.runFor(HEAL_MS);
  unchanged();
});

Deno.test("a host that moves while it is cut off is found where it is when the partition heals", () => {
  for (let seed = 10; seed < 15; seed++) {
    const { hosts, all, unchanged } = settled(6, { seed });
    const [mover, companion] = [at(all, 4), at(all, 5)];
    hosts.cluster.network.partition([mover.home, companion.home]);
    hosts.cluster.runFor(120_000);
    move(hosts, mover, ELSEWHERE);
    hosts.cluster.runFor(120_000);
    hosts.cluster.network.heal();
    untilRight(hosts, HEAL_MS);
    hosts.cluster.runFor(CALM_MS);
    unchanged();
  }
});

Deno.test("all alone and moved, a host finds the others when its network is back", () => {
  for (let seed = 20; seed < 25; seed++) {
    const { hosts, all, unchanged } = settled(5, { seed });
    const mover = at(all, 2);
    hosts.cluster.network.partition([mover.home]);
    hosts.cluster.runFor(600_000);
    hosts.cluster.network.heal();
    move(hosts, mover, ELSEWHERE);
    const ms = untilRight(hosts, 1_000);
    ok(ms < 1_000);
    hosts.cluster.runFor(CALM_MS);
    unchanged();
  }
});

Deno.test("whose network is back at the address it had is found at once, not at the next attempt", () => {
  const { hosts, all, unchanged } = settled(5, { seed: 30 });
  const lost = at(all, 2);
  hosts.cluster.network.partition([lost.home]);
  hosts.cluster.runFor(600_000);
  hosts.cluster.network.heal();
  tell(hosts, lost);
  untilRight(hosts, 1_000);
  hosts.cluster.runFor(CALM_MS);
  unchanged();
});

Deno.test("who was away when another one moved learns of it as soon as its network is back", () => {
  for (let seed = 35; seed < 40; seed++) {
    const { hosts, all, unchanged } = settled(5, { seed });
    const away = at(all, 2);
    hosts.cluster.network.partition([away.home]);
    hosts.cluster.runFor(1_000);
    move(hosts, at(all, 3), ELSEWHERE);
    hosts.cluster.runFor(2_000);
    hosts.cluster.network.heal();
    tell(hosts, away);
    hosts.cluster.runUntil("routes", () => areRoutesRight(hosts), 100);
    hosts.cluster.runFor(CALM_MS);
    unchanged();
  }
});

Deno.test("two of five hosts swap their addresses, at once or one a while after the other", () => {
  for (let seed = 40; seed < 45; seed++) {
    const { hosts, all, unchanged } = settled(5, { seed });
    swap(hosts, at(all, 1), at(all, 3));
    hosts.cluster.runUntil("routes", () => areRoutesRight(hosts), 2_000);
    untilRight(hosts, CALM_MS);
    const [one, two] = [at(all, 0), at(all, 1)];
    const endpoints = [one.endpoint, two.endpoint] as const;
    move(hosts, one, ELSEWHERE);
    hosts.cluster.runFor(5_000);
    move(hosts, two, endpoints[0]);
    hosts.cluster.runFor(5_000);
    move(hosts, one, endpoints[1]);
    untilRight(hosts, CALM_MS);
    hosts.cluster.runFor(CALM_MS);
    unchanged();
  }
});

Deno.test("two hosts that are all there is swap their addresses, and find each other", () => {
  for (let seed = 50; seed < 60; seed++) {
    const { hosts, all, unchanged } = settled(2, { seed });
    swap(hosts, at(all, 0), at(all, 1));
    untilRight(hosts, HEAL_MS);
    hosts.cluster.runFor(CALM_MS);
    unchanged();
  }
});

Deno.test("an address that somebody else took leads to its new host, and the old one is found elsewhere", () => {
  const { hosts, all, unchanged } = settled(5, { seed: 60 });
  const mover = at(all, 2);
  const { endpoint } = mover;
  hosts.cluster.move(mover, "10.8.8.8:7947"); // it has no network, and knows of no address yet
  const newcomer = hosts.cluster.add("newcomer");
  hosts.cluster.move(newcomer, endpoint);
  hosts.configure(newcomer, { seeds: [at(all, 0).endpoint] });
  hosts.cluster.boot(newcomer);
  hosts.untilHeld([newcomer], HEAL_MS);
  hosts.cluster.runFor(HEAL_MS);
  move(hosts, mover, ELSEWHERE);
  untilRight(hosts, HEAL_MS);
  hosts.cluster.runFor(CALM_MS);
  unchanged();
  equal(new Set(subnetsHeld(hosts.cluster.hosts)).size, 6);
});

Deno.test("when all addresses change at once, a name that leads to the new ones brings all together again", () => {
  const hosts = new HostCluster({ seed: 70 });
  hosts.cluster.names.set("gossamer.example", ["10.0.0.1:7947"]);
  const all = Array.from({ length: 4 }, (_, index) => {
    const host = hosts.start({ seeds: ["gossamer.example"], bootstrap: index === 0 });
    hosts.untilHeld([host], HEAL_MS);
    return host;
  });
  const held = subnetsHeld(all);
  hosts.cluster.runFor(HEAL_MS);
  hosts.cluster.names.set("gossamer.example", ["10.7.0.1:7947"]);
  for (const [index, host] of all.entries()) move(hosts, host, `10.7.0.${index + 1}:7947`);
  untilRight(hosts, 120_000);
  hosts.cluster.runFor(CALM_MS);
  deepEqual(subnetsHeld(all), held);
  deepEqual(statesOf(all), ["held", "held", "held", "held"]);
});
