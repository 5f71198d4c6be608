/**
 * Random mixtures of all that happens to whole hosts: kills with and without their disks, partitions, hosts that only
 * some reach, loss, pauses, goodbyes, hosts that are forgotten; plain and sealed. Afterwards all know the same: the
 * members, who is lost, the claims, and every host holds a subnet of its own. A failure names its seed.
 */
import { equal, ok } from "node:assert/strict";
import { makePool } from "../../mod/address/pool.ts";
import { HostCluster, type SimulatedHost } from "../../mod/sim/host_cluster.ts";
import { testKeyring } from "../support/test_cipher.ts";
import { claimOf, hostAt } from "./claim_hosts.ts";

const SEEDS = 6;
const EVENTS = 16;
const POOL = makePool({ network: "10.9.0.0/23", subnetLength: 29 });
const HOSTS_MAX = 9;

type Happening = (hosts: HostCluster, host: SimulatedHost) => void;

function isUp(host: SimulatedHost): boolean {
  return host.isRunning && host.gait === "running";
}

/** Starts a host that is down, as it was or with nothing on its disk; then it is another host at the same address. */
function start(hosts: HostCluster, host: SimulatedHost, isEmpty: boolean): void {
  const seeds = hosts.cluster.hosts.slice(0, 3).filter((other) => other !== host)
    .map(({ endpoint }) => endpoint);
  if (isEmpty) {
    hosts.invariants.allowRollbacks = true; // what others know of it is on no disk any more
    host.documents.clear();
    hosts.configure(host, { seeds, identity: `${host.name} life ${host.boots}` });
  }
  hosts.cluster.boot(host);
}

const HAPPENINGS: Readonly<Record<string, Happening>> = {
  kill: (hosts, host) => hosts.kill(host),
  killTwo(hosts, host) {
    hosts.kill(host);
    const [other] = hosts.cluster.running;
    if (other !== undefined) hosts.kill(other);
  },
  replace(hosts, host) {
    hosts.kill(host);
    start(hosts, host, true);
  },
  restart(hosts, host) {
    hosts.kill(host);
    start(hosts, host, false);
  },
  loseMembersDocument(hosts, host) {
    hosts.kill(host);
    host.documents.delete("members");
    start(hosts, host, false);
  },
  startAll(hosts) {
    for (const host of hosts.cluster.hosts) {
      if (!host.isRunning) start(hosts, host, hosts.cluster.random.below(3) === 0);
    }
  },
  leave: ({ cluster }, host) => cluster.command(host, { kind: "leave", release: false }),
  release: ({ cluster }, host) => cluster.command(host, { kind: "leave", release: true }),
  restartAndLeave(hosts, host) {
    hosts.kill(host);
    start(hosts, host, false);
    hosts.cluster.runFor(hosts.cluster.random.below(2_000));
    hosts.cluster.command(host, { kind: "leave", release: false });
  },
  forget({ cluster }, host) {
    const lost = host.snapshot().swim.members.filter(({ status }) => status === "dead");
    for (const { id } of lost) cluster.command(host, { kind: "forget", id, force: false });
  },
  forgetByForce({ cluster }, host) {
    const [member] = cluster.random.sample([...host.snapshot().swim.members], 1);
    if (member !== undefined) {
      cluster.command(host, { kind: "forget", id: member.id, force: true });
    }
  },
  pause({ cluster }, host) {
    cluster.pause(host);
    cluster.after(cluster.random.below(40_000), () => {
      if (host.gait === "paused") cluster.resume(host);
    });
  },
  cut(hosts) {
    const { cluster } = hosts;
    const endpoints = cluster.hosts.map(({ endpoint }) => endpoint);
    cluster.network.partition(cluster.random.sample(endpoints, cluster.random.below(4) + 1));
  },
  cutOne({ cluster }, host) {
    const [other] = cluster.random.sample(cluster.hosts, 1);
    if (other !== undefined) cluster.network.block(host.endpoint, other.endpoint);
  },
  heal: ({ cluster }) => cluster.network.heal(),
  lose: ({ cluster }) => cluster.network.configure({ lossRate: 0.2 }),
  loseNothing: ({ cluster }) => cluster.network.configure({ lossRate: 0 }),
};

/** What a host knows of others: who is there, where, and who is lost; who left does not matter. */
function membersOf(host: SimulatedHost): string {
  return host.snapshot().swim.members
    .filter(({ status }) => status !== "left")
    .map(({ id, name, instance, endpoint, status, incarnation }) => {
      // The last process of a dead member may be known by its death alone: gossip of it does not say which one it was.
      const who = status === "dead" ? id.slice(0, 4) : `${instance.slice(0, 4)} ${endpoint}`;
      return `${name} ${who} ${status} ${incarnation}`;
    }).join("\n");
}

function recordsOf(host: SimulatedHost): string {
  return claimOf(host).records
    .map(({ hostId, subnet, state, generation, sequence }) =>
      `${hostId.slice(0, 6)} ${subnet} ${state} ${generation} ${sequence}`
    ).join("\n");
}

function run(seed: number): void {
  const hosts = new HostCluster({
    seed,
    pool: POOL,
    network: { jitterMs: 3, duplicateRate: 0.05 },
    ...(seed % 2 === 0 ? {} : { keyring: (random) => testKeyring(random, 1) }),
  });
  const { cluster } = hosts;
  hosts.grow(HOSTS_MAX);
  hosts.invariants.allowDoubles = true;
  const told: string[] = [];
  for (let event = 0; event < EVENTS; event++) {
    const [name = ""] = cluster.random.sample(Object.keys(HAPPENINGS), 1);
    const [host] = cluster.random.sample(cluster.hosts.filter(isUp), 1);
    if (host === undefined) {
      const first = hostAt(hosts, 0);
      if (first.gait === "paused") cluster.resume(first);
      else start(hosts, first, false);
    } else {
      told.push(`${(cluster.nowMs / 1000).toFixed(1)} ${name} ${host.name}`);
      HAPPENINGS[name]?.(hosts, host);
    }
    cluster.runFor(cluster.random.below(4) === 0 ? 90_000 : cluster.random.below(5_000));
  }
  cluster.network.heal();
  cluster.network.configure({ lossRate: 0 });
  for (const host of cluster.hosts) {
    if (host.gait === "paused") cluster.resume(host);
    const hasLeft = host.isRunning && host.snapshot().swim.self.status === "left";
    if (hasLeft) hosts.kill(host);
    if (!host.isRunning && !hasLeft) start(hosts, host, false);
  }
  cluster.runFor(300_000);
  const story = told.join("\n");
  try {
    hosts.checkQuiescent();
    const [first, ...others] = cluster.running;
    ok(first);
    for (const other of others) {
      equal(membersOf(other), membersOf(first), `members of ${other.name} and ${first.name}`);
      equal(recordsOf(other), recordsOf(first), `records of ${other.name} and ${first.name}`);
    }
    for (const host of cluster.running) equal(claimOf(host).state, "held", host.name);
    const alive = first.snapshot().swim.members.filter(({ status }) => status === "alive");
    equal(alive.length, cluster.running.length, membersOf(first));
  } catch (error) {
    const views = cluster.running.map((host) => `${host.name} knows\n${membersOf(host)}`);
    throw new Error(`seed ${seed}:\n${story}\n${error}\n${views.join("\n")}`);
  }
}

for (let seed = 1; seed <= SEEDS; seed++) {
  Deno.test(`after random history ${seed} all hosts know the same`, () => run(seed));
}
