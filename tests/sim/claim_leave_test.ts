/** Leaving and coming back in one process, released subnets at rest, and what a leave does to a question. */
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { makePool, subnetsOf } from "../../mod/address/pool.ts";
import { HostCluster } from "../../mod/sim/host_cluster.ts";
import { claimOf, firstSeed, isRouted, subnetsHeld } from "./claim_hosts.ts";

const SEVEN_SUBNETS = makePool({ network: "10.9.0.0/25", subnetLength: 28 });
const MINUTE_MS = 60_000;

Deno.test("who gave its subnet back and joins again in the same process claims again", () => {
  const hosts = new HostCluster({ seed: 1 });
  const [first, second, third] = hosts.grow(3);
  ok(first && second && third);
  const { subnet } = claimOf(third);
  hosts.cluster.command(third, { kind: "leave", release: true });
  hosts.cluster.runFor(5_000);
  equal(claimOf(third).state, "released");
  ok(!isRouted(first, third));
  hosts.cluster.command(third, { kind: "join", seeds: firstSeed(hosts) });
  hosts.untilHeld([third], 15_000);
  equal(claimOf(third).subnet, subnet, "it may have its own back at once");
  hosts.cluster.runFor(10_000);
  ok(isRouted(first, third) && isRouted(second, third));
  hosts.checkQuiescent();
});

Deno.test("leave and join within a second, with and without a release, end in a claim of its own", () => {
  for (const release of [true, false]) {
    for (const pauseMs of [0, 1, 3, 20, 300, 900]) {
      const hosts = new HostCluster({ seed: 2, persistDelayMs: 5 });
      const [first, second, third] = hosts.grow(3);
      ok(first && second && third);
      hosts.cluster.command(third, { kind: "leave", release });
      hosts.cluster.runFor(pauseMs);
      hosts.cluster.command(third, { kind: "join", seeds: firstSeed(hosts) });
      hosts.cluster.runFor(30_000);
      equal(claimOf(third).state, "held", `after ${pauseMs} ms`);
      ok(isRouted(first, third) && isRouted(second, third));
      equal(third.snapshot().swim.members.filter(({ status }) => status === "alive").length, 3);
      hosts.checkQuiescent();
    }
  }
});

Deno.test("a leave without release while it asks withdraws the question, and nothing is asked after it", () => {
  const hosts = new HostCluster({ seed: 3, persistDelayMs: 20 });
  const [first] = hosts.grow(2);
  ok(first);
  const newcomer = hosts.start({ seeds: firstSeed(hosts) });
  hosts.cluster.runUntil("it asks", () => claimOf(newcomer).record !== null, 1_000);
  const asked = claimOf(newcomer).record?.subnet;
  hosts.cluster.command(newcomer, { kind: "leave", release: false });
  hosts.cluster.runFor(MINUTE_MS);
  equal(claimOf(newcomer).state, "released");
  const known = claimOf(first).records.find(({ hostId }) => hostId === hosts.idOf(newcomer.name));
  deepEqual([known?.state, known?.strength, known?.subnet], ["released", 0, asked]);
  const { sequence } = claimOf(newcomer).record ?? {};
  hosts.cluster.command(newcomer, { kind: "join", seeds: firstSeed(hosts) });
  hosts.untilHeld([newcomer], 10_000);
  equal(claimOf(newcomer).subnet, asked);
  ok(sequence !== undefined && (claimOf(newcomer).record?.sequence ?? 0) > sequence);
});

Deno.test("a host that left while it listened or waited claims nothing until it joins again", () => {
  const hosts = new HostCluster({
    seed: 4,
    pool: makePool({ network: "10.9.0.0/26", subnetLength: 28 }),
  });
  const all = hosts.grow(3);
  const [, second] = all;
  ok(second);
  const waiting = hosts.start({ seeds: firstSeed(hosts) });
  hosts.cluster.runFor(10_000);
  equal(claimOf(waiting).state, "waiting");
  hosts.cluster.command(waiting, { kind: "leave", release: false });
  hosts.cluster.runFor(1_000);
  hosts.cluster.command(second, { kind: "leave", release: true });
  hosts.cluster.runFor(MINUTE_MS);
  equal(claimOf(waiting).subnet, null);
  hosts.cluster.command(waiting, { kind: "join", seeds: firstSeed(hosts) });
  hosts.untilHeld([waiting], 15_000);
});

Deno.test("a newcomer that never heard of the release lets the subnet rest, as the members tell it", () => {
  const hosts = new HostCluster({ seed: 5, pool: SEVEN_SUBNETS });
  const [, second] = hosts.grow(4);
  ok(second);
  const released = claimOf(second).subnet;
  hosts.cluster.command(second, { kind: "leave", release: true });
  hosts.cluster.runFor(5_000);
  hosts.configure(second, {
    pin: subnetsOf(SEVEN_SUBNETS).find((subnet) =>
      !subnetsHeld(hosts.cluster.hosts).includes(subnet) && subnet !== released
    ) ?? null,
    seeds: firstSeed(hosts),
  });
  hosts.restart(second); // its next claim replaces the tombstone
  hosts.untilHeld([second], 10_000);
  notEqual(claimOf(second).subnet, released);
  const rest = [1, 2].map(() => {
    const newcomer = hosts.start({ seeds: firstSeed(hosts) });
    hosts.untilHeld([newcomer], 10_000);
    return newcomer;
  });
  ok(!subnetsHeld(rest).includes(released));
  const last = hosts.start({ seeds: firstSeed(hosts) });
  hosts.untilHeld([last], 10_000);
  equal(claimOf(last).subnet, released, "nothing else is free");
  hosts.cluster.runFor(10_000);
  hosts.checkQuiescent();
});

Deno.test("of several subnets that rest, who finds no other takes the one that has rested longest", () => {
  const hosts = new HostCluster({ seed: 6, pool: SEVEN_SUBNETS });
  const all = hosts.grow(7);
  const [, second, third, fourth] = all;
  ok(second && third && fourth);
  const released = [third, second, fourth].map((host) => {
    const { subnet } = claimOf(host);
    hosts.cluster.command(host, { kind: "leave", release: true });
    hosts.cluster.runFor(MINUTE_MS);
    hosts.kill(host);
    return subnet;
  });
  const taken = released.map(() => {
    const newcomer = hosts.start({ seeds: firstSeed(hosts) });
    hosts.untilHeld([newcomer], 10_000);
    return claimOf(newcomer).subnet;
  });
  deepEqual(taken, released);
});

Deno.test("who joins again and reaches nobody waits: what happened meanwhile is not known", () => {
  const hosts = new HostCluster({ seed: 8 });
  const [first, second, third] = hosts.grow(3);
  ok(first && second && third);
  hosts.cluster.command(third, { kind: "leave", release: true });
  hosts.cluster.runFor(5_000);
  for (const host of [first, second]) hosts.kill(host);
  hosts.cluster.command(third, { kind: "join", seeds: firstSeed(hosts) });
  hosts.cluster.runFor(MINUTE_MS);
  equal(claimOf(third).subnet, null);
  hosts.restart(first);
  hosts.untilHeld([third], 40_000);
});
