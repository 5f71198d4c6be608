/** The runs of `gossamer simulate`: reads scenarios, plays them, and writes what they showed. */
import { ExitCode, systemReasonOf, UserError } from "../base/errors.ts";
import { Narrative } from "../sim/narrative.ts";
import { reportFailure } from "../sim/report.ts";
import { runSchedule } from "../sim/run.ts";
import { both, type RunObserver } from "../sim/run_observer.ts";
import { SCENARIOS } from "../sim/scenarios/all.ts";
import { parseSchedule, type Schedule } from "../sim/schedule.ts";
import { Story } from "../sim/story.ts";
import { Timeline } from "../sim/timeline.ts";
import { timelineSvg } from "../sim/timeline_svg.ts";
import { printJson } from "./json_output.ts";
import type { Outside } from "./outside.ts";
import { paintFor } from "./paint.ts";
import { renderSimulation, type SimulationDocument } from "./render_simulation.ts";

export interface SimulationOptions {
  /** A name, or a file. */
  readonly scenario: string;
  /** Undefined for the scenario's own, or the default. */
  readonly hosts: number | undefined;
  readonly lossRate: number;
  readonly seed: number | undefined;
  readonly seeds: number;
  readonly svgPath: string | null;
  readonly tracePath: string | null;
  readonly isJson: boolean;
}

const HOSTS_DEFAULT = 20;
const SEED_DEFAULT = 1;
/** Beyond this many hosts, looking at every table after every step would be most of the work. */
const CHECKED_HOSTS_MAX = 200;
/** A trace of every step of an hour would be gigabytes. */
const TRACE_LINES_MAX = 1_000_000;

/** Plays one run, or several; exit code 1 when a rule did not hold in any. */
export function runSimulation(outside: Outside, options: SimulationOptions): ExitCode {
  if (options.seeds > 1) return runSeeds(outside, options);
  const document = play(scheduleOf(options, options.seed), options);
  if (options.isJson) printJson(outside, document);
  else outside.print(renderSimulation(document, paintFor(outside)));
  return document.failure === null ? ExitCode.done : ExitCode.failed;
}

function runSeeds(outside: Outside, options: SimulationOptions): ExitCode {
  const first = options.seed ?? SEED_DEFAULT;
  const failed: { seed: number; message: string }[] = [];
  for (let seed = first; seed < first + options.seeds; seed++) {
    const { failure } = runSchedule(scheduleOf(options, seed), runOptions(options));
    if (failure !== null) failed.push({ seed, message: failure.message });
    const done = seed - first + 1;
    if (outside.talkIsTerminal && done % 10 === 0) {
      outside.say(`${done} of ${options.seeds} seeds, ${failed.length} failed`);
    }
  }
  const passed = options.seeds - failed.length;
  if (options.isJson) {
    printJson(outside, { schema: 1, scenario: options.scenario, passed, failed });
  } else {
    const lines = failed.map(({ seed, message }) => `seed ${seed}: ${message}`);
    outside.print([...lines, `${passed} passed, ${failed.length} failed`, ""].join("\n"));
  }
  return failed.length === 0 ? ExitCode.done : ExitCode.failed;
}

function play(schedule: Schedule, options: SimulationOptions): SimulationDocument {
  const narrative = new Narrative();
  const timeline = options.svgPath === null ? null : new Timeline();
  const story = options.tracePath === null ? null : new Story(TRACE_LINES_MAX);
  let observer: RunObserver = narrative;
  if (timeline !== null) observer = both(observer, timeline);
  if (story !== null) observer = both(observer, story);
  const run = runOptions(options, schedule.hosts);
  const { failure, coverage: _coverage, measures: _measures, ...result } = runSchedule(schedule, {
    ...run,
    observer,
  });
  const title = `${schedule.hosts} hosts, ${options.scenario}, seed ${schedule.seed}`;
  if (timeline !== null && options.svgPath !== null) {
    write(options.svgPath, timelineSvg(timeline, failure?.message ?? title));
  }
  if (story !== null && options.tracePath !== null) {
    write(options.tracePath, [...story.lines(), failure?.message ?? "", ""].join("\n"));
  }
  return {
    schema: 1,
    scenario: options.scenario,
    seed: schedule.seed,
    hosts: schedule.hosts,
    lossRate: options.lossRate,
    chapters: narrative.chapters,
    bytesPerHostPerSecond: narrative.bytesPerSecond(),
    ...result,
    failure: failure === null
      ? null
      : { ...failure, scenario: reportFailure(schedule, failure, run).scenario },
  };
}

function runOptions(options: SimulationOptions, hosts = options.hosts ?? HOSTS_DEFAULT) {
  return { checksSteps: hosts <= CHECKED_HOSTS_MAX };
}

function scheduleOf(options: SimulationOptions, seed: number | undefined): Schedule {
  const schedule = baseSchedule(options, seed);
  if (options.lossRate === 0) return schedule;
  const { lossRate } = options;
  const fault = { kind: "network", options: { lossRate } } as const;
  return { ...schedule, faults: [{ atMs: 0, fault }, ...schedule.faults] };
}

function baseSchedule(options: SimulationOptions, seed: number | undefined): Schedule {
  const { scenario } = options;
  if (/[/.]/.test(scenario)) {
    const schedule = parseSchedule(read(scenario));
    return { ...schedule, ...(seed === undefined ? {} : { seed }) };
  }
  const hosts = options.hosts ?? HOSTS_DEFAULT;
  const known = SCENARIOS.find(({ name }) => name === scenario);
  if (known !== undefined) return known.schedule({ hosts, seed: seed ?? SEED_DEFAULT });
  const names = SCENARIOS.map(({ name, brief }) => `  ${name.padEnd(13)} ${brief}`);
  throw new UserError(`--scenario: there is no scenario ${JSON.stringify(scenario)}`, {
    exitCode: ExitCode.usage,
    remedy: `The scenarios are:\n${names.join("\n")}\n` +
      "and lifeguard and figures; a file has a dot or a slash in its name",
  });
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    throw new UserError(`--scenario: ${path} cannot be read: ${systemReasonOf(error)}`, {
      exitCode: ExitCode.usage,
      cause: error,
    });
  }
}

function write(path: string, text: string): void {
  try {
    Deno.writeTextFileSync(path, text);
  } catch (error) {
    throw new UserError(`${path} cannot be written: ${systemReasonOf(error)}`, { cause: error });
  }
}
