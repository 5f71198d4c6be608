/** Attended absence: when the subnet of a host that does not come back is taken, and when not. */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { makePool } from "../../mod/address/pool.ts";
import { HostCluster, type SimulatedHost } from "../../mod/sim/host_cluster.ts";
import { claimOf, eventsOf, firstSeed, statesOf, subnetsHeld } from "./claim_hosts.ts";

/** Three subnets that may be claimed. */
const THREE_SUBNETS = makePool({ network: "10.9.0.0/26", subnetLength: 28 });
/** Seven of them. */
const SEVEN_SUBNETS = makePool({ network: "10.9.0.0/25", subnetLength: 28 });
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Hosts that fill their pool, each of which may be absent for an hour. */
function full(seed: number, count: number): { hosts: HostCluster; all: SimulatedHost[] } {
  const pool = count === 3 ? THREE_SUBNETS : SEVEN_SUBNETS;
  const hosts = new HostCluster({ seed, pool });
  const all: SimulatedHost[] = [];
  for (let number = 0; number < count; number++) {
    const seeds = number === 0 ? [] : firstSeed(hosts);
    const host = hosts.start({ seeds, absenceTtlHours: 1 });
    hosts.untilHeld([host], 10_000);
    all.push(host);
  }
  hosts.cluster.runFor(10_000);
  return { hosts, all };
}

function writesOf(host: SimulatedHost): number {
  return claimOf(host).record?.sequence ?? -1;
}

Deno.test("the subnet of a host that was absent for its time is taken when nothing else is free", () => {
  const { hosts, all: [first, second, third] } = full(1, 3);
  ok(first && second && third);
  const { subnet } = claimOf(third);
  hosts.kill(third);
  const newcomer = hosts.start({ seeds: firstSeed(hosts) });
  hosts.cluster.runFor(59 * MINUTE_MS);
  equal(claimOf(newcomer).state, "waiting");
  const tookMs = hosts.untilHeld([newcomer], 4 * MINUTE_MS);
  ok(tookMs > MINUTE_MS, `${tookMs} ms`);
  equal(claimOf(newcomer).subnet, subnet);
  equal(claimOf(newcomer).record?.epoch, 2);
  equal(claimOf(newcomer).record?.strength, 2, "a majority gave leave");
  hosts.cluster.runFor(10_000);
  hosts.checkQuiescent();
  for (const host of [first, second]) deepEqual(eventsOf(host, "conflict"), []);
});

Deno.test("a newcomer that comes when the absence is over is told so by the members", () => {
  const { hosts, all } = full(3, 7);
  const [, , lost] = all;
  ok(lost);
  const { subnet } = claimOf(lost);
  hosts.kill(lost);
  hosts.cluster.runFor(62 * MINUTE_MS);
  const newcomer = hosts.start({ seeds: firstSeed(hosts) });
  hosts.untilHeld([newcomer], 15_000);
  equal(claimOf(newcomer).subnet, subnet);
});

Deno.test("who comes back after its subnet was taken yields to the higher epoch without holding it, and moves once", () => {
  const { hosts, all } = full(2, 7);
  const [, , lost, released] = all;
  ok(lost && released);
  const { subnet } = claimOf(lost);
  hosts.kill(lost);
  const newcomer = hosts.start({ seeds: firstSeed(hosts) });
  hosts.untilHeld([newcomer], 64 * MINUTE_MS);
  equal(claimOf(newcomer).subnet, subnet);
  hosts.cluster.command(released, { kind: "leave", release: true });
  hosts.cluster.runFor(10_000);
  const past = eventsOf(lost, "claim-changed").length;
  hosts.restart(lost);
  hosts.cluster.runFor(MINUTE_MS);
  const stages = eventsOf(lost, "claim-changed").slice(past).map(({ to }) => to);
  deepEqual(stages.filter((to) => to.state === "held").map((to) => to.subnet), [
    claimOf(lost).subnet,
  ]);
  equal(claimOf(newcomer).subnet, subnet);
  equal(claimOf(lost).state, "held");
  notEqual(claimOf(lost).subnet, subnet);
  equal(eventsOf(lost, "renumbered").length, 1);
  hosts.checkQuiescent();
});

Deno.test("an owner that comes back in the middle of the reclaim keeps its subnet", () => {
  for (let seed = 10; seed < 14; seed++) {
    const { hosts, all } = full(seed, 7);
    const [, , lost] = all;
    ok(lost);
    const { subnet } = claimOf(lost);
    hosts.kill(lost);
    const newcomer = hosts.start({ seeds: firstSeed(hosts) });
    hosts.cluster.runUntil("it asks", () => claimOf(newcomer).state === "tentative", 2 * HOUR_MS);
    hosts.cluster.runFor((seed - 9) * 900);
    hosts.restart(lost);
    hosts.cluster.runFor(5 * MINUTE_MS);
    equal(claimOf(lost).subnet, subnet, `seed ${seed}`);
    deepEqual([claimOf(lost).state, claimOf(newcomer).state], ["held", "waiting"]);
    deepEqual(eventsOf(lost, "renumbered"), []);
    hosts.checkQuiescent();
  }
});

Deno.test("of three that wait for one absent host's subnet one gets it, the others go on waiting quietly", () => {
  for (let seed = 20; seed < 22; seed++) {
    const { hosts, all } = full(seed, 7);
    const [, , , , lost] = all;
    ok(lost);
    hosts.kill(lost);
    const waiting = [1, 2, 3].map(() => hosts.start({ seeds: firstSeed(hosts) }));
    hosts.cluster.runUntil(
      "one of them gets it",
      () => statesOf(waiting).includes("held"),
      2 * HOUR_MS,
    );
    hosts.cluster.runFor(2 * HOUR_MS);
    deepEqual(statesOf(waiting).toSorted(), ["held", "waiting", "waiting"]);
    for (const host of waiting) ok(writesOf(host) <= 5, `${host.name} wrote ${writesOf(host)}`);
    hosts.checkQuiescent();
    equal(new Set(subnetsHeld(hosts.cluster.hosts.filter(({ isRunning }) => isRunning))).size, 8);
  }
});

Deno.test("who sees no majority counts no absence, however long it lasts", () => {
  const { hosts, all: [first, second, third] } = full(30, 3);
  ok(first && second && third);
  hosts.kill(second);
  hosts.kill(third);
  const newcomer = hosts.start({ seeds: firstSeed(hosts) });
  hosts.cluster.runFor(5 * HOUR_MS);
  equal(claimOf(newcomer).state, "waiting", "two of four are no majority");
  hosts.restart(second);
  hosts.cluster.runFor(MINUTE_MS);
  equal(claimOf(newcomer).state, "waiting", "and nothing was counted before");
  hosts.untilHeld([newcomer], 64 * MINUTE_MS);
  hosts.cluster.runFor(10_000);
  hosts.checkQuiescent();
});

Deno.test("a waiting host says how many subnets belong to absent hosts, since when, and what to do", () => {
  const { hosts, all } = full(31, 7);
  const [, , one, other] = all;
  ok(one && other);
  const newcomer = hosts.start({ seeds: firstSeed(hosts) });
  hosts.cluster.runFor(10_000);
  const problem = () =>
    claimOf(newcomer).problems.map(({ code, text, remedy }) => `${code}: ${text}. ${remedy}`);
  deepEqual(problem(), [
    "no-free-subnet: All 7 subnets of 10.9.0.0/25 are claimed. Add networks with gossamer pool " +
    "grow, or release a subnet with gossamer leave --release on a host that goes",
  ]);
  hosts.kill(one);
  hosts.kill(other);
  hosts.cluster.runFor(30 * MINUTE_MS);
  match(
    problem()[0] ?? "",
    /^no-free-subnet: .* claimed, 2 of them by absent hosts \(h\d .* for less than an hour, .*forget/,
  );
});

Deno.test("a question whose host died stands in the way for ten minutes at most, when nothing else is free", () => {
  const hosts = new HostCluster({ seed: 32, pool: SEVEN_SUBNETS, persistDelayMs: 20 });
  const all = hosts.grow(6);
  const dying = hosts.start({ seeds: firstSeed(hosts) });
  hosts.cluster.runUntil("it asks", () => claimOf(dying).record !== null, 1_000);
  hosts.cluster.runFor(0.5); // its question arrives, its next write does not end
  hosts.kill(dying);
  const newcomer = hosts.start({ seeds: firstSeed(hosts) });
  hosts.cluster.runFor(9 * MINUTE_MS);
  equal(claimOf(newcomer).state, "waiting");
  hosts.untilHeld([newcomer], 4 * MINUTE_MS);
  equal(new Set(subnetsHeld([...all, newcomer])).size, 7);
  hosts.cluster.runFor(10_000);
  hosts.checkQuiescent();
});
