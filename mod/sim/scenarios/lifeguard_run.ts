/**
 * One run of the Lifeguard experiment (arXiv 1707.00788, section V): some members of a cluster are
 * blocked around sending and receiving, again and again, while their timers run; who is declared
 * dead that is not? Meanwhile some others really crash.
 */
import { Random } from "../../base/random.ts";
import type { Lifeguard } from "../../swim/lifeguard.ts";
import type { SwimTimings } from "../../swim/timings.ts";
import { type MemberHost, MembershipCluster } from "../membership_cluster.ts";
import { bytesSent, newTraffic, type Traffic } from "../traffic.ts";

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

/** Keeps the fate of a cluster apart from the cluster's own random numbers. */
const FATE_SEEDS = 2 ** 32;
/** Anomalies come and go for this long (the paper's Interval experiment). */
const ANOMALIES_MS = 120_000;
/** The longest suspicion of 128 members is 51 s; most of what an anomaly causes is over by then. */
const AFTERMATH_MS = 60_000;
/** Before anything happens: laps have begun, everybody was probed. */
const SETTLING_MS = 5000;
/** Members that crash for good, at times of their own; enough for quantiles, few of 128. */
const CRASHES = 8;

/** Runs one cluster and adds what happened to the tally. */
export function runLifeguard(options: LifeguardRunOptions, tally: LifeguardTally): void {
  const { anomalies } = options;
  // What is done to the cluster must be the same whatever the configuration draws for itself.
  const fate = new Random(options.seed + FATE_SEEDS);
  const crashes = new Map<MemberHost, Crash>();
  const slow = new Set<MemberHost>();
  const membership = new MembershipCluster({
    ...options,
    keepEvents: false,
    afterStep: (host, actions) => {
      for (const action of actions) {
        if (action.kind !== "event" || action.event.kind !== "member-failed") continue;
        const accused = membership.hostOf(action.event.member.id);
        if (accused !== undefined) count(host, accused);
      }
    },
  });
  const { cluster } = membership;
  const count = (witness: MemberHost, accused: MemberHost) => {
    const isHealthy = !slow.has(witness);
    const crash = crashes.get(accused);
    if (crash !== undefined) {
      if (isHealthy) crash.heardAtMs.push(cluster.nowMs);
    } else if (slow.has(accused)) tally.slowDeclaredDead += isHealthy ? 1 : 0;
    else {
      tally.falsePositives++;
      if (isHealthy) tally.healthyFalsePositives++;
    }
  };

  const order = fate.shuffle([...membership.addFormed(options.hosts)]);
  for (const host of order.splice(0, anomalies.members)) slow.add(host);
  cluster.runFor(SETTLING_MS);
  const before = cluster.hosts.map(({ traffic }) => ({ ...traffic }));
  const startMs = cluster.nowMs;
  for (const host of order.splice(0, CRASHES)) {
    cluster.after(fate.unit() * ANOMALIES_MS, () => {
      crashes.set(host, { atMs: cluster.nowMs, heardAtMs: [] });
      cluster.kill(host);
    });
  }
  suffer(cluster, [...slow], anomalies);
  cluster.runFor(AFTERMATH_MS);

  for (const crash of crashes.values()) countCrash(tally, crash, order.length);
  cluster.hosts.forEach(({ traffic }, index) => countTraffic(tally, traffic, before[index]));
  tally.memberSeconds += options.hosts * (cluster.nowMs - startMs) / 1000;
}

/** Lets the anomalies come and go, all members' at the same times. */
function suffer(
  cluster: MembershipCluster["cluster"],
  hosts: readonly MemberHost[],
  { durationMs, intervalMs }: Anomalies,
): void {
  const endMs = cluster.nowMs + ANOMALIES_MS;
  while (cluster.nowMs < endMs) {
    for (const host of hosts) cluster.freeze(host);
    cluster.runFor(Math.min(durationMs, endMs - cluster.nowMs));
    for (const host of hosts) cluster.thaw(host);
    cluster.runFor(Math.min(intervalMs ?? Infinity, endMs - cluster.nowMs));
  }
}

interface Crash {
  readonly atMs: number;
  /** When healthy agents called it dead, in order. */
  readonly heardAtMs: number[];
}

/** @param witnesses healthy members that never crash; others may have heard before their own end. */
function countCrash(tally: LifeguardTally, crash: Crash, witnesses: number): void {
  const [first] = crash.heardAtMs;
  if (first !== undefined) tally.firstDetectionsMs.push(first - crash.atMs);
  const last = crash.heardAtMs[witnesses - 1];
  if (last === undefined) tally.missedCrashes++;
  else tally.disseminationsMs.push(last - crash.atMs);
}

function countTraffic(tally: LifeguardTally, after: Traffic, before = newTraffic()): void {
  tally.messages += messagesSent(after) - messagesSent(before);
  tally.bytes += bytesSent(after) - bytesSent(before);
}

/** Datagrams, and questions and answers over streams. */
function messagesSent(traffic: Traffic): number {
  return traffic.datagramsSent + traffic.requestsSent + traffic.requestsReceived;
}
