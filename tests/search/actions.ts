/** What may happen next in a state, and where it leads. */
import type { State } from "./state.ts";

export type ActionKind =
  | "deliver"
  | "deliver-late"
  | "lose"
  | "double"
  | "delay"
  | "refuse"
  | "pass"
  | "dial"
  | "final-sync"
  | "heal"
  | "restart"
  | "crash"
  | "crash-written"
  | "crash-restart"
  | "image"
  | "rollback"
  | "partition"
  | "release"
  | "pause"
  | "resume"
  | "resume-last"
  | "forget";

export interface Action {
  readonly kind: ActionKind;
  /** A place in a list, a host, milliseconds or a side, by kind. */
  readonly argument: number;
}

export interface Successor {
  readonly action: Action;
  readonly state: State;
  readonly breach: string | null;
}

/** Adds a successor: what `change` makes of a copy of the state. */
export type Go = (kind: ActionKind, argument: number, change: (next: State) => void) => void;
