/** The figures beside theory and targets, as plots. */
import type { LinePlot } from "../line_plot.ts";
import { quantile } from "../statistics.ts";
import { convergence, detectionTimeMs } from "../theory.ts";
import { type Figures, newsShare } from "./figures.ts";
import { TARGETS } from "./figure_targets.ts";

const SIZE_TICKS: LinePlot["x"]["ticks"] = [
  [10, "10"],
  [100, "100"],
  [1000, "1,000"],
  [5000, "5,000"],
];

const SIZES: LinePlot["x"] = {
  label: "hosts",
  min: 8,
  max: 6000,
  isLogarithmic: true,
  ticks: SIZE_TICKS,
};

/** Points of a curve over time; even on a logarithmic axis from 0.1 ms to 3 s. */
const CURVE_POINTS = 120;
const [CURVE_MIN_MS, CURVE_MAX_MS] = [0.1, 3000];

export function newsPlot(all: readonly Figures[]): LinePlot {
  const times = Array.from(
    { length: CURVE_POINTS },
    (_, index) => CURVE_MIN_MS * (CURVE_MAX_MS / CURVE_MIN_MS) ** (index / (CURVE_POINTS - 1)),
  );
  const measured = all.map((figures) => ({
    name: sizeName(figures),
    stroke: "solid" as const,
    points: times.map((timeMs) => [timeMs, 100 * newsShare(figures, timeMs)] as const),
  }));
  const theory = all.map((figures) => ({
    name: sizeName(figures),
    stroke: "dashed" as const,
    points: times.map((timeMs) => [timeMs, 100 * convergence(figures.hosts, timeMs)] as const),
  }));
  return {
    title: "How fast everybody knows a newcomer",
    description: "Share of hosts that know a newcomer over time, measured and by serf's formula.",
    x: {
      label: "time since the newcomer started",
      min: CURVE_MIN_MS,
      max: CURVE_MAX_MS,
      isLogarithmic: true,
      ticks: [[0.1, "0.1 ms"], [1, "1 ms"], [10, "10 ms"], [100, "100 ms"], [1000, "1 s"]],
    },
    y: {
      label: "hosts that know it, %",
      min: 0,
      max: 100,
      ticks: [[0, "0"], [25, "25"], [50, "50"], [75, "75"], [100, "100"]],
    },
    series: [...measured, ...theory],
    strokes: [["solid", "measured"], ["dashed", "serf's formula"]],
  };
}

export function deathPlot(all: readonly Figures[]): LinePlot {
  const line = (of: (figures: Figures) => number) =>
    all.map((figures) => [figures.hosts, of(figures) / 1000] as const);
  return {
    title: "How long a crash stays unknown",
    description: "Seconds from a crash until every host calls it dead, by the size of the cluster.",
    x: SIZES,
    y: {
      label: "seconds",
      min: 0,
      max: 20,
      ticks: [[0, "0"], [5, "5"], [10, "10"], [15, "15"], [20, "20"]],
    },
    series: [
      {
        name: "everywhere",
        stroke: "solid",
        hasDots: true,
        points: line(({ deadEverywhereMs }) => quantile(deadEverywhereMs, 0.5)),
      },
      {
        name: "first host",
        stroke: "solid",
        hasDots: true,
        points: line(({ detectedMs }) => quantile(detectedMs, 0.5)),
      },
      {
        name: "first host",
        stroke: "dashed",
        points: line(({ hosts }) => detectionTimeMs(hosts, 0.5)),
      },
      {
        name: "everywhere",
        stroke: "dotted",
        points: line(({ hosts }) => TARGETS.get(hosts)?.deadEverywhereMs ?? NaN),
      },
    ],
    strokes: [["solid", "measured, median"], ["dashed", "theory"], ["dotted", "aim"]],
  };
}

export function bytesPlot(all: readonly Figures[]): LinePlot {
  const line = (of: (figures: Figures) => number) =>
    all.map((figures) => [figures.hosts, of(figures)] as const);
  return {
    title: "What a host sends while nothing happens",
    description: "Bytes a second that an idle host sends, by the size of the cluster.",
    x: SIZES,
    y: {
      label: "bytes a second",
      min: 10,
      max: 20_000,
      isLogarithmic: true,
      ticks: [[10, "10"], [100, "100"], [1000, "1,000"], [10_000, "10,000"]],
    },
    series: [
      {
        name: "digests",
        stroke: "solid",
        hasDots: true,
        points: line(({ idle }) => idle.bytesSent),
      },
      {
        name: "digests",
        stroke: "dotted",
        points: line(({ hosts }) => TARGETS.get(hosts)?.idleBytes ?? NaN),
      },
      {
        name: "full state",
        stroke: "dashed",
        points: line(({ hosts }) => TARGETS.get(hosts)?.fullStateBytes ?? NaN),
      },
    ],
    strokes: [["solid", "measured"], ["dashed", "theory"], ["dotted", "aim"]],
  };
}

function sizeName({ hosts }: Figures): string {
  return `${hosts.toLocaleString("en-US")} hosts`;
}
