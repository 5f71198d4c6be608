/**
 * Whatever happened to a cluster of any size: once it has stopped happening, all hosts believe the same, and what is so. A
 * failure is shrunk to the fewest hosts and steps that still fail.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { allSee, bootHosts, statusOf, swimCluster, type SwimHost } from "../sim/swim_hosts.ts";

/** Gossip is a matter of chance: of a thousand clusters a few need a sync. Other seeds are for the simulator's long runs. */
const SEED = 20_260_101;

const KINDS = ["kill", "wipe", "leave", "cut", "split", "lose", "heal", "pause"] as const;

interface Step {
  readonly kind: typeof KINDS[number];
  /** Places of hosts, taken modulo their number. */
  readonly host: number;
  readonly other: number;
  readonly pauseMs: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...KINDS),
  host: fc.nat(24),
  other: fc.nat(24),
  pauseMs: fc.constantFrom(0, 50, 1000, 7000, 40_000),
});

const story = fc.record({
  seed: fc.nat(1_000_000),
  count: fc.integer({ min: 2, max: 25 }),
  steps: fc.array(step, { maxLength: 25 }),
});

/** Syncs come every 30 to 45 s, reconnects too; a suspicion lasts at most 40 s among 25. */
const SETTLE_MS = 240_000;

/** Plays the story; then everything that was stopped is started, and nothing is lost any more. */
function play({ seed, count, steps }: { seed: number; count: number; steps: readonly Step[] }) {
  const cluster = swimCluster(seed, { network: { duplicateRate: 0.02, jitterMs: 3 } });
  const hosts = bootHosts(cluster, count);
  const at = (place: number): SwimHost => hosts[place % count] as SwimHost;
  for (const { kind, host: place, other: otherPlace, pauseMs } of steps) {
    const host = at(place);
    const other = at(otherPlace);
    cluster.runFor(pauseMs);
    if (kind === "kill") host.isRunning ? cluster.kill(host) : cluster.boot(host);
    if (kind === "wipe") host.documents.clear();
    if (kind === "leave" && host.isRunning) cluster.command(host, { kind: "leave" });
    if (kind === "cut") cluster.network.block(host.endpoint, other.endpoint);
    if (kind === "lose") cluster.network.configure({ lossRate: (otherPlace % 5) / 10 });
    if (kind === "heal") cluster.network.heal();
    if (kind === "split") {
      const group = hosts.slice(0, 1 + place % count);
      cluster.network.partition(group.map(({ endpoint }) => endpoint));
    }
  }
  cluster.network.heal();
  cluster.network.configure({ lossRate: 0 });
  for (const host of hosts) {
    if (host.isRunning && host.snapshot().self.status === "left") cluster.kill(host);
    if (!host.isRunning) cluster.boot(host);
  }
  return { cluster, hosts };
}

/** What a host believes of all, to the incarnation. */
function view(host: SwimHost): string {
  return host.snapshot().members
    .map(({ id, incarnation, instance, status }) => `${id} ${instance} ${incarnation} ${status}`)
    .join();
}

Deno.test("any cluster that anything happened to converges", () => {
  fc.assert(
    fc.property(story, (told) => {
      const { cluster, hosts } = play(told);
      const isWhole = () => allSee(cluster, hosts, "alive") && new Set(hosts.map(view)).size === 1;
      for (let waitedMs = 0; !isWhole(); waitedMs += 1000) {
        assert.ok(waitedMs < SETTLE_MS, hosts.map(view).join("\n"));
        cluster.runFor(1000);
      }
      cluster.runFor(45_000); // doubts from before have ended
      assert.ok(isWhole());
      const quiet = hosts.map((host) => host.events.length);
      cluster.runFor(60_000);
      assert.deepEqual(hosts.map((host) => host.events.length), quiet);
    }),
    { numRuns: 25, seed: SEED },
  );
});

Deno.test("news of one host reach all others within gossip rounds, at any size up to 25", () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.integer({ min: 2, max: 25 }), (seed, count) => {
      const cluster = swimCluster(seed);
      const hosts = bootHosts(cluster, count);
      cluster.runUntil("formed", () => allSee(cluster, hosts, "alive"), 60_000);
      cluster.runFor(5000);
      const [mover, ...rest] = hosts as [SwimHost, ...SwimHost[]];
      const before = mover.snapshot().self.incarnation;
      cluster.command(mover, { kind: "move", endpoint: "10.9.9.9:7947" });
      const isKnown = () =>
        rest.every((host) =>
          host.snapshot().members.some(({ id, incarnation }) =>
            id === mover.snapshot().self.id && incarnation > before
          )
        );
      // Rounds of 200 ms, each tripling the hearers: 3 for 25 hosts; chance needs twice as many.
      cluster.runUntil("everybody heard it", isKnown, 2_000);
    }),
    { numRuns: 25, seed: SEED },
  );
});

Deno.test("a host that is started anew again and again is alive everywhere, as its last process", () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.array(fc.nat(3_000), { maxLength: 6 }), (seed, pauses) => {
      const cluster = swimCluster(seed);
      const hosts = bootHosts(cluster, 6);
      cluster.runUntil("formed", () => allSee(cluster, hosts, "alive"), 60_000);
      const victim = hosts[5] as SwimHost;
      for (const pauseMs of pauses) {
        cluster.kill(victim);
        if (pauseMs % 2 === 0) victim.documents.clear();
        cluster.runFor(pauseMs);
        cluster.boot(victim);
        cluster.runFor(pauseMs % 500);
      }
      const { instance, id } = victim.snapshot().self;
      const isKnown = () =>
        hosts.every((host) =>
          host.snapshot().members.some((member) =>
            member.id === id && member.instance === instance && member.status === "alive"
          )
        );
      cluster.runUntil("the last process is known", isKnown, 5_000);
      for (const host of hosts.slice(0, 5)) assert.equal(statusOf(host, victim), "alive");
    }),
    { numRuns: 20, seed: SEED },
  );
});
