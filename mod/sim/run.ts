/** Plays any schedule: on whole hosts when it has claims, else on hosts that run membership alone. */
import { runHosts } from "./host_run.ts";
import { runMembership } from "./membership_run.ts";
import type { RunOptions, RunResult } from "./run_result.ts";
import type { Schedule } from "./schedule.ts";

export function runSchedule(schedule: Schedule, options: RunOptions = {}): RunResult {
  return schedule.claims === undefined
    ? runMembership(schedule, options)
    : runHosts({ ...schedule, claims: schedule.claims }, options);
}
