/**
 * The figures of a healthy cluster by its size: how fast news spread, how fast a crash is known, and
 * what a host sends and receives while nothing happens.
 */
import { LAN_TIMINGS, type SwimTimings } from "../../swim/timings.ts";
import { type MemberHost, MembershipCluster } from "../membership_cluster.ts";
import { quantile } from "../statistics.ts";
import { bytesSent } from "../traffic.ts";

/** How much is measured at one size. */
export interface FigurePlan {
  readonly hosts: number;
  /** One cluster each. */
  readonly seeds: readonly number[];
  /** In each cluster. */
  readonly newcomers: number;
  readonly crashes: number;
  readonly idleMs: number;
}

/** Small clusters are cheap and vary more: there are more of them. */
export const FIGURE_PLANS: readonly FigurePlan[] = [
  plan(10, 20, 3, 1, 120_000),
  plan(100, 5, 5, 4, 120_000),
  plan(1000, 1, 5, 10, 60_000),
  plan(5000, 1, 2, 4, 20_000),
];

function plan(
  hosts: number,
  clusters: number,
  newcomers: number,
  crashes: number,
  idleMs: number,
): FigurePlan {
  const seeds = Array.from({ length: clusters }, (_, index) => index + 1);
  return { hosts, seeds, newcomers, crashes, idleMs };
}

/** What was measured at one size. Times are milliseconds. */
export interface Figures {
  readonly hosts: number;
  readonly seeds: readonly number[];
  /** For each newcomer, how long after its start each of the others knew it, in order. */
  readonly newsMs: readonly (readonly number[])[];
  /** Of each crash: until the first, and until every other host called it dead. */
  readonly detectedMs: readonly number[];
  readonly deadEverywhereMs: readonly number[];
  /** Verdicts on hosts that are well: there must be none. */
  readonly falsePositives: number;
  readonly idle: IdleFigures;
}

/** Per host and second. Payload of UDP and TCP; headers come on top. */
export interface IdleFigures {
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly bytesSent: number;
  /** Of those: over streams, which syncs are. */
  readonly streamBytesSent: number;
  readonly streamsOpened: number;
}

/** Laps have begun, everybody was probed. */
const SETTLING_MS = 3000;
/** News have ended after this, so that the next ones meet an idle cluster. */
const NEWS_MS = 4000;
/** Between two crashes. */
const CRASH_INTERVAL_MS = 1000;
/** From the last crash: two intervals of probing and then some, until it must be known everywhere. */
const VERDICT_MS = 15_000;

export function measureFigures(plan: FigurePlan, timings: SwimTimings = LAN_TIMINGS): Figures {
  const runs = plan.seeds.map((seed) => new FigureRun(plan, seed, timings));
  const idle = (of: (figures: IdleFigures) => number) => mean(runs.map((run) => of(run.idle)));
  return {
    hosts: plan.hosts,
    seeds: plan.seeds,
    newsMs: runs.flatMap((run) => run.newsMs),
    detectedMs: runs.flatMap((run) => run.detectedMs),
    deadEverywhereMs: runs.flatMap((run) => run.deadEverywhereMs),
    falsePositives: runs.reduce((sum, run) => sum + run.falsePositives, 0),
    idle: {
      packetsSent: idle((figures) => figures.packetsSent),
      packetsReceived: idle((figures) => figures.packetsReceived),
      bytesSent: idle((figures) => figures.bytesSent),
      streamBytesSent: idle((figures) => figures.streamBytesSent),
      streamsOpened: idle((figures) => figures.streamsOpened),
    },
  };
}

/** Until that share of the hosts knew a newcomer: the median over all newcomers, milliseconds. */
export function newsTimeMs(figures: Figures, share: number): number {
  return quantile(figures.newsMs.map((times) => quantile(times, share)), 0.5);
}

/** Share of hosts, over all newcomers, that knew after that time; 0 to 1. */
export function newsShare(figures: Figures, timeMs: number): number {
  const all = figures.newsMs.flat();
  return all.filter((atMs) => atMs <= timeMs).length / all.length;
}

class FigureRun {
  readonly newsMs: number[][] = [];
  readonly detectedMs: number[] = [];
  readonly deadEverywhereMs: number[] = [];
  falsePositives = 0;
  readonly idle: IdleFigures;
  readonly #membership: MembershipCluster;
  /** Newcomers and victims, when they came or went, and who heard how long after that. */
  readonly #subjects = new Map<MemberHost, { readonly atMs: number; readonly heardMs: number[] }>();

  constructor(plan: FigurePlan, seed: number, timings: SwimTimings) {
    this.#membership = new MembershipCluster({
      seed,
      timings,
      keepEvents: false,
      afterStep: (_host, actions) => {
        for (const action of actions) {
          if (action.kind !== "event") continue;
          const { event } = action;
          if (event.kind === "member-joined") this.#heard(event.member.id);
          else if (event.kind === "member-failed" && !this.#heard(event.member.id)) {
            this.falsePositives++;
          }
        }
      },
    });
    const { cluster } = this.#membership;
    const hosts = this.#membership.addFormed(plan.hosts);
    cluster.runFor(SETTLING_MS);
    this.idle = this.#idle(plan.idleMs);
    for (let number = 0; number < plan.newcomers; number++) this.#join(plan.hosts);
    const victims = cluster.random.sample(hosts.slice(1), plan.crashes);
    for (const victim of victims) {
      cluster.kill(victim);
      this.#subjects.set(victim, { atMs: cluster.nowMs, heardMs: [] });
      // At any moment of the others' rounds.
      cluster.runFor(CRASH_INTERVAL_MS * (0.5 + cluster.random.unit()));
    }
    cluster.runFor(timings.suspicionMultiplier * Math.log10(plan.hosts) * timings.probeIntervalMs);
    cluster.runFor(VERDICT_MS);
    const survivors = cluster.running.length;
    for (const victim of victims) this.#countCrash(victim, survivors);
  }

  #idle(durationMs: number): IdleFigures {
    const { cluster } = this.#membership;
    const before = cluster.hosts.map(({ traffic }) => ({ ...traffic }));
    cluster.runFor(durationMs);
    const perSecond = (of: (traffic: MemberHost["traffic"]) => number) => {
      const total = cluster.hosts.reduce((sum, { traffic, index }) => {
        return sum + of(traffic) - of(before[index] ?? traffic);
      }, 0);
      return total / cluster.hosts.length / (durationMs / 1000);
    };
    return {
      packetsSent: perSecond((traffic) => traffic.datagramsSent),
      packetsReceived: perSecond((traffic) => traffic.datagramsReceived),
      bytesSent: perSecond(bytesSent),
      streamBytesSent: perSecond((traffic) => traffic.streamBytesSent),
      streamsOpened: perSecond((traffic) => traffic.requestsSent),
    };
  }

  /** A newcomer joins through its seed and stays. */
  #join(hosts: number): void {
    const { cluster } = this.#membership;
    const newcomer = cluster.add();
    const subject = { atMs: cluster.nowMs, heardMs: new Array<number>() };
    this.#subjects.set(newcomer, subject);
    cluster.boot(newcomer);
    cluster.runFor(NEWS_MS);
    this.newsMs.push(subject.heardMs.slice(0, hosts));
  }

  /** Somebody learned of a newcomer or of a death; false if nobody came or died. */
  #heard(id: string): boolean {
    const host = this.#membership.hostOf(id);
    const subject = host === undefined ? undefined : this.#subjects.get(host);
    subject?.heardMs.push(this.#membership.cluster.nowMs - subject.atMs);
    return subject !== undefined;
  }

  #countCrash(victim: MemberHost, survivors: number): void {
    const heardMs = this.#subjects.get(victim)?.heardMs ?? [];
    this.detectedMs.push(heardMs[0] ?? Infinity);
    // Later victims may have heard as well, before their own end.
    this.deadEverywhereMs.push(heardMs[survivors - 1] ?? Infinity);
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
