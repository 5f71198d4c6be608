/**
 * What happened in a run of whole hosts, and how long it took: for the reports of campaigns. What may be asked of each run
 * is checked in each:
 *
 * - L2: all hosts have equal records at its end (that is whyUnsettled), how soon is measured.
 * - L3: two holders that know of each other decide within 10 s, unless a disk or a clock is in their way.
 * - L4: a host that starts with a claim on its disk holds that subnet within a second, when all is calm.
 * - L5: while all is calm, a host that could hold a subnet does so within two waits.
 * - L6: at most 6 writes of a process after the last event.
 */
import type { Action } from "../base/core.ts";
import type { HostEvent } from "../claim/host_core.ts";
import type { MemberId } from "../swim/member.ts";
import { LAN_TIMINGS } from "../swim/timings.ts";
import { cidrsOverlap } from "../address/network.ts";
import { objectionWaitMs } from "../claim/dissemination_time.ts";
import { decodeClaimMemory } from "../claim/memory.ts";
import type { ClaimRecord } from "../claim/record.ts";
import type { ClaimSettled } from "./claim_settled.ts";
import type { ClaimShadow } from "./claim_shadow.ts";
import type { Fault } from "./fault.ts";
import type { HostCluster, SimulatedHost } from "./host_cluster.ts";
import { InvariantError } from "./invariant_error.ts";
import type { Coverage, Measures } from "./run_result.ts";

/** Writes that a host may make after the last event of its environment (L6). */
const WRITES_MAX = 6;
/** Persisted, and announced, within this time of a start (L4). */
const ANNOUNCED_MS_MAX = 1_000;

/** Two holders that know of each other (L3). */
const DECISION_MS_MAX = 10_000;
/** Waits in which newcomers get a subnet when all is calm (L5). */
const WAITS_MAX = 2;
/** Listening first: a second for further syncs, and the pauses of a host that loses choices. */
const LISTENING_MS_MAX = 5_000;

/** A disk that refused is tried again that late. */
const DISK_RETRY_MS_MAX = 30_000;

/** Two hosts that hold one subnet. */
interface Double {
  readonly one: SimulatedHost;
  readonly other: SimulatedHost;
  readonly sinceMs: number;
  /** Whether they share an id. */
  readonly isClone: boolean;
  /** When one of them knew the other's claim. */
  contactMs: number;
}

/** A record on its way to everybody. */
interface Spreading {
  readonly record: ClaimRecord;
  readonly atMs: number;
  knowers: number;
}

/** One start of a host. */
interface Start {
  readonly atMs: number;
  readonly boots: number;
  /** Whether its disk knew of claims, and said that it held one. */
  readonly hadClaim: boolean;
  readonly wasHeld: boolean;
  isOver: boolean;
}

export class ClaimMeasures {
  readonly #hosts: HostCluster;
  readonly #shadow: ClaimShadow;
  readonly #coverage = new Map<string, number>();
  readonly #measures = new Map<string, number[]>();
  readonly #starts = new Map<string, Start>();
  /** By instance: clones are two writers of one id until they are told apart. */
  readonly #writes = new Map<string, number>();
  readonly #doubles = new Map<string, Double>();
  /** The newest record of each host. */
  readonly #spreading = new Map<MemberId, Spreading>();
  readonly #settled: ClaimSettled;
  readonly #seekingSince = new Map<string, number>();
  /** Since when somebody has heard the cluster, and can answer. */
  #knownSinceMs = Infinity;
  #isCalm = false;

  constructor(hosts: HostCluster, shadow: ClaimShadow, settled: ClaimSettled) {
    this.#hosts = hosts;
    this.#shadow = shadow;
    this.#settled = settled;
  }

  coverage(): Coverage {
    return Object.fromEntries(this.#coverage);
  }

  measures(): Measures {
    return Object.fromEntries(this.#measures);
  }

  count(what: string): void {
    this.#coverage.set(what, (this.#coverage.get(what) ?? 0) + 1);
  }

  measure(what: string, ms: number): void {
    const values = this.#measures.get(what);
    if (values === undefined) this.#measures.set(what, [ms]);
    else values.push(ms);
  }

  fault(fault: Fault): void {
    this.count(`fault ${fault.kind}`);
  }

  /** The last fault is over. */
  calm(): void {
    this.#isCalm = true;
    this.#writes.clear();
  }

  /** A host is about to start, or has just done so. */
  started(nowMs: number, host: SimulatedHost): void {
    const bytes = host.documents.get("claim");
    const wasHeld = bytes !== undefined && decodeClaimMemory(bytes).record?.state === "held";
    const hadClaim = bytes !== undefined;
    const { boots } = host;
    this.#starts.set(host.name, { atMs: nowMs, boots, hadClaim, wasHeld, isOver: false });
  }

  /** Looks how things stand: several times a second. */
  look(nowMs: number): void {
    this.#lookAtDoubles(nowMs);
    this.#lookAtIdle(nowMs);
  }

  step(host: SimulatedHost, actions: readonly Action<HostEvent>[]): void {
    for (const action of actions) if (action.kind === "event") this.#event(host, action.event);
  }

  /** A record that nobody had before. */
  wrote(record: ClaimRecord): void {
    const { hostId } = record;
    this.#spreading.set(hostId, { record, atMs: this.#hosts.cluster.nowMs, knowers: 0 });
    if (!this.#isCalm) return;
    const { instance } = record;
    this.#writes.set(instance, (this.#writes.get(instance) ?? 0) + 1);
  }

  /** A host has heard of a record. */
  learnt(record: ClaimRecord): void {
    const spreading = this.#spreading.get(record.hostId);
    if (spreading === undefined || spreading.record.sequence !== record.sequence) return;
    if (spreading.record.generation !== record.generation) return;
    spreading.knowers++;
    const { nowMs, running } = this.#hosts.cluster;
    if (this.#shadow.calmSinceMs > spreading.atMs || spreading.knowers < running.length) return;
    this.#spreading.delete(record.hostId);
    const tookMs = nowMs - spreading.atMs;
    if (running.length > 1) this.measure("L2 record known to all, calm", tookMs);
  }

  /** L6. */
  checkQuiet(): void {
    for (const [instance, writes] of this.#writes) {
      this.measure("writes after the last event", writes);
      if (writes <= WRITES_MAX) continue;
      const text = `the process ${instance} wrote ${writes} records after the last event`;
      throw new InvariantError("L6", this.#hosts.cluster.nowMs, text);
    }
  }

  #lookAtDoubles(nowMs: number): void {
    const holders = this.#hosts.cluster.running.flatMap((host) => {
      const { state, subnet } = host.snapshot().claim;
      return state === "held" && subnet !== null ? [{ host, subnet }] : [];
    });
    const present = new Set<string>();
    const bySubnet = new Map<string, SimulatedHost>();
    const lengths = new Set(holders.map(({ subnet }) => subnet.slice(subnet.indexOf("/"))));
    for (const { host, subnet } of holders) {
      const other = bySubnet.get(subnet) ?? (lengths.size === 1 ? undefined : holders
        .find((one) => one.host.index < host.index && cidrsOverlap(one.subnet, subnet))?.host);
      if (other !== undefined) present.add(this.#noteDouble(nowMs, other, host));
      else bySubnet.set(subnet, host);
    }
    for (const [key, { contactMs, sinceMs, isClone }] of this.#doubles) {
      if (present.has(key)) continue;
      this.#doubles.delete(key);
      this.measure(isClone ? "clones lasted" : "double claim lasted", nowMs - sinceMs);
      if (contactMs < Infinity) this.measure("L3 contact to decision", nowMs - contactMs);
    }
  }

  #noteDouble(nowMs: number, one: SimulatedHost, other: SimulatedHost): string {
    const key = `${one.name} ${one.boots} ${other.name} ${other.boots}`;
    const double = this.#doubles.get(key) ??
      { one, other, sinceMs: nowMs, isClone: isClone(one, other), contactMs: Infinity };
    this.#doubles.set(key, double);
    if (double.contactMs === Infinity && (knows(one, other) || knows(other, one))) {
      double.contactMs = nowMs;
      const { healedAtMs } = this.#shadow;
      const wasCut = healedAtMs < Infinity && healedAtMs > double.sinceMs;
      if (wasCut) this.measure("L3 heal to contact", nowMs - healedAtMs);
    }
    const isLate = nowMs - double.contactMs > DECISION_MS_MAX;
    if (!isLate || this.#isHindered(one, double.contactMs)) return key;
    if (this.#isHindered(other, double.contactMs)) return key;
    throw new InvariantError(
      "L3",
      nowMs,
      `${one.name} and ${other.name} both hold a subnet, and have known so since ${
        double.contactMs.toFixed(0)
      } ms`,
    );
  }

  #isHindered(host: SimulatedHost, sinceMs: number): boolean {
    return this.#shadow.hadDiskTrouble(host, sinceMs) || this.#shadow.hadTrouble(host, sinceMs);
  }

  #lookAtIdle(nowMs: number): void {
    const { calmSinceMs } = this.#shadow;
    const { hosts } = this.#hosts.cluster;
    const waitMs = objectionWaitMs(hosts.length, LAN_TIMINGS.gossipIntervalMs, 0);
    const boundMs = WAITS_MAX * waitMs + LISTENING_MS_MAX;
    const isKnown = this.#settled.present().some((host) => host.snapshot().claim.complete);
    this.#knownSinceMs = isKnown ? Math.min(this.#knownSinceMs, nowMs) : Infinity;
    if (nowMs - Math.max(calmSinceMs, this.#knownSinceMs) <= boundMs) return;
    const idle = hosts.filter((host) =>
      host.isRunning && host.snapshot().claim.state !== "held" &&
      nowMs - host.startedAtMs > boundMs && nowMs - this.#seekingSinceMs(host) > boundMs &&
      !this.#shadow.hadDiskTrouble(host, nowMs - boundMs - DISK_RETRY_MS_MAX)
    );
    if (idle.length === 0) return;
    for (const part of this.#settled.parts()) {
      for (const host of idle) {
        const why = part.includes(host) ? this.#settled.whyIdle(host, part.length) : null;
        if (why !== null) throw new InvariantError("L5", nowMs, `${why}, and all is calm`);
      }
    }
  }

  /** Since when a host has been looking, in the cluster's time: it may have lost its subnet just now. */
  #seekingSinceMs(host: SimulatedHost): number {
    return this.#seekingSince.get(`${host.name} ${host.boots}`) ?? host.startedAtMs;
  }

  #event(host: SimulatedHost, event: HostEvent): void {
    switch (event.kind) {
      case "claim-changed":
        this.count(`stage ${event.to.state}`);
        // Who waits has a reason, until it finds something to ask for.
        if (event.from === "held" || event.from === "waiting") {
          this.#seekingSince.set(`${host.name} ${host.boots}`, this.#hosts.cluster.nowMs);
        }
        if (event.to.state === "waiting") this.count(`waiting: ${brief(event.to.reason)}`);
        if (event.to.state === "held") this.#held(host);
        return;
      case "conflict":
        return this.count(`contest decided by ${/the [a-z ]+(?= wins)/.exec(event.why)?.[0]}`);
      case "warning":
        return this.count(`warning ${event.code}`);
      case "renumbered":
        return this.count("renumbered");
    }
  }

  #held(host: SimulatedHost): void {
    const { nowMs } = this.#hosts.cluster;
    const start = this.#starts.get(host.name);
    if (start === undefined || start.isOver) return;
    start.isOver = true;
    const tookMs = nowMs - start.atMs;
    const isCalm = this.#shadow.calmSinceMs <= start.atMs;
    if (!start.hadClaim) {
      this.measure(isCalm ? "L1 first claim, calm" : "first claim, in trouble", tookMs);
    } else if (isCalm) {
      this.measure(start.wasHeld ? "L4 restart, calm" : "restart without a subnet, calm", tookMs);
      if (start.wasHeld && tookMs > ANNOUNCED_MS_MAX) {
        const text =
          `${host.name} held a subnet before it was stopped, and again after ${tookMs} ms`;
        throw new InvariantError("L4", nowMs, text);
      }
    }
  }
}

/** The first words of a reason, without names. */
function brief(reason: string | null): string {
  const text = (reason ?? "").replace(/^(h\d+ \([0-9a-f]+\)|host [0-9a-f]+)/, "another host");
  return text.split(" ").slice(0, 3).join(" ").replace(/\d+/g, "N");
}

function isClone(one: SimulatedHost, other: SimulatedHost): boolean {
  return one.snapshot().swim.self.id === other.snapshot().swim.self.id;
}

/** Whether a host knows what another one holds now. */
function knows(host: SimulatedHost, other: SimulatedHost): boolean {
  const { claim, swim } = other.snapshot();
  // Clones have one claim between them; they find out in another way.
  if (isClone(host, other)) return false;
  return host.snapshot().claim.records.some((record) =>
    record.hostId === swim.self.id && record.state === "held" && record.subnet === claim.subnet
  );
}
