/** What is made of a failing run: the smallest schedule that still fails, its story, and its picture. */
import { runSchedule } from "./run.ts";
import { both } from "./run_observer.ts";
import type { RunFailure, RunOptions } from "./run_result.ts";
import { formatSchedule, type Schedule } from "./schedule.ts";
import { shrinkSchedule } from "./shrink.ts";
import { Story } from "./story.ts";
import { Timeline } from "./timeline.ts";
import { timelineSvg } from "./timeline_svg.ts";

/** Each run takes part of a second; a schedule of sixty faults is small after some dozens. */
const SHRINK_RUNS_MAX = 150;

export interface FailureReport {
  readonly seed: number;
  readonly failure: RunFailure;
  /** As the shrunk run has it. */
  readonly shrunkFailure: RunFailure;
  /** A scenario file. */
  readonly scenario: string;
  readonly faults: number;
  readonly hosts: number;
  readonly story: string;
  readonly svg: string;
}

/** Shrinks a failing schedule and tells what happens in it. */
export function reportFailure(
  schedule: Schedule,
  failure: RunFailure,
  options: RunOptions & { readonly shrinkRunsMax?: number } = {},
): FailureReport {
  const { shrinkRunsMax = SHRINK_RUNS_MAX } = options;
  const { schedule: small } = shrinkSchedule(schedule, {
    fails: (candidate) => runSchedule(candidate, options).failure?.rule === failure.rule,
    runsMax: shrinkRunsMax,
  });
  const story = new Story();
  const timeline = new Timeline();
  const result = runSchedule(small, { ...options, observer: both(story, timeline) });
  const shrunkFailure = result.failure ?? failure;
  return {
    seed: schedule.seed,
    failure,
    shrunkFailure,
    scenario: `# ${shrunkFailure.message}\n${formatSchedule(small)}`,
    faults: small.faults.length,
    hosts: small.hosts,
    story: [...story.lines(), shrunkFailure.message, ""].join("\n"),
    svg: timelineSvg(timeline, shrunkFailure.message),
  };
}
