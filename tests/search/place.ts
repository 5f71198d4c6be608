/** A host with what is its own, and what a step makes of it. */
import type { OpenedClaimant } from "./opened_tree.ts";
import type { View } from "./view.ts";

export interface Place {
  readonly host: number;
  /** Null while the host is down. */
  readonly claimant: OpenedClaimant | null;
  /** Codes of the members as seen here; the host's own says only how often it started. */
  readonly members: readonly number[];
  /** The document on disk, -1 for none. */
  readonly disk: number;
}

/** A state of a host; its claimant is at rest: never stepped, only copied. */
export interface Local extends Place {
  readonly id: number;
  readonly wakeInMs: number;
  readonly view: View;
  /** How the search came here first: null for the beginning. */
  readonly origin: { readonly from: number; readonly input: number } | null;
}

export interface Step {
  readonly to: number;
  readonly items: readonly number[];
  /** The answer of a sync, as a payload; -1 for none. */
  readonly answer: number;
  /** What went wrong within this one host; null for nothing. */
  readonly breach: string | null;
}
