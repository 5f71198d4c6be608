/**
 * Random mixtures of starts, kills, restarts, releases, partitions, loss and failing disks. Whatever happened, once it is
 * over every running host holds a subnet of its own and all agree on who owns what. A failure names its seed.
 */
import { equal, ok } from "node:assert/strict";
import { makePool } from "../../mod/address/pool.ts";
import { HostCluster, type SimulatedHost } from "../../mod/sim/host_cluster.ts";
import { claimOf, firstSeed } from "./claim_hosts.ts";

const SEEDS = 15;
const EVENTS = 12;
/** Small enough to collide all the time, large enough for all hosts: 15 subnets. */
const POOL = makePool({ network: "10.9.0.0/24", subnetLength: 28 });
const HOSTS_MAX = 10;

type Happening = (hosts: HostCluster) => void;

function randomRunning(hosts: HostCluster): SimulatedHost | undefined {
  return hosts.cluster.random.sample(hosts.cluster.running, 1)[0];
}

const HAPPENINGS: readonly Happening[] = [
  function start(hosts) {
    const { cluster } = hosts;
    if (cluster.hosts.length >= HOSTS_MAX) return;
    // Not through a host that looks for its own seeds in vain: two such found a cluster of their own.
    const settled = cluster.running.filter((host) => claimOf(host).state === "held");
    const [seed] = cluster.random.sample(settled, 1);
    hosts.start({ seeds: seed === undefined ? firstSeed(hosts) : [seed.endpoint] });
  },
  function startTwo(hosts) {
    if (hosts.cluster.hosts.length > HOSTS_MAX - 2) return;
    for (let count = 0; count < 2; count++) hosts.start({ seeds: firstSeed(hosts) });
  },
  function kill(hosts) {
    const host = randomRunning(hosts);
    if (host !== undefined && hosts.cluster.running.length > 1) hosts.kill(host);
  },
  function restart(hosts) {
    const [host] = hosts.cluster.random.sample(hosts.cluster.hosts, 1);
    if (host !== undefined) hosts.restart(host);
  },
  function cut(hosts) {
    const { cluster } = hosts;
    hosts.invariants.allowDoubles = true;
    const endpoints = cluster.hosts.map(({ endpoint }) => endpoint);
    cluster.network.partition(cluster.random.sample(endpoints, cluster.random.below(5) + 1));
  },
  function heal(hosts) {
    hosts.cluster.network.heal();
  },
  function lose(hosts) {
    hosts.invariants.allowDoubles = true;
    hosts.cluster.network.configure({ lossRate: hosts.cluster.random.unit() * 0.4 });
  },
  function breakDisk(hosts) {
    const host = randomRunning(hosts);
    if (host !== undefined) host.diskError = "input/output error";
  },
  function mendDisks(hosts) {
    for (const host of hosts.cluster.hosts) host.diskError = null;
  },
];

function run(seed: number): void {
  const hosts = new HostCluster({
    seed,
    pool: POOL,
    network: { jitterMs: 3, duplicateRate: 0.05 },
  });
  const { cluster } = hosts;
  hosts.grow(1 + cluster.random.below(4));
  for (let event = 0; event < EVENTS; event++) {
    const [happening] = cluster.random.sample(HAPPENINGS, 1);
    ok(happening);
    happening(hosts);
    cluster.runFor(cluster.random.below(4) === 0 ? 60_000 : cluster.random.below(3_000));
  }
  cluster.network.heal();
  cluster.network.configure({ lossRate: 0 });
  for (const host of cluster.hosts) {
    host.diskError = null;
    if (!host.isRunning) hosts.restart(host);
  }
  cluster.runFor(240_000);
  hosts.checkQuiescent();
  for (const host of cluster.hosts) equal(claimOf(host).state, "held", host.name);
  const subnets = new Set(cluster.hosts.map((host) => claimOf(host).subnet));
  equal(subnets.size, cluster.hosts.length);
}

Deno.test(`after ${SEEDS} random histories every host holds a subnet of its own`, async (test) => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    await test.step(`seed ${seed}`, () => run(seed));
  }
});
