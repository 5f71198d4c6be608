/** What a run is asked to do, and what came of it: alike for all kinds of hosts. */
import type { Lifeguard } from "../swim/lifeguard.ts";
import type { SwimTimings } from "../swim/timings.ts";
import type { RunObserver } from "./run_observer.ts";

export interface RunOptions {
  readonly timings?: SwimTimings;
  readonly lifeguard?: Lifeguard;
  readonly observer?: RunObserver;
  /** Without it only the end is checked. */
  readonly checksSteps?: boolean;
}

export interface RunFailure {
  /** Of the rule that did not hold; `throws` when a core threw. */
  readonly rule: string;
  readonly message: string;
}

/** How often something occurred. */
export type Coverage = Readonly<Record<string, number>>;
/** Times in milliseconds, by what was measured. */
export type Measures = Readonly<Record<string, readonly number[]>>;

export interface RunResult {
  readonly failure: RunFailure | null;
  /** Equal for equal schedules. */
  readonly fingerprint: string;
  readonly steps: number;
  readonly virtualMs: number;
  /** From the last fault until all were of one mind; null when they never were. */
  readonly settledAfterMs: number | null;
  /** Of whole hosts: which faults, stages and outcomes occurred. */
  readonly coverage?: Coverage;
  /** Of whole hosts: how long things took. */
  readonly measures?: Measures;
}
