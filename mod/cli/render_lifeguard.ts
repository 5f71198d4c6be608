/** The Lifeguard experiment for people: a table of configurations, where it hurts, and the marks. Pure. */
import type { LifeguardReport, LifeguardRow, Percentiles } from "../sim/scenarios/lifeguard.ts";
import type { Anomalies } from "../sim/scenarios/lifeguard_run.ts";
import { type Cell, columns } from "./columns.ts";
import type { Paint } from "./paint.ts";

const HEADER = [
  "CONFIGURATION",
  "FP",
  "FP-",
  "SLOW",
  "FIRST 50/99/99.9 %",
  "ALL 50/99/99.9 %",
  "MISSED",
  "MESSAGES",
  "BYTES",
];

const LEGEND = `FP: events that call a healthy member dead; FP-: those at healthy members
SLOW: events at healthy members that call a member dead which is only slow
FIRST, ALL: seconds from a real crash until the first, and every, healthy member calls it dead
MESSAGES, BYTES: sent per member and second
`;

export function renderLifeguard(report: LifeguardReport, paint: Paint): string {
  const { grid, rows } = report;
  return [
    `${grid.hosts} hosts, suspicion multiplier ${grid.timings.suspicionMultiplier}, ` +
    `seeds ${grid.seeds.join(", ")}\n`,
    columns([HEADER, ...rows.map(cellsOf)], paint),
    LEGEND,
    "False verdicts at healthy members, by what the slow ones suffer for two minutes:\n" +
    columns(byAnomalies(report), paint),
    columns(marks(report), paint),
  ].join("\n");
}

function cellsOf(row: LifeguardRow): string[] {
  return [
    row.configuration,
    `${row.falsePositives}`,
    `${row.healthyFalsePositives}`,
    `${row.slowDeclaredDead}`,
    seconds(row.firstDetectionMs),
    seconds(row.disseminationMs),
    `${row.missedCrashes} of ${row.crashes}`,
    row.messages.toFixed(2),
    row.bytes.toFixed(0),
  ];
}

function seconds({ p50, p99, p999 }: Percentiles): string {
  return [p50, p99, p999].map((ms) => (ms / 1000).toFixed(1)).join(" / ");
}

function byAnomalies({ grid, rows }: LifeguardReport): string[][] {
  const header = ["ANOMALIES", ...rows.map(({ configuration }) => configuration)];
  const lines = grid.anomalies.map((anomalies, index) => [
    anomaliesText(anomalies),
    ...rows.map(({ healthyByAnomalies }) => `${healthyByAnomalies[index] ?? 0}`),
  ]);
  return [header, ...lines];
}

function anomaliesText({ members, durationMs, intervalMs }: Anomalies): string {
  const every = intervalMs === null ? "once" : `with ${intervalMs} ms between`;
  return `${members} blocked for ${durationMs} ms, ${every}`;
}

function marks(report: LifeguardReport): (string | Cell)[][] {
  return report.marks.map(({ name, ratio, ratioMax, holds }) => [
    `Lifeguard / SWIM, ${name}`,
    ratio.toFixed(3),
    `at most ${ratioMax.toFixed(2)}`,
    holds ? { text: "holds", meaning: "good" } : { text: "does not hold", meaning: "bad" },
  ]);
}
