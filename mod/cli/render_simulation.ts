/** What a simulated run showed, for people: what happened when, how soon it was known, what it cost, what held. */
import { type Cell, columns } from "./columns.ts";
import type { Paint } from "./paint.ts";

/** The document of `gossamer simulate --json`, schema 1. */
export interface SimulationDocument {
  readonly schema: 1;
  readonly scenario: string;
  readonly seed: number;
  readonly hosts: number;
  /** Share of packets lost all the time, 0 to 1. */
  readonly lossRate: number;
  readonly chapters: readonly {
    readonly atMs: number;
    readonly text: string;
    readonly noticedAfterMs: number | null;
    readonly knownAfterMs: number | null;
  }[];
  readonly virtualMs: number;
  readonly steps: number;
  readonly bytesPerHostPerSecond: number;
  /** From the last fault until all hosts were of one mind; null when they never were. */
  readonly settledAfterMs: number | null;
  /** Equal for equal runs. */
  readonly fingerprint: string;
  readonly failure: {
    readonly rule: string;
    readonly message: string;
    /** The smallest scenario found that fails in the same way. */
    readonly scenario: string;
  } | null;
}

/** Chapters that begin at one moment are one row; a scenario of dozens shows the first ones and how many more. */
const ROWS_MAX = 40;

export function renderSimulation(document: SimulationDocument, paint: Paint): string {
  const { chapters, failure } = document;
  const rows: (string | Cell)[][] = [[
    "TIME",
    "WHAT HAPPENS",
    "NOTICED AFTER",
    "KNOWN TO ALL AFTER",
  ]];
  for (const group of grouped(chapters).slice(0, ROWS_MAX)) {
    const last = group.at(-1);
    if (last === undefined) continue;
    rows.push([
      seconds(last.atMs),
      describe(group.map(({ text }) => text), document.hosts),
      last.noticedAfterMs === null ? "-" : seconds(last.noticedAfterMs),
      last.knownAfterMs === null ? "-" : seconds(last.knownAfterMs),
    ]);
  }
  const more = grouped(chapters).length - ROWS_MAX;
  const lines = [
    `${document.hosts} hosts, scenario ${document.scenario}, seed ${document.seed}` +
    `${document.lossRate > 0 ? `, ${percent(document.lossRate)} of all packets lost` : ""}`,
    "",
    columns(rows, paint).trimEnd(),
    ...(more > 0 ? [`and ${more} more; --json has all`] : []),
    "",
    `${seconds(document.virtualMs)} of cluster time in ${document.steps} steps; ` +
    `a host sends ${document.bytesPerHostPerSecond.toFixed(0)} bytes a second`,
  ];
  if (failure === null) {
    lines.push(paint("good", "Every rule held after every step"));
    if (document.settledAfterMs !== null) {
      lines.push(`All were of one mind ${seconds(document.settledAfterMs)} after the last fault`);
    }
  } else {
    lines.push(
      paint("bad", `A rule did not hold: ${failure.message}`),
      "The smallest scenario found that shows it:",
      "",
      failure.scenario.trimEnd(),
    );
  }
  return `${lines.join("\n")}\n`;
}

type Chapters = SimulationDocument["chapters"];

function grouped(chapters: Chapters): Chapters[] {
  const groups: Chapters[] = [];
  for (const chapter of chapters) {
    const last = groups.at(-1);
    if (last?.[0]?.atMs === chapter.atMs) groups[groups.length - 1] = [...last, chapter];
    else groups.push([chapter]);
  }
  return groups;
}

/** Several of one kind are counted: `kill h1 and 19 more`. */
function describe(texts: readonly string[], hosts: number): string {
  const [first = ""] = texts;
  if (first === "start") return `${hosts} hosts start`;
  const shown = first.length > TEXT_MAX ? `${first.slice(0, TEXT_MAX - 3)}...` : first;
  return texts.length === 1 ? shown : `${shown} and ${texts.length - 1} more`;
}

/** Of a fault in the table: a partition names many hosts. */
const TEXT_MAX = 44;

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 100 ? 2 : 1)} s`;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}
