/**
 * The Lifeguard experiment (arXiv 1707.00788, section V) with our own engine: what does each part of
 * the protocol save in false verdicts, and what does it cost? The same anomalies and crashes, from
 * the same seeds, for each configuration.
 */
import { LIFEGUARD, type Lifeguard } from "../../swim/lifeguard.ts";
import { LAN_TIMINGS, type SwimTimings } from "../../swim/timings.ts";
import { quantile } from "../statistics.ts";
import { type Anomalies, type LifeguardTally, newTally, runLifeguard } from "./lifeguard_run.ts";

export interface Configuration {
  readonly name: string;
  readonly lifeguard: Lifeguard;
}

const NOTHING: Lifeguard = { ...LIFEGUARD, lhaProbe: false, lhaSuspicion: false, buddy: false };

/** As in the paper: plain SWIM first, everything last. */
export const CONFIGURATIONS: readonly Configuration[] = [
  { name: "SWIM", lifeguard: NOTHING },
  { name: "LHA-Probe", lifeguard: { ...NOTHING, lhaProbe: true } },
  { name: "LHA-Suspicion", lifeguard: { ...NOTHING, lhaSuspicion: true } },
  { name: "Buddy", lifeguard: { ...NOTHING, buddy: true } },
  { name: "Lifeguard", lifeguard: LIFEGUARD },
];

/** What is run: each configuration with each of the anomalies from each of the seeds. */
export interface LifeguardGrid {
  readonly hosts: number;
  readonly timings: SwimTimings;
  readonly anomalies: readonly Anomalies[];
  readonly seeds: readonly number[];
}

/** One to two minutes on one core. Shorter anomalies than a suspicion make few false verdicts. */
const SHORT_ANOMALIES: readonly Anomalies[] = [
  { members: 4, durationMs: 32_768, intervalMs: null },
  { members: 16, durationMs: 32_768, intervalMs: null },
  { members: 4, durationMs: 16_384, intervalMs: 1024 },
];

/** Powers of two as in the paper, every fourth of its grid in each direction, and longer runs. */
const FULL_MEMBERS = [1, 4, 8, 16, 32];
const FULL_DURATIONS_MS = [2048, 8192, 16_384, 32_768];
const FULL_INTERVALS_MS = [null, 64, 1024, 16_384];

export function lifeguardGrid(
  options: { seed: number; repetitions: number; isFull: boolean; alpha?: number },
): LifeguardGrid {
  const { alpha = LAN_TIMINGS.suspicionMultiplier } = options;
  return {
    hosts: 128,
    timings: { ...LAN_TIMINGS, suspicionMultiplier: alpha },
    anomalies: options.isFull ? fullAnomalies() : SHORT_ANOMALIES,
    seeds: Array.from({ length: options.repetitions }, (_, index) => options.seed + index),
  };
}

function fullAnomalies(): Anomalies[] {
  return FULL_MEMBERS.flatMap((members) =>
    FULL_DURATIONS_MS.flatMap((durationMs) =>
      FULL_INTERVALS_MS.map((intervalMs) => ({ members, durationMs, intervalMs }))
    )
  );
}

/** One configuration over all anomalies and seeds. Times in milliseconds, 50th to 99.9th percentile. */
export interface LifeguardRow {
  readonly configuration: string;
  readonly falsePositives: number;
  readonly healthyFalsePositives: number;
  readonly slowDeclaredDead: number;
  readonly firstDetectionMs: Percentiles;
  readonly disseminationMs: Percentiles;
  readonly crashes: number;
  readonly missedCrashes: number;
  /** Per member and second. */
  readonly messages: number;
  readonly bytes: number;
  /** The healthy members' false verdicts under each of the anomalies, in their order. */
  readonly healthyByAnomalies: readonly number[];
}

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** What must hold of Lifeguard beside SWIM. */
export interface LifeguardMark {
  readonly name: string;
  /** Lifeguard's figure over SWIM's. */
  readonly ratio: number;
  readonly ratioMax: number;
  readonly holds: boolean;
}

export interface LifeguardReport {
  readonly grid: LifeguardGrid;
  readonly rows: readonly LifeguardRow[];
  readonly marks: readonly LifeguardMark[];
}

/** Runs everything; `progress` is called after each run with the share that is done. */
export function lifeguardExperiment(
  grid: LifeguardGrid,
  progress: (share: number) => void = () => {},
  configurations: readonly Configuration[] = CONFIGURATIONS,
): LifeguardReport {
  const runs = configurations.length * grid.anomalies.length * grid.seeds.length;
  let done = 0;
  const rows = configurations.map(({ name, lifeguard }) => {
    const tally = newTally();
    const healthyByAnomalies = grid.anomalies.map((anomalies) => {
      const before = tally.healthyFalsePositives;
      for (const seed of grid.seeds) {
        runLifeguard({ ...grid, lifeguard, anomalies, seed }, tally);
        progress(++done / runs);
      }
      return tally.healthyFalsePositives - before;
    });
    return rowOf(name, tally, healthyByAnomalies);
  });
  return { grid, rows, marks: marksOf(rows) };
}

function rowOf(
  configuration: string,
  tally: LifeguardTally,
  healthyByAnomalies: readonly number[],
): LifeguardRow {
  const { falsePositives, healthyFalsePositives, slowDeclaredDead, missedCrashes } = tally;
  return {
    configuration,
    falsePositives,
    healthyFalsePositives,
    slowDeclaredDead,
    firstDetectionMs: percentiles(tally.firstDetectionsMs),
    disseminationMs: percentiles(tally.disseminationsMs),
    crashes: tally.disseminationsMs.length + missedCrashes,
    missedCrashes,
    messages: tally.messages / tally.memberSeconds,
    bytes: tally.bytes / tally.memberSeconds,
    healthyByAnomalies,
  };
}

function percentiles(values: readonly number[]): Percentiles {
  const [p50, p99, p999] = [0.5, 0.99, 0.999].map((share) => quantile(values, share));
  return { p50: p50 ?? NaN, p99: p99 ?? NaN, p999: p999 ?? NaN };
}

/** The paper found a fiftieth of the false verdicts and as fast a detection; so must we, nearly. */
const FALSE_POSITIVES_MAX = 1 / 20;
/** Ten per cent is what two medians of the same thing differ by with some dozens of crashes. */
const DETECTION_MAX = 1.1;
const MESSAGES_MAX = 1.15;

/** The first row beside the last one. */
function marksOf(rows: readonly LifeguardRow[]): LifeguardMark[] {
  const [swim, lifeguard] = [rows[0], rows.at(-1)];
  if (swim === undefined || lifeguard === undefined) return [];
  const mark = (name: string, ratioMax: number, of: (row: LifeguardRow) => number) => {
    const ratio = of(lifeguard) / of(swim);
    return { name, ratio, ratioMax, holds: ratio <= ratioMax };
  };
  return [
    mark(
      "false verdicts at healthy members",
      FALSE_POSITIVES_MAX,
      (row) => row.healthyFalsePositives,
    ),
    mark("median first detection", DETECTION_MAX, (row) => row.firstDetectionMs.p50),
    mark("messages", MESSAGES_MAX, (row) => row.messages),
  ];
}
