/** One step of one whole host as the rules of claims see it, and what they remember of the host's life. */
import type { Action, Input } from "../base/core.ts";
import type {
  ClaimSnapshot,
  HostCommand,
  HostEvent,
  HostSnapshot,
  LifeState,
} from "../claim/host_core.ts";
import type { ClaimRecord } from "../claim/record.ts";
import type { MemberId } from "../swim/member.ts";
import type { SwimSnapshot } from "../swim/swim.ts";
import { InvariantError } from "./invariant_error.ts";
import type { SimHost } from "./sim_host.ts";

export type Host = SimHost<HostCommand, HostEvent, HostSnapshot>;

/** What a host knew of another's claim before a step and knows after it. */
export interface RecordChange {
  readonly hostId: MemberId;
  readonly before: ClaimRecord | undefined;
  readonly after: ClaimRecord | undefined;
}

/** What is excused at present, and who wants to know what was found: see ClaimShadow. */
export interface ClaimExcuses {
  /** Why two hosts may hold overlapping subnets though they began to look for them then; null when they may not. */
  whyDouble(one: Host, other: Host, sinceMs: number): string | null;
  /** Whether all knew all claims at some moment in between. */
  wasClearBetween(fromMs: number, toMs: number): boolean;
  /** Whether a disk was set back or copied, or its host forgotten, lately. */
  isOdd(host: Host): boolean;
  /** Whether somebody lost what it knew of others since then. */
  hasForgotten(sinceMs: number): boolean;
  /** Whether records of that host may bear equal numbers. */
  isReused(id: MemberId): boolean;
  hadDiskTrouble(host: Host, sinceMs: number): boolean;
  /** Whether it stood still or was cut off since then. */
  hadTrouble(host: Host, sinceMs: number): boolean;
}

const NOTHING: readonly never[] = [];

/** One life of a host, from its start to its end, as seen up to its last step. */
export class ClaimLife {
  readonly host: Host;
  readonly boots: number;
  /** After the last step. */
  claim: ClaimSnapshot | null = null;
  memberCount = 0;
  /** Since when the host looks for the subnet that it has, or for one at all. */
  seekingSinceMs: number;
  heldSinceMs = Infinity;
  /** As heldSinceMs, but over restarts with the same claim. */
  claimedSinceMs = Infinity;
  /** Highest fences seen, of subnets that anybody claimed. */
  readonly fences = new Map<string, number>();
  /** Since when it stays below a fence that it knows of. */
  belowSinceMs = Infinity;

  /** @param earlier the life whose claim it goes on with; null when it looks for a subnet. */
  constructor(host: Host, nowMs: number, earlier: ClaimLife | null = null) {
    this.host = host;
    this.boots = host.boots;
    this.seekingSinceMs = earlier?.seekingSinceMs ?? nowMs;
    this.claimedSinceMs = earlier?.claimedSinceMs ?? Infinity;
  }
}

export class ClaimStep {
  readonly host: Host;
  readonly life: ClaimLife;
  readonly nowMs: number;
  readonly input: Input<HostCommand> | null;
  readonly actions: readonly Action<HostEvent>[];
  readonly before: ClaimSnapshot | null;
  readonly claim: ClaimSnapshot;
  readonly swim: SwimSnapshot;
  readonly changes: readonly RecordChange[];

  constructor(
    life: ClaimLife,
    nowMs: number,
    input: Input<HostCommand> | null,
    actions: readonly Action<HostEvent>[],
  ) {
    this.host = life.host;
    this.life = life;
    this.nowMs = nowMs;
    this.input = input;
    this.actions = actions;
    this.before = life.claim;
    const { claim, swim } = life.host.snapshot();
    this.claim = claim;
    this.swim = swim;
    this.changes = claim.records === life.claim?.records
      ? NOTHING
      : changes(life.claim?.records ?? NOTHING, claim.records);
  }

  /** On the host's own clock. */
  get localMs(): number {
    return this.host.clock.read(this.nowMs);
  }

  /** Whether the host went from another state, or another subnet, to this state. */
  hasEntered(state: LifeState): boolean {
    return this.claim.state === state &&
      (this.before?.state !== state || this.before.subnet !== this.claim.subnet);
  }

  /** Keeps what the next step of this life is compared with. */
  remember(): void {
    const { life, claim } = this;
    if (claim.state === "held" && life.heldSinceMs === Infinity) {
      life.heldSinceMs = this.nowMs;
      life.claimedSinceMs = Math.min(life.claimedSinceMs, this.nowMs);
    }
    if (claim.state !== "held" && life.heldSinceMs < Infinity) {
      life.heldSinceMs = Infinity;
      life.claimedSinceMs = Infinity;
      life.seekingSinceMs = this.nowMs;
    }
    life.claim = claim;
    life.memberCount = this.swim.members.length;
  }

  expect(condition: boolean, rule: string, what: string): void {
    if (!condition) this.fail(rule, what);
  }

  fail(rule: string, what: string): never {
    throw new InvariantError(rule, this.nowMs, `${this.host.name} ${what}`);
  }
}

/** What differs between two lists in the order of host ids; a record that is the same object has not changed. */
function changes(before: readonly ClaimRecord[], after: readonly ClaimRecord[]): RecordChange[] {
  const found: RecordChange[] = [];
  let at = 0;
  for (const record of after) {
    let old = before[at];
    while (old !== undefined && old.hostId < record.hostId) {
      found.push({ hostId: old.hostId, before: old, after: undefined });
      old = before[++at];
    }
    const isThere = old?.hostId === record.hostId;
    if (isThere) at++;
    if (isThere && old === record) continue;
    found.push({ hostId: record.hostId, before: isThere ? old : undefined, after: record });
  }
  for (; at < before.length; at++) {
    const old = before[at];
    if (old !== undefined) found.push({ hostId: old.hostId, before: old, after: undefined });
  }
  return found;
}
