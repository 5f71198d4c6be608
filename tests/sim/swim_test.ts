/** Membership over the simulated network: joins, failures, partitions, leaves, all from seeds. */
import assert from "node:assert/strict";
import {
  allSee,
  bootHosts,
  eventsAbout,
  inBothForms,
  statusOf,
  swimCluster,
  type SwimHost,
} from "./swim_hosts.ts";

/** Mixtures tried at each run; a thousand were when this was written. */
const CHURN_SEEDS = 5;

/** Settled: nothing of the joins is under way any more. */
function formed(seed: number, count: number, lossRate = 0) {
  const cluster = swimCluster(seed);
  const hosts = bootHosts(cluster, count);
  cluster.runUntil("all alive", () => allSee(cluster, hosts, "alive"), 10_000);
  cluster.runFor(5000);
  cluster.network.configure({ lossRate });
  return { cluster, hosts };
}

function first(hosts: SwimHost[]): SwimHost {
  const [host] = hosts;
  assert(host !== undefined);
  return host;
}

function last(hosts: SwimHost[]): SwimHost {
  const host = hosts.at(-1);
  assert(host !== undefined);
  return host;
}

for (const count of [5, 20, 100]) {
  inBothForms(`${count} hosts that start at once through one seed all see each other`, () => {
    const cluster = swimCluster(count);
    const hosts = bootHosts(cluster, count);
    cluster.runUntil("all alive", () => allSee(cluster, hosts, "alive"), 4000);
    assert.equal(hosts.every((host) => host.snapshot().joined), true);
    cluster.runFor(60_000);
    // Nobody was ever in doubt, each was announced once, and the news have ended.
    for (const host of hosts) {
      assert.deepEqual(host.events.filter(({ event }) => event.kind !== "member-joined"), []);
      assert.equal(host.events.length, count - 1);
      assert.equal(host.snapshot().queueLength, 0);
      assert.equal(host.snapshot().healthScore, 0);
    }
  });
}

inBothForms("a newcomer knows everybody after asking the seed once", () => {
  const { cluster, hosts } = formed(1, 10);
  const newcomer = cluster.add();
  cluster.boot(newcomer);
  const knowsAll = () => hosts.every((host) => statusOf(newcomer, host) === "alive");
  const tookMs = cluster.runUntil("newcomer knows all", knowsAll, 1000);
  assert.ok(tookMs < 0.9, `${tookMs} ms`); // four one-way delays of at most 0.2 ms: sealed, a hello comes first
});

for (const count of [5, 20, 100]) {
  inBothForms(`a killed host of ${count} is dead everywhere, and nobody else is suspected`, () => {
    const { cluster, hosts } = formed(2, count);
    const victim = last(hosts);
    cluster.kill(victim);
    // Detection, longest suspicion, dissemination: the upper bound of the paper's parts.
    cluster.runUntil("dead", () => allSee(cluster, [victim], "dead"), 60_000);
    cluster.runFor(10_000);
    const others = hosts.slice(0, -1);
    assert.equal(allSee(cluster, others, "alive"), true);
    for (const viewer of others) {
      assert.equal(eventsAbout(viewer, "member-failed", victim), 1);
      assert.equal(viewer.events.some(({ event }) => event.kind === "member-recovered"), false);
    }
  });
}

inBothForms("a host that is killed and started again is alive with a higher incarnation", () => {
  const { cluster, hosts } = formed(3, 5);
  const victim = last(hosts);
  cluster.runFor(10_000); // its members document is on disk
  cluster.kill(victim);
  cluster.runUntil("dead", () => allSee(cluster, [victim], "dead"), 60_000);
  cluster.boot(victim);
  cluster.runUntil("back", () => allSee(cluster, hosts, "alive"), 2000);
});

inBothForms("a host that lost its disk refutes the verdict on its earlier process at once", () => {
  const { cluster, hosts } = formed(4, 5);
  const victim = last(hosts);
  cluster.kill(victim);
  victim.documents.clear();
  cluster.runUntil("dead", () => allSee(cluster, [victim], "dead"), 60_000);
  cluster.boot(victim);
  cluster.runUntil("back", () => allSee(cluster, hosts, "alive"), 2000);
});

inBothForms("all hosts restart within a moment, without their disks, and find each other", () => {
  const { cluster, hosts } = formed(5, 20);
  for (const host of hosts) {
    cluster.kill(host);
    host.documents.clear();
  }
  for (const host of hosts) cluster.boot(host);
  cluster.runUntil("back", () => allSee(cluster, hosts, "alive"), 10_000);
});

inBothForms("a host whose packets are lost in one direction refutes what is said of it", () => {
  const { cluster, hosts } = formed(6, 10);
  const [accuser, accused] = hosts;
  assert(accuser !== undefined && accused !== undefined);
  // The accuser never hears the accused; everybody else does.
  cluster.network.block(accused.endpoint, accuser.endpoint);
  cluster.runFor(120_000);
  for (const viewer of hosts) {
    assert.equal(eventsAbout(viewer, "member-failed", accused), 0, `${viewer.name} believed it`);
  }
});

inBothForms("a host that hears nobody has nobody else declared dead: they refute", () => {
  const { cluster, hosts } = formed(16, 10);
  const deaf = last(hosts);
  const others = hosts.slice(0, -1);
  for (const other of others) cluster.network.block(other.endpoint, deaf.endpoint);
  cluster.runFor(120_000);
  assert.equal(others.every((other) => statusOf(deaf, other) === "dead"), true);
  assert.equal(others.every((other) => statusOf(other, deaf) === "dead"), true);
  assert.ok(others.some((other) => other.snapshot().self.incarnation > 0), "nobody refuted");
  for (const viewer of others) {
    for (const other of others) assert.equal(eventsAbout(viewer, "member-failed", other), 0);
  }
  cluster.network.heal();
  cluster.runUntil("healed", () => allSee(cluster, hosts, "alive"), 60_000);
});

inBothForms("with a fifth of all packets lost nobody is declared dead", () => {
  const { cluster, hosts } = formed(7, 20, 0.2);
  cluster.runFor(300_000);
  for (const viewer of hosts) {
    assert.equal(viewer.events.some(({ event }) => event.kind === "member-failed"), false);
  }
});

for (const aloneCount of [1, 10]) {
  inBothForms(`a partition of ${aloneCount} of 20 hosts for ten minutes heals by itself`, () => {
    const { cluster, hosts } = formed(8, 20);
    const apart = hosts.slice(-aloneCount);
    const rest = hosts.slice(0, -aloneCount);
    cluster.network.partition(apart.map(({ endpoint }) => endpoint));
    cluster.runFor(600_000);
    const sees = (viewers: SwimHost[], others: SwimHost[], status: string) =>
      viewers.every((viewer) =>
        others.every((other) => viewer === other || statusOf(viewer, other) === status)
      );
    assert.equal(sees(rest, apart, "dead") && sees(apart, rest, "dead"), true);
    assert.equal(sees(rest, rest, "alive") && sees(apart, apart, "alive"), true);
    cluster.network.heal();
    cluster.runUntil("healed", () => allSee(cluster, hosts, "alive"), 60_000);
  });
}

inBothForms("a host that leaves is left, not failed, and its process ends within a second", () => {
  const { cluster, hosts } = formed(9, 10);
  const leaver = last(hosts);
  cluster.command(leaver, { kind: "leave" });
  const isOver = () => leaver.events.some(({ event }) => event.kind === "left");
  const tookMs = cluster.runUntil("the goodbye is over", isOver, 1000);
  assert.ok(tookMs <= 1000);
  cluster.kill(leaver);
  cluster.runUntil("left", () => allSee(cluster, [leaver], "left"), 500);
  cluster.runFor(60_000);
  for (const viewer of hosts.slice(0, -1)) {
    assert.equal(eventsAbout(viewer, "member-left", leaver), 1);
    assert.equal(eventsAbout(viewer, "member-failed", leaver), 0);
    assert.equal(eventsAbout(viewer, "member-suspected", leaver), 0);
  }
});

inBothForms("a host that left comes back when it starts again", () => {
  const { cluster, hosts } = formed(10, 5);
  const leaver = last(hosts);
  cluster.command(leaver, { kind: "leave" });
  cluster.runFor(2000);
  cluster.kill(leaver);
  cluster.boot(leaver);
  cluster.runUntil("back", () => allSee(cluster, hosts, "alive"), 2000);
});

inBothForms("a host waits for a seed that is down, and joins when it appears", () => {
  const cluster = swimCluster(11);
  const [seed, waiting] = [cluster.add(), cluster.add()];
  cluster.boot(waiting);
  cluster.runFor(100_000);
  assert.equal(waiting.snapshot().joined, false);
  assert.deepEqual(waiting.snapshot().seeds, [{
    seed: "10.0.0.1:7947",
    state: "unreachable",
    reason: "10.0.0.1:7947: connection refused",
  }]);
  cluster.boot(seed);
  cluster.runUntil("joined", () => waiting.snapshot().joined, 30_001);
  assert.equal(statusOf(seed, waiting), "alive");
});

inBothForms("hosts that remember each other meet again although the seed is gone", () => {
  const { cluster, hosts } = formed(12, 5);
  cluster.runFor(10_000);
  for (const host of hosts) cluster.kill(host);
  const rest = hosts.slice(1);
  for (const host of rest) cluster.boot(host);
  cluster.runUntil("met", () => allSee(cluster, rest, "alive"), 5000);
});

inBothForms("a host that moves to another address keeps its place", () => {
  const { cluster, hosts } = formed(13, 5);
  const mover = last(hosts);
  cluster.kill(mover);
  const moved = cluster.add("h5"); // the same identity at the sixth address
  for (const [document, bytes] of mover.documents) moved.documents.set(document, bytes);
  cluster.boot(moved);
  const isKnown = () =>
    hosts.slice(0, -1).every((viewer) => {
      const member = viewer.snapshot().members.find(({ name }) => name === "h5");
      return member?.endpoint === moved.endpoint && member.status === "alive";
    });
  cluster.runUntil("moved", isKnown, 2000);
  assert.equal(first(hosts).snapshot().members.length, 5);
});

inBothForms("blocked UDP between two hosts is reported by both, once, and kills nobody", () => {
  const { cluster, hosts } = formed(14, 3);
  cluster.network.configure({ datagramLossRate: 1 });
  cluster.runFor(60_000);
  cluster.network.configure({ datagramLossRate: 0 });
  cluster.runFor(10_000);
  assert.equal(allSee(cluster, hosts, "alive"), true);
  for (const host of hosts) {
    const warnings = host.events.filter(({ event }) => event.kind === "warning");
    assert.equal(warnings.length, 2, "one for each peer");
    assert.equal(host.events.some(({ event }) => event.kind === "member-failed"), false);
  }
});

inBothForms(
  "after any mixture of kills, starts, partitions and losses all see each other again",
  () => {
    for (let seed = 1; seed <= CHURN_SEEDS; seed++) {
      const cluster = swimCluster(seed, { network: { duplicateRate: 0.05, jitterMs: 5 } });
      const hosts = bootHosts(cluster, 12);
      const { random } = cluster;
      for (let act = 0; act < 40; act++) {
        cluster.runFor(random.below(10_000));
        const [host, other] = random.sample(hosts, 2);
        assert(host !== undefined && other !== undefined);
        const acts: (() => void)[] = [
          () => host.isRunning ? cluster.kill(host) : cluster.boot(host),
          () => host.documents.clear(),
          () => cluster.network.block(host.endpoint, other.endpoint),
          () => cluster.network.partition(random.sample(hosts, 6).map(({ endpoint }) => endpoint)),
          () => cluster.network.configure({ lossRate: random.unit() / 2 }),
          () => cluster.network.heal(),
          () => host.isRunning && cluster.command(host, { kind: "leave" }),
        ];
        acts[random.below(acts.length)]?.();
      }
      cluster.network.heal();
      cluster.network.configure({ lossRate: 0.05 });
      for (const host of hosts) {
        // Who left stays left until it starts again.
        if (host.isRunning && host.snapshot().self.status === "left") cluster.kill(host);
        if (!host.isRunning) cluster.boot(host);
      }
      const isQuiet = () => {
        if (!allSee(cluster, hosts, "alive")) return false;
        const views = hosts.map((host) =>
          host.snapshot().members.map(({ id, incarnation }) => `${id} ${incarnation}`).join()
        );
        return new Set(views).size === 1;
      };
      let waitedMs = 0;
      for (; waitedMs < 180_000 && !isQuiet(); waitedMs += 1000) cluster.runFor(1000);
      assert.ok(waitedMs < 180_000, `seed ${seed} did not settle`);
    }
  },
);

inBothForms("the same seed gives the same run, another seed another one", () => {
  const fingerprint = (seed: number) => {
    const cluster = swimCluster(seed, { network: { lossRate: 0.1, duplicateRate: 0.1 } });
    const hosts = bootHosts(cluster, 10);
    cluster.runFor(5000);
    cluster.kill(last(hosts));
    cluster.runFor(30_000);
    return cluster.trace.fingerprint();
  };
  assert.equal(fingerprint(15), fingerprint(15));
  assert.notEqual(fingerprint(15), fingerprint(16));
});
