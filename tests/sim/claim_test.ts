/** Claims of whole clusters in virtual time; every step is checked by mod/sim/invariants.ts. */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { makePool } from "../../mod/address/pool.ts";
import { HostCluster } from "../../mod/sim/host_cluster.ts";
import {
  claimOf,
  eventsOf,
  firstSeed,
  hostAt,
  identitiesWanting,
  isRouted,
  statesOf,
  subnetsHeld,
} from "./claim_hosts.ts";

/** There and back over the simulated LAN at its slowest. */
const ROUND_TRIP_MS = 2 * 0.2;
const POOL = makePool({ network: "10.244.0.0/16" });
/** Three subnets that may be claimed: .16, .32 and .48. */
const THREE_SUBNETS = makePool({ network: "10.9.0.0/26", subnetLength: 28 });

Deno.test("a first host without seeds holds a subnet as soon as its disk has it", () => {
  const hosts = new HostCluster({ seed: 1, persistDelayMs: 5 });
  equal(hosts.untilHeld([hosts.start({})], 1_000), 5);
});

Deno.test("a newcomer holds a subnet within two round trips of hearing the cluster", () => {
  const hosts = new HostCluster({ seed: 2, persistDelayMs: 0 });
  hosts.grow(4);
  const fifth = hosts.start({ seeds: firstSeed(hosts) });
  // A sync with the seed, then syncs with two more members at once, then one question to all.
  ok(hosts.untilHeld([fifth], 1_000) <= 3 * ROUND_TRIP_MS);
});

Deno.test("a claim that becomes held is pushed to everybody, not left to the next gossip tick", () => {
  const hosts = new HostCluster({ seed: 3, persistDelayMs: 0 });
  const others = hosts.grow(4);
  const fifth = hosts.start({ seeds: firstSeed(hosts) });
  hosts.untilHeld([fifth], 1_000);
  const afterMs = hosts.cluster.runUntil(
    "all route to the fifth host",
    () => others.every((host) => isRouted(host, fifth)),
    1_000,
  );
  ok(afterMs <= ROUND_TRIP_MS / 2, `${afterMs} ms`);
});

Deno.test("hosts that all want one subnet first and start at once hold different ones", () => {
  const wanting = identitiesWanting("10.244.77.0/24", 6, POOL);
  for (let seed = 1; seed <= 12; seed++) {
    const hosts = new HostCluster({ seed, network: { jitterMs: 2, duplicateRate: 0.1 } });
    hosts.grow(2);
    const count = 2 + seed % 5;
    const newcomers = wanting.slice(0, count).map((identity) =>
      hosts.start({ seeds: [hostAt(hosts, seed % 2).endpoint], identity })
    );
    hosts.untilHeld(newcomers, 10_000);
    equal(new Set(subnetsHeld(newcomers)).size, newcomers.length);
    ok(subnetsHeld(newcomers).includes("10.244.77.0/24"), "one of them has what all wanted");
    hosts.cluster.runFor(10_000);
    hosts.checkQuiescent();
    ok(newcomers.every((host) => eventsOf(host, "renumbered").length === 0));
  }
});

Deno.test("two hosts that want the last two subnets at once both get one", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const hosts = new HostCluster({ seed, pool: THREE_SUBNETS, network: { jitterMs: 1 } });
    hosts.grow(1);
    const pair = [1, 2].map(() => hosts.start({ seeds: firstSeed(hosts) }));
    hosts.untilHeld(pair, 10_000);
    equal(new Set(subnetsHeld(hosts.cluster.hosts)).size, 3);
  }
});

Deno.test("five and twenty newcomers at once all hold subnets of their own", () => {
  for (const [count, seed] of [[5, 1], [5, 2], [5, 3], [20, 4], [20, 5]] as const) {
    const hosts = new HostCluster({ seed });
    hosts.grow(1);
    const newcomers = Array.from({ length: count }, () => hosts.start({ seeds: firstSeed(hosts) }));
    hosts.untilHeld(newcomers, 6_400); // two waits
    hosts.cluster.runFor(10_000);
    equal(new Set(subnetsHeld(hosts.cluster.hosts)).size, count + 1);
    hosts.checkQuiescent();
  }
});

Deno.test("hosts that all name each other as seeds and start at once form one cluster", () => {
  const hosts = new HostCluster({ seed: 6 });
  const seeds = ["10.0.0.1:7947", "10.0.0.2:7947", "10.0.0.3:7947"];
  const all = seeds.map(() => hosts.start({ seeds }));
  hosts.untilHeld(all, 10_000);
  hosts.cluster.runFor(10_000);
  equal(new Set(subnetsHeld(all)).size, 3);
  hosts.checkQuiescent();
});

Deno.test("with 5 % loss every newcomer holds a subnet within two seconds", () => {
  for (let seed = 1; seed <= 5; seed++) {
    const hosts = new HostCluster({ seed, network: { lossRate: 0.05 } });
    hosts.grow(1);
    for (let number = 0; number < 9; number++) {
      const newcomer = hosts.start({ seeds: firstSeed(hosts) });
      const heldAfterMs = hosts.untilHeld([newcomer], 10_000);
      ok(heldAfterMs < 2_000, `${heldAfterMs} ms, seed ${seed}, host ${number + 2}`);
    }
    hosts.cluster.runFor(60_000);
    hosts.checkQuiescent();
  }
});

Deno.test("a restarted host holds its subnet in its first step and says so within a second", () => {
  const hosts = new HostCluster({ seed: 8 });
  const [first, second, third] = hosts.grow(3);
  ok(first && second && third);
  hosts.cluster.runFor(1_000);
  const before = claimOf(second).record;
  hosts.kill(second);
  hosts.cluster.runFor(5_000);
  hosts.restart(second);
  hosts.untilHeld([second], 0);
  equal(claimOf(second).subnet, before?.subnet);
  hosts.cluster.runUntil(
    "all know the new generation",
    () =>
      [first, third].every((host) =>
        claimOf(host).records.some(({ hostId, generation }) =>
          hostId === before?.hostId && generation === before.generation + 1
        )
      ),
    1_000,
  );
  hosts.cluster.runFor(10_000);
  hosts.checkQuiescent();
  deepEqual(eventsOf(second, "renumbered"), []);
});

Deno.test("a restarted host keeps its subnet although nobody else is there", () => {
  const hosts = new HostCluster({ seed: 9 });
  const [first, second] = hosts.grow(2);
  ok(first && second);
  const { subnet } = claimOf(second);
  hosts.kill(first);
  hosts.restart(second);
  hosts.untilHeld([second], 0);
  hosts.cluster.runFor(60_000);
  equal(claimOf(second).subnet, subnet);
});

Deno.test("a host whose seeds are all down waits with a reason and joins when one appears", () => {
  const hosts = new HostCluster({ seed: 10 });
  const [first] = hosts.grow(1);
  ok(first);
  hosts.kill(first);
  const lonely = hosts.start({ seeds: [first.endpoint] });
  hosts.cluster.runFor(120_000);
  equal(claimOf(lonely).state, "waiting");
  match(claimOf(lonely).reason ?? "", /No other host has answered.*--bootstrap/);
  equal(claimOf(lonely).record, null);
  hosts.restart(first);
  hosts.untilHeld([lonely], 40_000);
  notEqual(claimOf(lonely).subnet, claimOf(first).subnet);
});

Deno.test("--bootstrap claims although no seed answers, and weakly", () => {
  const hosts = new HostCluster({ seed: 11 });
  const host = hosts.start({ seeds: ["10.0.9.9:7947"], bootstrap: true });
  hosts.untilHeld([host], 5_000);
  equal(claimOf(host).record?.strength, 1);
});

Deno.test("a killed host's claim stays routed", () => {
  const hosts = new HostCluster({ seed: 12 });
  const [first, second, third] = hosts.grow(3);
  ok(first && second && third);
  const { subnet } = claimOf(third);
  hosts.kill(third);
  hosts.cluster.runFor(3_600_000);
  for (const host of [first, second]) {
    equal(host.snapshot().swim.members.filter(({ status }) => status === "dead").length, 1);
    ok(claimOf(host).owners.some((owner) => owner.subnet === subnet));
  }
});

Deno.test("after a power cut a host that boots last still has its subnet", () => {
  const hosts = new HostCluster({ seed: 23, pool: THREE_SUBNETS });
  const [first, second] = hosts.grow(2);
  ok(first && second);
  const { subnet } = claimOf(second);
  hosts.cluster.runFor(60_000);
  for (const host of [first, second]) hosts.kill(host);
  hosts.restart(first);
  // Two newcomers for the one subnet that is left.
  const newcomers = [1, 2].map(() => hosts.start({ seeds: firstSeed(hosts) }));
  hosts.cluster.runFor(60_000);
  deepEqual(statesOf(newcomers).toSorted(), ["held", "waiting"]);
  hosts.restart(second);
  hosts.cluster.runFor(60_000);
  equal(claimOf(second).subnet, subnet);
  deepEqual(eventsOf(second, "renumbered"), []);
  hosts.checkQuiescent();
});

Deno.test("a released subnet is unrouted at once everywhere and taken when nothing else is free", () => {
  const hosts = new HostCluster({ seed: 13, pool: THREE_SUBNETS, persistDelayMs: 0 });
  const [first, second, third] = hosts.grow(3);
  ok(first && second && third);
  const { subnet } = claimOf(third);
  const fourth = hosts.start({ seeds: firstSeed(hosts) });
  hosts.cluster.runFor(5_000);
  equal(claimOf(fourth).state, "waiting");
  match(claimOf(fourth).reason ?? "", /All 3 subnets of 10\.9\.0\.0\/26 are claimed/);
  hosts.cluster.command(third, { kind: "leave", release: true });
  const afterMs = hosts.cluster.runUntil(
    "nobody routes to it",
    () => ![first, second].some((host) => claimOf(host).owners.length === 3),
    1_000,
  );
  ok(afterMs <= ROUND_TRIP_MS / 2, `${afterMs} ms`);
  hosts.untilHeld([fourth], 10_000);
  equal(claimOf(fourth).subnet, subnet);
  equal(claimOf(third).state, "released");
  ok((claimOf(fourth).record?.epoch ?? 0) > 1, "the new claim lies above the released one");
  hosts.cluster.runFor(5_000);
  equal(eventsOf(third, "left").length, 1);
});

Deno.test("a released subnet rests for ten minutes while others are free", () => {
  const pool = makePool({ network: "10.9.0.0/25", subnetLength: 28 });
  const hosts = new HostCluster({ seed: 14, pool });
  const [, second] = hosts.grow(2);
  ok(second);
  const released = claimOf(second).subnet ?? "";
  const [identity = ""] = identitiesWanting(released, 1, pool);
  hosts.cluster.command(second, { kind: "leave", release: true });
  hosts.cluster.runFor(60_000);
  const early = hosts.start({ seeds: firstSeed(hosts), identity });
  hosts.untilHeld([early], 10_000);
  notEqual(claimOf(early).subnet, released);
  hosts.cluster.command(early, { kind: "leave", release: true });
  hosts.cluster.runFor(10 * 60_000);
  const [, again = ""] = identitiesWanting(released, 2, pool);
  const late = hosts.start({ seeds: firstSeed(hosts), identity: again });
  hosts.untilHeld([late], 10_000);
  equal(claimOf(late).subnet, released);
});

Deno.test("leaving without --release keeps the claim", () => {
  const hosts = new HostCluster({ seed: 15 });
  const [first, second] = hosts.grow(2);
  ok(first && second);
  const { subnet } = claimOf(second);
  hosts.cluster.command(second, { kind: "leave", release: false });
  hosts.cluster.runFor(10_000);
  equal(eventsOf(second, "left").length, 1);
  ok(isRouted(first, second));
  hosts.restart(second);
  hosts.untilHeld([second], 0);
  equal(claimOf(second).subnet, subnet);
});

Deno.test("a disk that refuses means nothing is announced, and it is tried again", () => {
  const hosts = new HostCluster({ seed: 16 });
  const [first] = hosts.grow(1);
  ok(first);
  const newcomer = hosts.cluster.add();
  newcomer.diskError = "no space left on device";
  hosts.configure(newcomer, { seeds: firstSeed(hosts) });
  hosts.cluster.boot(newcomer);
  hosts.cluster.runFor(60_000);
  equal(claimOf(newcomer).state, "waiting");
  match(claimOf(newcomer).reason ?? "", /no space left on device/);
  deepEqual(claimOf(first).records.map(({ hostId }) => hostId), [first.snapshot().swim.self.id]);
  newcomer.diskError = null;
  hosts.untilHeld([newcomer], 40_000);
});

Deno.test("hosts of another pool claim nothing new and both sides are named", () => {
  const hosts = new HostCluster({ seed: 17 });
  const [first] = hosts.grow(1);
  ok(first);
  const other = hosts.start({
    seeds: firstSeed(hosts),
    pool: makePool({ network: "10.244.0.0/16", subnetLength: 25 }),
  });
  hosts.cluster.runFor(10_000);
  equal(claimOf(other).state, "waiting");
  const [problem] = claimOf(other).problems;
  equal(problem?.code, "pool-mismatch");
  match(problem?.text ?? "", /h1 .* uses the pool [0-9a-f]{16} .*h2 .* uses the pool [0-9a-f]{16}/);
  const alike = hosts.start({ seeds: firstSeed(hosts) });
  hosts.untilHeld([alike], 5_000);
});

Deno.test("a pinned subnet is claimed or waited for, never replaced by another", () => {
  const hosts = new HostCluster({ seed: 18 });
  hosts.grow(1);
  const pin = "10.244.50.0/24";
  const pinned = hosts.start({ seeds: firstSeed(hosts), pin });
  hosts.untilHeld([pinned], 5_000);
  equal(claimOf(pinned).subnet, pin);
  equal(claimOf(pinned).record?.strength, 6);
  const second = hosts.start({ seeds: firstSeed(hosts), pin });
  hosts.cluster.runFor(10_000);
  equal(claimOf(second).state, "waiting");
  match(claimOf(second).reason ?? "", /10\.244\.50\.0\/24 .* claimed by h2/);
  hosts.cluster.command(pinned, { kind: "leave", release: true });
  hosts.untilHeld([second], 5_000);
  equal(claimOf(second).subnet, pin);
});

Deno.test("a weak claim becomes strong once a majority has been there uncontested", () => {
  const hosts = new HostCluster({ seed: 19 });
  const [first] = hosts.grow(2);
  ok(first);
  equal(claimOf(first).record?.strength, 1);
  hosts.cluster.runFor(10_000);
  equal(claimOf(first).record?.strength, 2);
  const { sequence } = claimOf(first).record ?? {};
  hosts.cluster.runFor(600_000);
  equal(claimOf(first).record?.sequence, sequence, "no further writes without a reason");
});

Deno.test("a changed tunnel end point reaches everybody", () => {
  const hosts = new HostCluster({ seed: 20 });
  const [first, second] = hosts.grow(2);
  ok(first && second);
  const vtep = { address: "192.0.2.7", port: 8472, mac: "02:00:00:00:00:07" };
  hosts.cluster.command(second, { kind: "set-vtep", vtep });
  hosts.cluster.runFor(1_000);
  const { id } = second.snapshot().swim.self;
  deepEqual(claimOf(first).owners.find(({ hostId }) => hostId === id)?.vtep, vtep);
});

Deno.test("above 64 members four of five guardians are enough", () => {
  const hosts = new HostCluster({ seed: 21, persistDelayMs: 0 });
  const first = hosts.start({});
  hosts.untilHeld([first], 1_000);
  const crowd = Array.from({ length: 66 }, () => hosts.start({ seeds: firstSeed(hosts) }));
  hosts.untilHeld(crowd, 10_000);
  hosts.cluster.runFor(10_000);
  const newcomer = hosts.start({ seeds: firstSeed(hosts) });
  ok(hosts.untilHeld([newcomer], 10_000) <= 3 * ROUND_TRIP_MS);
  hosts.cluster.runFor(10_000);
  hosts.checkQuiescent();
  deepEqual(new Set(statesOf(hosts.cluster.hosts)), new Set(["held"]));
});

Deno.test("the same seed gives the same run", () => {
  const fingerprint = () => {
    const hosts = new HostCluster({ seed: 22, network: { lossRate: 0.1, jitterMs: 5 } });
    hosts.grow(5);
    return hosts.cluster.trace.fingerprint();
  };
  equal(fingerprint(), fingerprint());
});

Deno.test("who joins through a host that has not joined itself does not take what the cluster has", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const hosts = new HostCluster({ seed, pool: THREE_SUBNETS });
    const [first] = hosts.grow(1);
    ok(first);
    hosts.cluster.runFor(1_000);
    hosts.kill(first); // it restarts just now: the first attempt to reach it is refused
    const middle = hosts.start({ seeds: firstSeed(hosts), identity: `middle ${seed}` });
    const far = hosts.start({ seeds: [middle.endpoint], identity: `far ${seed}` });
    hosts.cluster.runFor(20);
    hosts.restart(first);
    hosts.untilHeld([middle, far], 10_000);
    equal(new Set(subnetsHeld(hosts.cluster.hosts)).size, 3);
  }
});
