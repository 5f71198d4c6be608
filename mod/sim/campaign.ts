/** Many seeds: what a worker of a campaign does with one of them, and what it says of it. */
import { formedClaims } from "./formed_claims.ts";
import { generateSchedule } from "./generate.ts";
import { generateClaims } from "./generate_claims.ts";
import { type FailureReport, reportFailure } from "./report.ts";
import { runSchedule } from "./run.ts";
import type { Coverage, Measures, RunResult } from "./run_result.ts";
import type { Schedule } from "./schedule.ts";

/** Sizes of the nightly mix: the smallest clusters have rules of their own, the largest show what grows. */
const NIGHTLY_HOSTS = [3, 5, 20, 20, 20, 20, 50, 100] as const;

/** Sizes of whole hosts: most bugs show with few, some only above the 64 that are asked by letter. */
const SMALL_HOSTS = [3, 3, 4, 4, 5, 5, 6, 7, 9, 12] as const;
const MIDDLE_HOSTS = [20, 30, 40, 60] as const;
const LARGE_HOSTS = 200;
const MIDDLE_EACH = 50;
const LARGE_EACH = 2000;

/** Each so many seeds are run twice: equal seeds must give equal runs. Prime, so that all small sizes have their turn. */
const TWICE_EACH = 47;

/**
 * What runs: membership alone; whole hosts, with claims; or whole hosts that have been a cluster for long when the run
 * begins, a thousand of them.
 */
export type CampaignKind = "membership" | "claims" | "formed";

export interface Task {
  readonly kind: CampaignKind;
  readonly seed: number;
  readonly hosts: number;
  /** Whether a failing seed is shrunk and told, which takes a while. */
  readonly isReported: boolean;
}

export type CampaignNews =
  | {
    readonly kind: "run";
    readonly seed: number;
    readonly hosts: number;
    readonly rule: string | null;
    readonly message: string;
    readonly steps: number;
    readonly virtualMs: number;
    readonly settledAfterMs: number | null;
    readonly coverage: Coverage;
    readonly measures: Measures;
  }
  | { readonly kind: "report"; readonly report: FailureReport }
  | { readonly kind: "done" };

/** Runs one seed, and tells of it; the last news is that it is done. */
export function runTask(task: Task, tell: (news: CampaignNews) => void): void {
  const { seed, hosts } = task;
  const schedule = scheduleOf(task);
  const result = runSeed(schedule, task.kind !== "formed" && seed % TWICE_EACH === 0);
  const { failure, steps, virtualMs, settledAfterMs } = result;
  tell({
    kind: "run",
    seed,
    hosts,
    rule: failure?.rule ?? null,
    message: failure?.message ?? "",
    steps,
    virtualMs,
    settledAfterMs,
    coverage: result.coverage ?? {},
    measures: result.measures ?? {},
  });
  if (failure !== null && failure.rule !== "deterministic" && task.isReported) {
    tell({ kind: "report", report: reportFailure(schedule, failure) });
  }
  tell({ kind: "done" });
}

function scheduleOf({ kind, seed, hosts }: Task): Schedule {
  switch (kind) {
    case "membership":
      return generateSchedule(seed, { hosts });
    case "claims":
      return generateClaims(seed, { hosts });
    case "formed":
      return formedClaims(seed, { hosts });
  }
}

/** How many hosts the run of a seed has in the nightly mix of membership. */
export function membershipHosts(seed: number): number {
  return NIGHTLY_HOSTS[seed % NIGHTLY_HOSTS.length] ?? 20;
}

/** How many whole hosts the run of a seed has. */
export function claimHosts(seed: number): number {
  const turn = Math.floor(seed / MIDDLE_EACH);
  if (seed % LARGE_EACH === 0) return LARGE_HOSTS;
  if (seed % MIDDLE_EACH === 0) return MIDDLE_HOSTS[turn % MIDDLE_HOSTS.length] ?? 20;
  return SMALL_HOSTS[seed % SMALL_HOSTS.length] ?? 5;
}

function runSeed(schedule: Schedule, isTwice: boolean): RunResult {
  const result = runSchedule(schedule);
  if (!isTwice) return result;
  const again = runSchedule(schedule);
  if (again.fingerprint === result.fingerprint) return result;
  const message = `the same seed ran ${result.fingerprint} and then ${again.fingerprint}`;
  return { ...result, failure: { rule: "deterministic", message } };
}
