/** The figures beside theory and aims, as the rows of tables. */
import { quantile } from "../statistics.ts";
import { convergenceTimeMs, detectionTimeMs } from "../theory.ts";
import { type Figures, newsTimeMs } from "./figures.ts";
import { TARGETS } from "./figure_targets.ts";

/** One thing that was measured: a header and a row for each size. */
export interface FigureTable {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
}

/** IPv4 and UDP; Ethernet's own are not counted. */
const PACKET_HEADER_BYTES = 28;

export function figureTables(all: readonly Figures[]): FigureTable[] {
  return [newsTable(all), deathTable(all), idleTable(all)];
}

function newsTable(all: readonly Figures[]): FigureTable {
  const header = [
    "hosts",
    "50 %",
    "99 %",
    "99.9 %",
    "all",
    "aim, 99.9 %",
    "serf's formula, 99.9 %",
  ];
  const rows = all.map((figures) => [
    `${figures.hosts}`,
    ...[0.5, 0.99, 0.999, 1].map((share) => milliseconds(newsTimeMs(figures, share))),
    milliseconds(TARGETS.get(figures.hosts)?.newsMs ?? NaN),
    milliseconds(convergenceTimeMs(figures.hosts, 0.999)),
  ]);
  return { title: "A newcomer is known, median", rows: [header, ...rows] };
}

function deathTable(all: readonly Figures[]): FigureTable {
  const header = [
    "hosts",
    "crashes",
    "first host",
    "theory",
    "everywhere",
    "aim",
    "everywhere, slowest",
    "false verdicts",
  ];
  const rows = all.map((figures) => {
    const { hosts, detectedMs, deadEverywhereMs, falsePositives } = figures;
    return [
      `${hosts}`,
      `${detectedMs.length}`,
      seconds(quantile(detectedMs, 0.5)),
      seconds(detectionTimeMs(hosts, 0.5)),
      seconds(quantile(deadEverywhereMs, 0.5)),
      seconds(TARGETS.get(hosts)?.deadEverywhereMs ?? NaN),
      seconds(quantile(deadEverywhereMs, 1)),
      `${falsePositives}`,
    ];
  });
  return { title: "A crash is known, median", rows: [header, ...rows] };
}

function idleTable(all: readonly Figures[]): FigureTable {
  const header = [
    "hosts",
    "packets sent",
    "packets received",
    "bytes sent",
    "of those in syncs",
    "with IP and UDP headers",
    "aim",
    "full state, theory",
  ];
  const rows = all.map(({ hosts, idle }) => [
    `${hosts}`,
    idle.packetsSent.toFixed(2),
    idle.packetsReceived.toFixed(2),
    idle.bytesSent.toFixed(0),
    idle.streamBytesSent.toFixed(1),
    (idle.bytesSent + PACKET_HEADER_BYTES * idle.packetsSent).toFixed(0),
    `${TARGETS.get(hosts)?.idleBytes ?? NaN}`,
    `${TARGETS.get(hosts)?.fullStateBytes ?? NaN}`,
  ]);
  return { title: "A host at rest, per second", rows: [header, ...rows] };
}

/** `0.8 ms`, `218 ms`: figures from a tenth of a millisecond to seconds stand in one column. */
function milliseconds(value: number): string {
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;
}

function seconds(valueMs: number): string {
  return `${(valueMs / 1000).toFixed(1)} s`;
}
