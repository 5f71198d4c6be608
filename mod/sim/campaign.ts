/** Many seeds: what one worker of a campaign does with its share, and what it says of it. */
import { generateSchedule } from "./generate.ts";
import { runMembership } from "./membership_run.ts";
import { type FailureReport, reportFailure } from "./report.ts";
import type { RunResult } from "./run_result.ts";
import type { Schedule } from "./schedule.ts";

/** Sizes of the nightly mix: the smallest clusters have rules of their own, the largest show what grows. */
const NIGHTLY_HOSTS = [3, 5, 20, 20, 20, 20, 50, 100] as const;

/** Each so many seeds are run twice: equal seeds must give equal runs. */
const TWICE_EACH = 50;

/** Reports of one worker: shrinking takes a while, and ten stories of one bug say no more than three. */
const REPORTS_MAX = 3;

export interface Share {
  readonly fromSeed: number;
  readonly seeds: number;
  /** Of each run; the nightly mix when null. */
  readonly hosts: number | null;
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
  }
  | { readonly kind: "report"; readonly report: FailureReport }
  | { readonly kind: "done" };

/** Runs a share, and tells of each seed as it ends. */
export function runShare(share: Share, tell: (news: CampaignNews) => void): void {
  let reports = 0;
  const { fromSeed, seeds, worker, workers } = share;
  for (let seed = fromSeed + worker; seed < fromSeed + seeds; seed += workers) {
    const hosts = share.hosts ?? NIGHTLY_HOSTS[seed % NIGHTLY_HOSTS.length] ?? 20;
    const schedule = generateSchedule(seed, { hosts });
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
    });
    if (failure === null || failure.rule === "deterministic" || reports++ >= REPORTS_MAX) continue;
    tell({ kind: "report", report: reportFailure(schedule, failure) });
  }
  tell({ kind: "done" });
}

function runSeed(schedule: Schedule, isTwice: boolean): RunResult {
  const result = runMembership(schedule);
  if (!isTwice) return result;
  const again = runMembership(schedule);
  if (again.fingerprint === result.fingerprint) return result;
  const message = `the same seed ran ${result.fingerprint} and then ${again.fingerprint}`;
  return { ...result, failure: { rule: "deterministic", message } };
}
