/** The measurements: joins, deaths, a quiet while, and a lossy one. */
import type { Lab } from "../../../mod/lab/lab.ts";
import { sleep } from "../../../mod/lab/ping.ts";
import { progress } from "../bench_lab.ts";
import { cpuSeconds, type Memory, memoryOf } from "../process_cost.ts";
import { spreadOf } from "../statistics.ts";
import { type Cluster, waitFor } from "./cluster.ts";
import { trafficOf } from "./network.ts";

/** A cluster that needs longer than this to form, or to learn of a death, has missed it. */
const PATIENCE_MS = 60_000;
/** After a start or a death the others talk about it for a while; the next measurement waits. */
const CALM_MS = 3_000;
/** A killed agent that is not known by all again in this time is left out of the next kill. */
const RETURN_MS = 20_000;

export interface Join {
  /** From the first exec until each of all but one knows the others. */
  readonly allMs: number;
  /** Processor time that those agents have taken by then, each. */
  readonly allCpuMs: number;
  /** From exec until the last of the others knows the one that came last. */
  readonly oneMs: number;
  /** From its exec to its first word. */
  readonly firstWordMs: number;
}

/** Starts a whole cluster but for one, then that one. The agents go on running. */
export async function measureJoin(cluster: Cluster, hosts: number): Promise<Join> {
  const first = cluster.start(0);
  for (let index = 1; index < hosts - 1; index++) cluster.start(index);
  if (!await waitFor(() => cluster.isWhole(), PATIENCE_MS)) {
    throw new Error(`${cluster.contestant.name}: no full membership in ${PATIENCE_MS} ms`);
  }
  const known = cluster.remarks.filter(({ kind }) => kind === "alive");
  const allMs = Math.max(...known.map(({ atMs }) => atMs)) - first.startedAtMs;
  const cpu = cluster.agents.map(({ machinePid }) => 1000 * cpuSeconds(machinePid));
  await sleep(CALM_MS);
  const last = cluster.start(hosts - 1);
  const { name } = last.place;
  if (!await waitFor(() => cluster.friendsOf(name).length === hosts - 1, PATIENCE_MS)) {
    throw new Error(`${cluster.contestant.name}: ${name} is not known by all`);
  }
  const learnt = cluster.lastRemarks("alive", name, last.startedAtMs);
  return {
    allMs,
    allCpuMs: spreadOf(cpu).median,
    oneMs: Math.max(...learnt.values()) - last.startedAtMs,
    firstWordMs: last.firstWordAtMs - last.startedAtMs,
  };
}

/** How long after `kill -9` the others reported a death; Infinity where nobody did, or not all. */
export interface Death {
  readonly firstMs: number;
  readonly medianMs: number;
  readonly allMs: number;
}

/** Kills agents one after another, never the seed, and starts each again. */
export async function measureDeaths(cluster: Cluster, kills: number): Promise<Death[]> {
  const deaths: Death[] = [];
  for (let kill = 0; kill < kills; kill++) {
    const index = 1 + ((kill * 3) % (cluster.agents.length - 1));
    deaths.push(await measureDeath(cluster, index));
    await sleep(CALM_MS);
  }
  return deaths;
}

async function measureDeath(cluster: Cluster, index: number): Promise<Death> {
  const name = `h${index + 1}`;
  const observers = cluster.friendsOf(name);
  const killedAtMs = performance.now();
  await cluster.kill(name);
  const reports = () => cluster.lastRemarks("failed", name, killedAtMs);
  const isAll = await waitFor(
    () => {
      const told = reports();
      return observers.every((observer) => told.has(observer));
    },
    PATIENCE_MS,
  );
  if (!isAll) {
    const silent = observers.filter((observer) => !reports().has(observer));
    progress(
      `${cluster.contestant.name}: the death of ${name} was not reported by ${silent} ` +
        `(${silent.length} of ${observers.length})`,
    );
  }
  const times = [...reports().values()].map((atMs) => atMs - killedAtMs);
  const { least, median, most } = spreadOf(times.length > 0 ? times : [Infinity]);
  cluster.start(index);
  await waitFor(() => cluster.friendsOf(name).length === cluster.agents.length - 1, RETURN_MS);
  return { firstMs: least, medianMs: median, allMs: isAll ? most : Infinity };
}

/** What each agent of a cluster costs and sends. */
export interface Cost {
  readonly cpuSecondsPerMinute: readonly number[];
  readonly bytesPerSecond: readonly number[];
  readonly packetsPerSecond: readonly number[];
  readonly memory: readonly Memory[];
  /** Reports of a death although nobody died: one for each observer. */
  readonly falseFailures: number;
  /** How many members such a report was about. */
  readonly victims: number;
}

/** Looks on while nobody is killed; all clusters at the same time. */
export async function measureCosts(
  lab: Lab,
  clusters: readonly Cluster[],
  durationMs: number,
): Promise<Cost[]> {
  const before = await Promise.all(clusters.map((cluster) => readingOf(lab, cluster)));
  await sleep(durationMs);
  return await Promise.all(clusters.map(async (cluster, index) => {
    const after = await readingOf(lab, cluster);
    const start = before[index];
    if (start === undefined) throw new Error("A cluster without a reading");
    return costBetween(cluster, start, after);
  }));
}

interface Reading {
  readonly atMs: number;
  readonly cpu: readonly number[];
  readonly bytes: readonly number[];
  readonly packets: readonly number[];
}

async function readingOf(lab: Lab, cluster: Cluster): Promise<Reading> {
  const traffic = await trafficOf(lab, cluster.contestant);
  return {
    atMs: performance.now(),
    cpu: cluster.agents.map(({ machinePid }) => cpuSeconds(machinePid)),
    bytes: traffic.map(({ bytes }) => bytes),
    packets: traffic.map(({ packets }) => packets),
  };
}

function costBetween(cluster: Cluster, start: Reading, end: Reading): Cost {
  const seconds = (end.atMs - start.atMs) / 1000;
  const rate = (pick: (reading: Reading) => readonly number[]) =>
    pick(end).map((value, index) => (value - (pick(start)[index] ?? NaN)) / seconds);
  const failed = cluster.remarks.filter(({ kind, atMs }) =>
    kind === "failed" && atMs >= start.atMs && atMs < end.atMs
  );
  return {
    cpuSecondsPerMinute: rate(({ cpu }) => cpu).map((share) => 60 * share),
    bytesPerSecond: rate(({ bytes }) => bytes),
    packetsPerSecond: rate(({ packets }) => packets),
    memory: cluster.agents.map(({ machinePid }) => memoryOf(machinePid)),
    falseFailures: failed.length,
    victims: new Set(failed.map(({ name }) => name)).size,
  };
}
