/**
 * The picture of a run: a lane for each host, in the colour of what most others believe of it, with every fault marked; where
 * hosts have claims, below it the subnet that each one holds or seeks.
 */
import type { LifeState } from "../claim/host_core.ts";
import type { Belief, ClaimState, Lane, Mark, Timeline, Truth } from "./timeline.ts";

/** Of people who see no red or green as well: Okabe and Ito's colours. */
const COLOURS: Readonly<Record<Belief, string>> = {
  alive: "#009e73",
  suspect: "#e69f00",
  dead: "#d55e00",
  left: "#999999",
  unknown: "#eeeeee",
};

const TRUTHS: Readonly<Record<Truth, string>> = {
  up: "none",
  down: "#000000",
  paused: "#0072b2",
  frozen: "#56b4e9",
};

const CONTESTED = "#d55e00";
const CLAIMS: Readonly<Record<LifeState, string>> = {
  none: "#ffffff",
  listening: "#f0f0f0",
  tentative: "#f0e442",
  held: "#b8d8c8",
  yielding: "#cc79a7",
  waiting: "#cccccc",
  released: "#ffffff",
};
/** Narrower bars have no room for a subnet's name. */
const NAMED_WIDTH_MIN = 80;

const WIDTH = 1000;
const LEFT = 60;
const RIGHT = 20;
const TOP = 56;
const LANE_HEIGHT = 16;
const CLAIM_HEIGHT = 14;
const LANE_GAP = 4;
const BOTTOM = 46;

/** Seconds between the lines of the time axis, so that there are about ten of them. */
const TICKS_S = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600];

/** An SVG document; `title` stands above the picture. */
export function timelineSvg(timeline: Timeline, title: string): string {
  const { lanes, marks } = timeline;
  const endMs = Math.max(1, timeline.endMs);
  const x = (atMs: number) => LEFT + (atMs / endMs) * (WIDTH - LEFT - RIGHT);
  const hasClaims = lanes.some(({ claims }) => claims.length > 0);
  const laneHeight = LANE_HEIGHT + LANE_GAP + (hasClaims ? CLAIM_HEIGHT : 0);
  const height = TOP + lanes.length * laneHeight + BOTTOM;
  const scale: Scale = { x, endMs, height, laneHeight };
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ` +
    `font-family="sans-serif" font-size="11">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="${LEFT}" y="16" font-size="13">${escape(title)}</text>`,
    legend(hasClaims),
    axis(endMs, height, x),
    ...lanes.map((lane, index) => drawLane(lane, index, scale)),
    ...marks.map((mark) => drawMark(mark, lanes, scale)),
    "</svg>",
    "",
  ];
  return parts.join("\n");
}

/** Where things stand. */
interface Scale {
  readonly x: (atMs: number) => number;
  readonly endMs: number;
  readonly height: number;
  readonly laneHeight: number;
}

function legend(hasClaims: boolean): string {
  const entries = [
    ...Object.entries(COLOURS).map(([name, colour]) => [name, colour] as const),
    ...Object.entries(TRUTHS).filter(([name]) => name !== "up")
      .map(([name, colour]) => [`really ${name}`, colour] as const),
    ...hasClaims ? [["contested", CONTESTED] as const] : [],
  ];
  return entries.map(([name, colour], index) => {
    const left = LEFT + index * 100;
    return `<rect x="${left}" y="26" width="10" height="10" fill="${colour}"/>` +
      `<text x="${left + 14}" y="35">${name}</text>`;
  }).join("\n");
}

function axis(endMs: number, height: number, x: (atMs: number) => number): string {
  const tickS = TICKS_S.find((seconds) => endMs / 1000 / seconds <= 12) ?? 3600;
  const lines: string[] = [];
  for (let second = 0; second * 1000 <= endMs; second += tickS) {
    const at = x(second * 1000).toFixed(1);
    lines.push(
      `<line x1="${at}" x2="${at}" y1="${TOP - 6}" y2="${height - BOTTOM}" stroke="#dddddd"/>` +
        `<text x="${at}" y="${height - BOTTOM + 14}" text-anchor="middle">${second} s</text>`,
    );
  }
  return lines.join("\n");
}

function drawLane(lane: Lane, index: number, { x, endMs, laneHeight }: Scale): string {
  const top = TOP + index * laneHeight;
  const bar = (fromMs: number, toMs: number, y: number, high: number, fill: string, text: string) =>
    `<rect x="${x(fromMs).toFixed(1)}" y="${y}" width="${(x(toMs) - x(fromMs)).toFixed(1)}" ` +
    `height="${high}" fill="${fill}"><title>${escape(text)}</title></rect>`;
  const spans = lane.beliefs.map(({ fromMs, state }, at) => {
    const toMs = lane.beliefs[at + 1]?.fromMs ?? endMs;
    const text = `${lane.name} ${state} from ${seconds(fromMs)} to ${seconds(toMs)}`;
    return bar(fromMs, toMs, top, LANE_HEIGHT - 4, COLOURS[state], text);
  });
  const truths = lane.truths.flatMap(({ fromMs, state }, at) => {
    if (state === "up") return [];
    const toMs = lane.truths[at + 1]?.fromMs ?? endMs;
    const text = `${lane.name} really ${state} from ${seconds(fromMs)} to ${seconds(toMs)}`;
    return [bar(fromMs, toMs, top + LANE_HEIGHT - 4, 4, TRUTHS[state], text)];
  });
  const claims = lane.claims.flatMap(({ fromMs, state }, at) => {
    if (state === null) return [];
    const toMs = lane.claims[at + 1]?.fromMs ?? endMs;
    const text = `${lane.name} ${sayClaim(state)} from ${seconds(fromMs)} to ${seconds(toMs)}`;
    const colour = state.isContested ? CONTESTED : CLAIMS[state.state];
    const isNamed = state.state === "held" && x(toMs) - x(fromMs) >= NAMED_WIDTH_MIN;
    return [
      bar(fromMs, toMs, top + LANE_HEIGHT, CLAIM_HEIGHT - 2, colour, text),
      ...isNamed
        ? [
          `<text x="${(x(fromMs) + 3).toFixed(1)}" y="${
            top + LANE_HEIGHT + 10
          }">${state.subnet}</text>`,
        ]
        : [],
    ];
  });
  const name = `<text x="${LEFT - 6}" y="${top + 11}" text-anchor="end">${
    escape(lane.name)
  }</text>`;
  return [name, ...spans, ...truths, ...claims].join("\n");
}

function sayClaim({ state, subnet, isContested }: ClaimState): string {
  return `${state} ${subnet ?? ""}${isContested ? ", as another host does," : ""}`;
}

/** A mark of single hosts stands on their lanes, one of the whole network on the axis. */
function drawMark(
  mark: Mark,
  lanes: readonly Lane[],
  { x, height, laneHeight }: Scale,
): string {
  const at = x(mark.atMs);
  const title = `<title>${escape(`${seconds(mark.atMs)} ${mark.text}`)}</title>`;
  if (mark.hosts.length === 0) {
    return `<g><line x1="${at.toFixed(1)}" x2="${at.toFixed(1)}" y1="${TOP - 6}" ` +
      `y2="${height - BOTTOM}" stroke="#cc79a7" stroke-dasharray="3 3"/>` +
      `<text x="${at.toFixed(1)}" y="${height - 18}" text-anchor="middle" fill="#a05080">` +
      `${escape(mark.text.split(" ")[0] ?? "")}</text>${title}</g>`;
  }
  return mark.hosts.map((host) => {
    const index = lanes.findIndex(({ name }) => name === host);
    const middle = TOP + index * laneHeight + LANE_HEIGHT / 2 - 2;
    const corners = `${(at - 4).toFixed(1)},${middle - 5} ${(at + 4).toFixed(1)},${middle - 5} ` +
      `${at.toFixed(1)},${middle + 4}`;
    return `<polygon points="${corners}" fill="#000000" stroke="#ffffff">${title}</polygon>`;
  }).join("\n");
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
