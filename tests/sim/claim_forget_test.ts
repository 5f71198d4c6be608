/** What `forget` does to claims: a raised fence, which the living refute. */
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { makePool } from "../../mod/address/pool.ts";
import { HostCluster, type SimulatedHost } from "../../mod/sim/host_cluster.ts";
import { claimOf, eventsOf, firstSeed, statesOf, subnetsHeld } from "./claim_hosts.ts";

/** Three subnets that may be claimed: .16, .32 and .48. */
const THREE_SUBNETS = makePool({ network: "10.9.0.0/26", subnetLength: 28 });
const HOUR_MS = 3_600_000;

function forget(hosts: HostCluster, by: SimulatedHost, host: SimulatedHost, force = false): void {
  const id = hosts.idOf(host.name);
  ok(id !== null);
  hosts.cluster.command(by, { kind: "forget", id, force });
}

/** Whether that host routes the other one's subnet to it, also when it is down. */
function isRouted(hosts: HostCluster, host: SimulatedHost, other: SimulatedHost): boolean {
  return claimOf(host).owners.some(({ hostId }) => hostId === hosts.idOf(other.name));
}

function threeOf(hosts: HostCluster): [SimulatedHost, SimulatedHost, SimulatedHost] {
  const [first, second, third] = hosts.grow(3);
  ok(first && second && third);
  return [first, second, third];
}

Deno.test("the subnet of a forgotten host is free at once, everywhere, and its routes go", () => {
  const hosts = new HostCluster({ seed: 1, pool: THREE_SUBNETS });
  const [first, second, third] = threeOf(hosts);
  const { subnet } = claimOf(third);
  hosts.kill(third);
  const newcomer = hosts.start({ seeds: firstSeed(hosts) });
  hosts.cluster.runFor(60_000);
  equal(claimOf(newcomer).state, "waiting");
  ok(isRouted(hosts, first, third) && isRouted(hosts, second, third), "death frees nothing");
  forget(hosts, second, third);
  hosts.untilHeld([newcomer], 4_000);
  equal(claimOf(newcomer).subnet, subnet);
  ok(!isRouted(hosts, first, third) && !isRouted(hosts, second, third));
  equal(claimOf(newcomer).record?.epoch, 3, "above the fence that was raised to 2");
});

Deno.test("a host that is gone may be forgotten by any host, any number of times", () => {
  const hosts = new HostCluster({ seed: 2 });
  const [first, second, third] = threeOf(hosts);
  hosts.kill(third);
  hosts.cluster.runFor(60_000);
  for (const by of [first, second, first]) {
    forget(hosts, by, third);
    hosts.cluster.runFor(5_000);
    ok(!isRouted(hosts, first, third) && !isRouted(hosts, second, third));
  }
  for (const host of [first, second]) {
    equal(claimOf(host).records.find(({ hostId }) => hostId === hosts.idOf(third.name))?.epoch, 1);
    equal(claimOf(host).fenceSize, 3);
    deepEqual(eventsOf(host, "conflict"), []);
  }
});

Deno.test("a forgotten host that comes back before anybody took its subnet keeps it, above the fence", () => {
  const hosts = new HostCluster({ seed: 3, pool: THREE_SUBNETS });
  const [first, second, third] = threeOf(hosts);
  const { subnet } = claimOf(third);
  hosts.kill(third);
  hosts.cluster.runFor(60_000);
  forget(hosts, first, third);
  hosts.cluster.runFor(10_000);
  hosts.restart(third);
  hosts.cluster.runFor(60_000);
  equal(claimOf(third).subnet, subnet);
  equal(claimOf(third).state, "held");
  ok(isRouted(hosts, first, third) && isRouted(hosts, second, third));
  equal(claimOf(third).record?.epoch, 3);
  hosts.checkQuiescent();
});

Deno.test("a forgotten host that comes back after somebody took its subnet moves, once", () => {
  const hosts = new HostCluster({ seed: 4 });
  const [first, , third] = threeOf(hosts);
  const subnet = claimOf(third).subnet;
  ok(subnet !== null);
  hosts.kill(third);
  hosts.cluster.runFor(60_000);
  forget(hosts, first, third);
  const taker = hosts.start({ seeds: firstSeed(hosts), pin: subnet });
  hosts.untilHeld([taker], 10_000);
  hosts.invariants.allowDoubles = true; // it holds before it hears
  hosts.restart(third);
  hosts.cluster.runFor(60_000);
  equal(claimOf(taker).subnet, subnet);
  notEqual(claimOf(third).subnet, subnet);
  equal(claimOf(third).state, "held");
  equal(eventsOf(third, "renumbered").length, 1);
  equal(eventsOf(taker, "renumbered").length, 0);
  hosts.checkQuiescent();
});

Deno.test("a host forgotten by the other half of a split is routed again as soon as it is seen, with its subnet", () => {
  for (const seed of [8, 9, 10, 11]) {
    const hosts = new HostCluster({ seed });
    const left = hosts.grow(3);
    const right = hosts.grow(3);
    const [first, lost] = [left[0], right[2]];
    ok(first && lost);
    const before = claimOf(lost).record;
    hosts.cluster.network.partition(right.map(({ endpoint }) => endpoint));
    hosts.cluster.runFor(60_000);
    forget(hosts, first, lost);
    hosts.cluster.runFor(60_000);
    ok(!left.some((host) => isRouted(hosts, host, lost)));
    hosts.cluster.network.heal();
    const isSeen = (by: SimulatedHost) =>
      by.snapshot().swim.members.some(({ id, status }) =>
        id === hosts.idOf(lost.name) && status === "alive"
      );
    hosts.cluster.runUntil("it is seen again", () => left.every(isSeen), 120_000);
    hosts.cluster.runFor(1_000); // far less than the 30 s between two syncs
    ok(left.every((host) => isRouted(hosts, host, lost)));
    equal(claimOf(lost).record?.subnet, before?.subnet);
    hosts.checkQuiescent();
  }
});

Deno.test("forgetting a live host by force takes nothing from it, and costs it one write", () => {
  const hosts = new HostCluster({ seed: 5 });
  const [first, second, third] = threeOf(hosts);
  hosts.cluster.runFor(30_000);
  const before = claimOf(third).record;
  ok(before);
  forget(hosts, first, third, true);
  hosts.cluster.runFor(30_000);
  const after = claimOf(third).record;
  equal(after?.subnet, before.subnet);
  equal(after?.epoch, before.epoch + 2);
  equal(after?.sequence, before.sequence + 1);
  ok(isRouted(hosts, first, third) && isRouted(hosts, second, third));
  deepEqual(eventsOf(third, "renumbered"), []);
});

Deno.test("a live host is not forgotten without force", () => {
  const hosts = new HostCluster({ seed: 6 });
  const [first, , third] = threeOf(hosts);
  hosts.cluster.runFor(30_000);
  const before = claimOf(third).record;
  forget(hosts, first, third);
  hosts.cluster.runFor(30_000);
  deepEqual(claimOf(third).record, before);
});

Deno.test("the question of a newcomer that died is forgotten like a claim", () => {
  const hosts = new HostCluster({ seed: 7, pool: THREE_SUBNETS, persistDelayMs: 20 });
  const [first, second] = hosts.grow(2);
  ok(first && second);
  const newcomer = hosts.start({ seeds: firstSeed(hosts) });
  hosts.cluster.runUntil("it asks", () => claimOf(newcomer).record !== null, 1_000);
  hosts.cluster.runFor(0.5); // its question arrives, its next write does not end
  hosts.kill(newcomer);
  hosts.cluster.runFor(60_000);
  const asked = claimOf(first).records.find(({ state }) => state === "tentative");
  ok(asked);
  const other = hosts.start({ seeds: firstSeed(hosts) });
  hosts.cluster.runFor(30_000);
  equal(claimOf(other).state, "waiting");
  forget(hosts, second, newcomer);
  hosts.untilHeld([other], 4_000);
  equal(claimOf(other).subnet, asked.subnet);
  equal(claimOf(other).record?.epoch, asked.epoch + 1);
});

Deno.test("a host forgotten with its membership long gone is free too, and its claim is dropped after a day", () => {
  const hosts = new HostCluster({ seed: 8, pool: THREE_SUBNETS });
  const [first, second, third] = threeOf(hosts);
  hosts.kill(third);
  hosts.cluster.runFor(60_000);
  forget(hosts, first, third);
  hosts.cluster.runFor(60_000);
  forget(hosts, second, third); // a member that left, or none at all
  const known = () => [first, second].map((host) => claimOf(host).records.length);
  deepEqual(known(), [3, 3]);
  for (const host of [first, second]) hosts.kill(host);
  for (const host of [first, second]) hosts.restart(host);
  hosts.cluster.runFor(23.9 * HOUR_MS);
  deepEqual(known(), [3, 3]);
  hosts.cluster.runFor(0.3 * HOUR_MS);
  deepEqual(known(), [2, 2]);
  deepEqual(statesOf([first, second]), ["held", "held"]);
  equal(new Set(subnetsHeld([first, second])).size, 2);
  hosts.restart(third); // its old disk says held at epoch 1
  hosts.cluster.runFor(60_000);
  equal(claimOf(third).record?.epoch, 3);
  hosts.checkQuiescent();
});
