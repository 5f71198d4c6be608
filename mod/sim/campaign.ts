/** Many seeds: what one worker of a campaign does with its share, and what it says of it. */
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
const LARGE_EACH = 1000;

/** Each so many seeds are run twice: equal seeds must give equal runs. */
const TWICE_EACH = 50;

/** Reports of one worker: shrinking takes a while, and ten stories of one bug say no more than three. */
const REPORTS_MAX = 3;

export interface Share {
  readonly fromSeed: number;
  readonly seeds: number;
  /** Of each run; a mix of sizes when null. */
  readonly hosts: number | null;
  /** Whether whole hosts run, or membership alone. */
  readonly hasClaims: boolean;
  /** This worker takes each so manieth seed, beginning with its own number. */
  readonly worker: number;
  readonly workers: number;
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

/** Runs a share, and tells of each seed as it ends. */
export function runShare(share: Share, tell: (news: CampaignNews) => void): void {
  let reports = 0;
  const { fromSeed, seeds, worker, workers } = share;
  for (let seed = fromSeed + worker; seed < fromSeed + seeds; seed += workers) {
    const hosts = share.hosts ?? (share.hasClaims ? claimHosts(seed) : membershipHosts(seed));
    const schedule = share.hasClaims
      ? generateClaims(seed, { hosts })
      : generateSchedule(seed, { hosts });
    const result = runSeed(schedule, seed % TWICE_EACH === 0);
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
    if (failure === null || failure.rule === "deterministic" || reports++ >= REPORTS_MAX) continue;
    tell({ kind: "report", report: reportFailure(schedule, failure) });
  }
  tell({ kind: "done" });
}

function membershipHosts(seed: number): number {
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
