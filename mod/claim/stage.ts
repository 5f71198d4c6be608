/**
 * A stage of a host's life. Each stage is a small machine of its own that is told what happened and answers with the stage
 * to go to, or null to stay; the claimant makes the stages, so that they need not know each other.
 */
import type { Problem } from "../base/problem.ts";
import type { MemberId } from "../swim/member.ts";
import type { ClaimAnswer } from "./messages.ts";
import type { ClaimRecord } from "./record.ts";
import type { LifeState } from "./snapshot.ts";

/** Why a host has to wait; the code is that of a {@linkcode Problem}. */
export interface Wait {
  readonly code: "no-free-subnet" | "pin-taken" | "pool-mismatch" | "claim-not-saved";
  /** What is, sentence case, no full stop. */
  readonly text: string;
  /** What to do, sentence case, no full stop. */
  readonly remedy: string;
  /** When to try again though nothing has changed; Infinity when only a change can help. */
  readonly retryAtMs: number;
}

/** What a host is about to ask for. */
export interface Wanted {
  readonly subnet: string;
  /** Whether nothing else is free: see ClaimRequest. */
  readonly isLastResort: boolean;
  /** The claims of absent hosts that would end: see reclaim.ts. */
  readonly reclaimed: readonly ClaimRecord[];
}

export type Next =
  /** `afresh` asks other members for their full state first; nothing is chosen before `notBeforeMs`. */
  | { readonly to: "listening"; readonly afresh: boolean; readonly notBeforeMs: number }
  | { readonly to: "tentative"; readonly wanted: Wanted }
  /** What was held before the restart, once others were heard. */
  | { readonly to: "returning" }
  | { readonly to: "held" }
  | { readonly to: "yielding" }
  | { readonly to: "waiting"; readonly wait: Wait }
  /** Gives back what was held with `release`; what was only asked for is withdrawn in any case. */
  | { readonly to: "released"; readonly release: boolean };

export abstract class Stage {
  abstract readonly state: LifeState;
  /** The subnet that this stage is about; null when it is about none. */
  abstract readonly subnet: string | null;

  /** Why there is no subnet; null when there is one or soon will be. */
  get problem(): Problem | null {
    return null;
  }

  /** The same as one sentence. */
  get reason(): string | null {
    return this.problem === null
      ? null
      : `${this.problem.text}: ${lowerFirst(this.problem.remedy)}`;
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

  /** Operators changed the pool. */
  poolChanged(_nowMs: number): Next | null {
    return null;
  }

  /** This host's tunnel end point changed. */
  vtepChanged(_nowMs: number): Next | null {
    return null;
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
