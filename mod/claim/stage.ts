/**
 * A stage of a host's life. Each stage is a small machine of its own that is told what happened and answers with the stage
 * to go to, or null to stay; the claimant makes the stages, so that they need not know each other.
 */
import type { MemberId } from "../swim/member.ts";
import type { ClaimAnswer } from "./messages.ts";
import type { ClaimRecord } from "./record.ts";
import type { LifeState } from "./snapshot.ts";

/** Why a host has to wait: one clear sentence each for what is and what to do. */
export interface Wait {
  readonly code: "exhausted" | "pin-taken" | "pool-mismatch" | "disk";
  readonly reason: string;
  /** When to try again though nothing has changed; Infinity when only a change can help. */
  readonly retryAtMs: number;
}

export type Next =
  /** `afresh` asks other members for their full state first; nothing is chosen before `notBeforeMs`. */
  | { readonly to: "listening"; readonly afresh: boolean; readonly notBeforeMs: number }
  | { readonly to: "tentative"; readonly subnet: string }
  | { readonly to: "held" }
  | { readonly to: "yielding" }
  | { readonly to: "waiting"; readonly wait: Wait }
  | { readonly to: "released" };

export abstract class Stage {
  abstract readonly state: LifeState;
  /** The subnet that this stage is about; null when it is about none. */
  abstract readonly subnet: string | null;

  /** Why there is no subnet; null when there is one or soon will be. */
  get reason(): string | null {
    return null;
  }

  /** When `advance` must be called though nothing happens. */
  wakeAtMs(): number {
    return Infinity;
  }

  /** The stage begins. */
  enter(_nowMs: number): Next | null {
    return null;
  }

  /** Time has passed. */
  advance(_nowMs: number): Next | null {
    return null;
  }

  /** There is nothing else to do now, and all that was to be sent is under way. */
  idle(): void {}

  /** Records of other hosts came in. */
  recordsChanged(_nowMs: number): Next | null {
    return null;
  }

  membersChanged(_nowMs: number): Next | null {
    return null;
  }

  /** A full sync with that member, asked for by this host, is complete. */
  synced(_nowMs: number, _member: MemberId): Next | null {
    return null;
  }

  /** A member answered a request; its records were taken in before. */
  answered(_nowMs: number, _answer: ClaimAnswer): Next | null {
    return null;
  }

  /** This host's record, written last, is safe on disk. */
  written(_nowMs: number, _record: ClaimRecord): Next | null {
    return null;
  }

  /** The disk refused this host's record. */
  refused(_nowMs: number, _reason: string): Next | null {
    return null;
  }

  /** This host's tunnel end point changed. */
  vtepChanged(_nowMs: number): Next | null {
    return null;
  }
}
