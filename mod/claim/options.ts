/** What a claimant is made from. */
import type { Pool } from "../address/pool.ts";
import type { PoolRecord } from "../address/pool_record.ts";
import type { MemberId } from "../swim/member.ts";
import type { FenceEntry } from "./fence.ts";
import type { ClaimRecord, Vtep } from "./record.ts";

/** What came into the document later: absent where an older program wrote it. */
export interface FurtherMemory {
  /** Tells the machine that wrote it from others, 32 hexadecimal digits; absent where nothing could tell. */
  readonly machine?: string;
  /** What operators changed of the pool; absent when they changed nothing. */
  readonly pool?: PoolRecord;
}

/** What a host remembers of its claim from before it was last stopped: the document "claim", see memory.ts. */
export interface RestoredClaim extends FurtherMemory {
  readonly hostId: MemberId;
  /** Of the process that wrote it; this one uses the next. */
  readonly generation: number;
  /** Lamport clock. */
  readonly lamport: number;
  readonly fence: readonly FenceEntry[];
  /** This host's own record as last written; null when it never claimed. */
  readonly record: ClaimRecord | null;
  /** The subnet that containers were last given, while this host is looking for another; else null. */
  readonly previous: string | null;
  /** What was known of other hosts' claims: who is down while everybody restarts keeps its subnet. */
  readonly others?: readonly RememberedClaim[];
}

export interface RememberedClaim {
  readonly record: ClaimRecord;
  /** For how long it has counted for nothing, released or below the fence; 0 when it stands. */
  readonly ageMs: number;
}

export interface ClaimOptions {
  /** The cluster label: goes into the rendezvous order. */
  readonly cluster: string;
  readonly pool: Pool;
  /** The subnet asked for by the operator (canonical, checked against the pool), or null. */
  readonly pin: string | null;
  /** Claim although no seed answers. */
  readonly bootstrap: boolean;
  /** Whether there are other hosts that should be heard first: seeds, or members remembered on disk. */
  readonly seedsGiven: boolean;
  readonly vtep: Vtep;
  readonly hostId: MemberId;
  /** 16 hexadecimal digits, drawn at this start. */
  readonly instance: string;
  readonly restored: RestoredClaim | null;
  /**
   * Whether others may know better than the disk what this host claims, since it was away for long or lost its last write:
   * it then listens before it holds what it held.
   */
  readonly returnsCarefully?: boolean;
  /**
   * What is restored was written by this very process, which has heard the cluster long ago: it announces nothing anew. Forms
   * a cluster of a thousand at once, with `known` of membership's options. For simulations.
   */
  readonly continues?: boolean;
  /** See FurtherMemory. */
  readonly machine?: string;
  /** How long this host may be absent before its subnet may be taken; 24 h unless said. */
  readonly absenceTtlHours?: number;
  /** Of the gossip that claims ride on; 200 ms unless said. */
  readonly gossipIntervalMs?: number;
}

export const GOSSIP_INTERVAL_MS_DEFAULT = 200;
