/** What happened in a run of whole hosts, and how long it took: for the reports of campaigns, and L6. */
import type { Action } from "../base/core.ts";
import type { HostEvent } from "../claim/host_core.ts";
import type { MemberId } from "../swim/member.ts";
import type { ClaimShadow } from "./claim_shadow.ts";
import type { Fault } from "./fault.ts";
import type { HostCluster, SimulatedHost } from "./host_cluster.ts";
import { InvariantError } from "./invariant_error.ts";
import type { Coverage, Measures } from "./run_result.ts";

/** Writes that a host may make after the last event of its environment (L6). */
const WRITES_MAX = 6;
/** Persisted, and announced, within this time of a start (L4). */
const ANNOUNCED_MS_MAX = 1_000;

/** One start of a host. */
interface Start {
  readonly atMs: number;
  readonly boots: number;
  /** The subnet on its disk. */
  readonly hadClaim: boolean;
  isOver: boolean;
}

export class ClaimMeasures {
  readonly #hosts: HostCluster;
  readonly #shadow: ClaimShadow;
  readonly #coverage = new Map<string, number>();
  readonly #measures = new Map<string, number[]>();
  readonly #starts = new Map<string, Start>();
  readonly #writes = new Map<MemberId, number>();
  #isCalm = false;

  constructor(hosts: HostCluster, shadow: ClaimShadow) {
    this.#hosts = hosts;
    this.#shadow = shadow;
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
  started(host: SimulatedHost): void {
    const { nowMs } = this.#hosts.cluster;
    const hadClaim = host.documents.has("claim");
    this.#starts.set(host.name, { atMs: nowMs, boots: host.boots, hadClaim, isOver: false });
  }

  step(host: SimulatedHost, actions: readonly Action<HostEvent>[]): void {
    for (const action of actions) if (action.kind === "event") this.#event(host, action.event);
  }

  /** A record that nobody had before. */
  wrote(hostId: MemberId): void {
    if (!this.#isCalm) return;
    this.#writes.set(hostId, (this.#writes.get(hostId) ?? 0) + 1);
  }

  /** L6. */
  checkQuiet(): void {
    for (const [id, writes] of this.#writes) {
      this.measure("writes after the last event", writes);
      if (writes <= WRITES_MAX) continue;
      const text = `${id.slice(0, 8)} wrote ${writes} records after the last event`;
      throw new InvariantError("L6", this.#hosts.cluster.nowMs, text);
    }
  }

  #event(host: SimulatedHost, event: HostEvent): void {
    switch (event.kind) {
      case "claim-changed":
        this.count(`stage ${event.to.state}`);
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
      this.measure("L4 restart, calm", tookMs);
      if (tookMs > ANNOUNCED_MS_MAX) this.count("slow restart");
    }
  }
}

/** The first words of a reason, without names. */
function brief(reason: string | null): string {
  return (reason ?? "").split(" ").slice(0, 3).join(" ").replace(/\d+/g, "N");
}
