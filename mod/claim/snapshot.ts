/** What a claimant shows and says: snapshots, events and the commands it takes. */
import type { Pool } from "../address/pool.ts";
import type { PoolRecord } from "../address/pool_record.ts";
import type { Problem } from "../base/problem.ts";
import type { MemberId } from "../swim/member.ts";
import type { ClaimCounters } from "./counters.ts";
import type { ClaimRecord, Vtep } from "./record.ts";

/** Where a host is in its life; `none` before its first step. */
export type LifeState =
  | "none"
  | "listening"
  | "tentative"
  | "held"
  | "yielding"
  | "waiting"
  | "released";

/** This host's claim in brief. */
export interface ClaimView {
  readonly state: LifeState;
  readonly subnet: string | null;
  /** Why this host has no subnet and what to do, one sentence; null when it has one or is about to. */
  readonly reason: string | null;
}

/** A claim whose host is away, and for how long in time that proves it: see absence.ts. */
export interface AbsentHost {
  readonly record: ClaimRecord;
  readonly awayMs: number;
  /** The absence after which the subnet may be taken. */
  readonly ttlMs: number;
}

export interface ClaimSnapshot extends ClaimView {
  /** When the present state and subnet began, on the core's clock. */
  readonly sinceMs: number;
  /** Contests over this host's subnet since it started. */
  readonly conflicts: number;
  /** This host's own record as announced; null when it has announced none. */
  readonly record: ClaimRecord | null;
  /** One held winner per subnet as this host routes them, its own included, sorted by host id. */
  readonly owners: readonly ClaimRecord[];
  /** Every record, sorted by host id. */
  readonly records: readonly ClaimRecord[];
  /** When this host first saw each host's claim on its present subnet, on the core's clock. */
  readonly sinceByHost: ReadonlyMap<MemberId, number>;
  /** Of claims that count for nothing, released or below the fence: since when, as this host knows. */
  readonly voidSinceByHost: ReadonlyMap<MemberId, number>;
  /** The pool as it is now, and what operators changed of it; null when they changed nothing. */
  readonly pool: Pool;
  readonly poolRecord: PoolRecord | null;
  readonly fenceSize: number;
  /** The highest epoch at which that subnet, or one that overlaps it, was ever held; 0 when it never was. */
  readonly fenceOf: (subnet: string) => number;
  /** Whether that host's claim wins by the order alone, however this host routes while a contest lasts. */
  readonly isOwner: (hostId: MemberId) => boolean;
  /** Until when that subnet rests since others gave it back, on the core's clock; -Infinity when it does not. */
  readonly restsUntilMs: (subnet: string) => number;
  /** How long the hosts of claims have been away, as far as this host can tell. */
  readonly absences: () => readonly AbsentHost[];
  /** What this claimant has done since it began. Goes on counting. */
  readonly counters: Readonly<ClaimCounters>;
  /**
   * Whether this host has heard all that others claim: a first full sync is done, or there was nobody to ask. Until
   * then a missing owner means nothing, and nothing may be removed because of it.
   */
  readonly complete: boolean;
  readonly problems: readonly Problem[];
}

export type ClaimCommand =
  /** Claim nothing more, and withdraw what was only asked for; with `release` let others have the subnet. */
  | { readonly kind: "leave"; readonly release: boolean }
  /** Come back after a leave. */
  | { readonly kind: "rejoin" }
  /** What that host claims counts for nothing any more, unless it is there and says so. */
  | { readonly kind: "forget"; readonly hostId: MemberId }
  /** Operators changed the pool: the record that every host shall have; must be above the present one. */
  | { readonly kind: "set-pool"; readonly record: PoolRecord }
  /** This host's tunnel end point changed. */
  | { readonly kind: "set-vtep"; readonly vtep: Vtep };

export type ClaimEvent =
  | { readonly kind: "claim-changed"; readonly from: LifeState; readonly to: ClaimView }
  /** What this host routes changed (subnet, host or tunnel end point of an owner): compare with the kernel now. */
  | { readonly kind: "owners-changed" }
  /** Two hosts hold one subnet; `why` explains the order field by field. */
  | {
    readonly kind: "conflict";
    readonly subnet: string;
    readonly winner: MemberId;
    readonly loser: MemberId;
    readonly why: string;
  }
  /** Operators changed the pool, here or elsewhere. */
  | { readonly kind: "pool-changed"; readonly pool: Pool }
  /** This host had to change its subnet: containers must move. */
  | { readonly kind: "renumbered"; readonly old: string; readonly new: string }
  | {
    readonly kind: "warning";
    readonly code: string;
    readonly text: string;
    readonly remedy: string;
  };
