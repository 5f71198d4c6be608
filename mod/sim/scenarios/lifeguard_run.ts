/**
 * One run of the Lifeguard experiment (arXiv 1707.00788, section V): some members of a cluster are
 * blocked around sending and receiving, again and again, while their timers run; who is declared
 * dead that is not? Meanwhile some others really crash.
 */
import { Random } from "../../base/random.ts";
import type { Lifeguard } from "../../swim/lifeguard.ts";
import type { MemberId } from "../../swim/member.ts";
import type { SwimTimings } from "../../swim/timings.ts";
import { formedCluster, memberId } from "../member_cluster.ts";
import { bytesSent } from "../traffic.ts";

/** What is done to the cluster. */
export interface Anomalies {
  /** Members that suffer, all at the same times (C of the paper). */
  readonly members: number;
  /** Length of one anomaly (D). */
  readonly durationMs: number;
  /** Time between two anomalies (I); null for one anomaly only (Threshold). */
  readonly intervalMs: number | null;
}

export interface LifeguardRunOptions {
  readonly seed: number;
  readonly hosts: number;
  readonly timings: SwimTimings;
  readonly lifeguard: Lifeguard;
  readonly anomalies: Anomalies;
}

/** What one run, or several together, came to. */
export interface LifeguardTally {
  /** Events at any agent that call a member dead which is up and suffers nothing. */
  falsePositives: number;
  /** Those at agents that suffer nothing themselves: FP- of the paper. */
  healthyFalsePositives: number;
  /** Events at healthy agents that call a member dead which is only slow. */
  slowDeclaredDead: number;
  /** Of real crashes: time until the first agent, and until all, called it dead. */
  readonly firstDetectionsMs: number[];
  readonly disseminationsMs: number[];
  /** Crashes that somebody did not hear of by the end of the run. */
  missedCrashes: number;
  /** Datagrams and streams of all members, and the bytes in them. */
  messages: number;
  bytes: number;
  /** Members times seconds. */
  memberSeconds: number;
}

export function newTally(): LifeguardTally {
  return {
    falsePositives: 0,
    healthyFalsePositives: 0,
    slowDeclaredDead: 0,
    firstDetectionsMs: [],
    disseminationsMs: [],
    missedCrashes: 0,
    messages: 0,
    bytes: 0,
    memberSeconds: 0,
  };
}

/** Anomalies come and go for this long (the paper's Interval experiment). */
const ANOMALIES_MS = 120_000;
/** The longest suspicion of 128 members is 51 s; most of what an anomaly causes is over by then. */
const AFTERMATH_MS = 60_000;
/** Members that crash for good, at times of their own; enough for quantiles, few of 128. */
const CRASHES = 4;

/** Runs one cluster and adds what happened to the tally. */
export function runLifeguard(options: LifeguardRunOptions, tally: LifeguardTally): void {
  const { seed, hosts: count, anomalies } = options;
  // What is done to the cluster must be the same whatever the configuration draws for itself.
  const fate = new Random(seed + 0.5 * 2 ** 33);
  const order = fate.shuffle(Array.from({ length: count }, (_, index) => index));
  const slow = new Set(order.slice(0, anomalies.members));
  const doomed = order.slice(anomalies.members, anomalies.members + CRASHES);
  const indexes = new Map<MemberId, number>();
  const crashes = new Map<number, Crash>();

  const cluster = formedCluster(count, {
    ...options,
    keepEvents: false,
    afterStep: (host, actions) => {
      for (const action of actions) {
        if (action.kind !== "event" || action.event.kind !== "member-failed") continue;
        const accused = indexes.get(action.event.member.id) ?? -1;
        const crash = crashes.get(accused);
        const isHealthy = !slow.has(host.index);
        if (crash !== undefined) {
          if (isHealthy) crash.heardAtMs.push(cluster.nowMs);
        } else if (slow.has(accused)) tally.slowDeclaredDead += isHealthy ? 1 : 0;
        else {
          tally.falsePositives++;
          if (isHealthy) tally.healthyFalsePositives++;
        }
      }
    },
  });
  for (const host of cluster.hosts) indexes.set(memberId(host), host.index);
  const before = cluster.hosts.map(({ traffic }) => ({ ...traffic }));
  for (const index of doomed) {
    const host = cluster.hosts[index];
    if (host === undefined) continue;
    cluster.after(fate.unit() * ANOMALIES_MS, () => {
      crashes.set(index, { atMs: cluster.nowMs, heardAtMs: [] });
      cluster.kill(host);
    });
  }
  const sufferers = cluster.hosts.filter(({ index }) => slow.has(index));
  const startMs = cluster.nowMs;
  for (let atMs = 0; atMs < ANOMALIES_MS;) {
    const durationMs = Math.min(anomalies.durationMs, ANOMALIES_MS - atMs);
    for (const host of sufferers) cluster.freeze(host);
    cluster.runFor(durationMs);
    for (const host of sufferers) cluster.thaw(host);
    const restMs = Math.min(anomalies.intervalMs ?? Infinity, ANOMALIES_MS - atMs - durationMs);
    cluster.runFor(restMs);
    atMs += durationMs + restMs;
  }
  cluster.runFor(AFTERMATH_MS);

  const witnesses = count - slow.size - doomed.length;
  for (const crash of crashes.values()) countCrash(tally, crash, witnesses);
  cluster.hosts.forEach(({ traffic }, index) => {
    const earlier = before[index] ?? traffic;
    tally.messages += traffic.datagramsSent + traffic.requestsSent + traffic.requestsReceived -
      earlier.datagramsSent - earlier.requestsSent - earlier.requestsReceived;
    tally.bytes += bytesSent(traffic) - bytesSent(earlier);
  });
  tally.memberSeconds += count * (cluster.nowMs - startMs) / 1000;
}

interface Crash {
  readonly atMs: number;
  /** When healthy agents called it dead, in order. */
  readonly heardAtMs: number[];
}

/** Other crashed members may have heard too, before their own end. */
function countCrash(tally: LifeguardTally, crash: Crash, witnesses: number): void {
  const [first] = crash.heardAtMs;
  if (first !== undefined) tally.firstDetectionsMs.push(first - crash.atMs);
  const last = crash.heardAtMs[witnesses - 1];
  if (last === undefined) tally.missedCrashes++;
  else tally.disseminationsMs.push(last - crash.atMs);
}
