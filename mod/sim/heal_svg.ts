/** The picture of a heal: a lane for each host, in the colour of the subnet that it holds, over the time of a partition. */
import type { ClaimSpan, HealLane, HealStory } from "./scenarios/heal.ts";

/** Of people who see no red or green as well: Okabe and Ito's colours. */
const CONTESTED = "#e69f00";
const NEXT = "#0072b2";
const HELD = "#b8d8c8";
const ASKING = "#eeeeee";
const CUT = "#f7f0f4";
const CUT_EDGE = "#cc79a7";

const WIDTH = 960;
const LEFT = 96;
const RIGHT = 24;
const TOP = 40;
const LANE_HEIGHT = 24;
const LANE_GAP = 6;
/** Between the two sides of the partition. */
const SIDE_GAP = 22;
const BOTTOM = 64;
const TICK_S = 5;
/** Narrower bars have no room for a subnet's name. */
const NAMED_WIDTH_MIN = 90;

/** An SVG document. */
export function healSvg(story: HealStory): string {
  const lanes = story.lanes.toSorted((one, other) => one.side - other.side);
  const x = (atMs: number) => LEFT + (atMs / story.endMs) * (WIDTH - LEFT - RIGHT);
  const tops = lanes.map((lane, index) =>
    TOP + index * (LANE_HEIGHT + LANE_GAP) + lane.side * SIDE_GAP
  );
  const bottom = (tops.at(-1) ?? TOP) + LANE_HEIGHT + LANE_GAP;
  const height = bottom + BOTTOM;
  const between = tops[lanes.findIndex(({ side }) => side === 1)] ?? TOP;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" ` +
    `font-family="sans-serif" font-size="12">`,
    `<title>Two new hosts take one subnet on both sides of a partition; after the heal one moves</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    cut(story, x, bottom, between),
    axis(story, x, bottom),
    ...lanes.map((lane, index) => drawLane(lane, tops[index] ?? TOP, story, x)),
    ...words(story, bottom),
    "</svg>",
    "",
  ].join("\n");
}

type Scale = (atMs: number) => number;

function cut(story: HealStory, x: Scale, bottom: number, between: number): string {
  const [from, to] = [x(story.cutAtMs), x(story.healedAtMs)];
  const middle = between - (LANE_GAP + SIDE_GAP) / 2;
  const edge = (at: number, text: string) =>
    `<line x1="${at.toFixed(1)}" x2="${at.toFixed(1)}" y1="${TOP - 14}" y2="${bottom}" ` +
    `stroke="${CUT_EDGE}"/><text x="${at.toFixed(1)}" y="${TOP - 20}" text-anchor="middle" ` +
    `fill="#a05080">${text}</text>`;
  return [
    `<rect x="${from.toFixed(1)}" y="${TOP - 14}" width="${(to - from).toFixed(1)}" ` +
    `height="${bottom - TOP + 14}" fill="${CUT}"/>`,
    `<line x1="${from.toFixed(1)}" x2="${to.toFixed(1)}" y1="${middle}" y2="${middle}" ` +
    `stroke="${CUT_EDGE}" stroke-width="2" stroke-dasharray="6 4"/>`,
    edge(from, "the network is cut"),
    edge(to, "it is whole again"),
  ].join("\n");
}

function axis({ endMs }: HealStory, x: Scale, bottom: number): string {
  const ticks: string[] = [];
  for (let second = 0; second * 1000 <= endMs; second += TICK_S) {
    ticks.push(
      `<text x="${x(second * 1000).toFixed(1)}" y="${bottom + 14}" text-anchor="middle" ` +
        `fill="#666666">${second} s</text>`,
    );
  }
  return ticks.join("\n");
}

function drawLane(lane: HealLane, top: number, story: HealStory, x: Scale): string {
  const { contested, endMs } = story;
  const bars = lane.spans.filter(({ state }) => state !== "none").map((span, index, spans) => {
    const [from, to] = [x(span.fromMs), x(spans[index + 1]?.fromMs ?? endMs)];
    const isNamed = span.state === "held" && to - from >= NAMED_WIDTH_MIN;
    const colour = colourOf(span, lane, contested);
    const ink = colour === NEXT ? "#ffffff" : "#000000";
    return `<rect x="${from.toFixed(1)}" y="${top}" width="${Math.max(1, to - from).toFixed(1)}" ` +
      `height="${LANE_HEIGHT}" fill="${colour}"><title>${lane.name} ${span.state} ` +
      `${span.subnet ?? ""} from ${seconds(span.fromMs)}</title></rect>` +
      (isNamed
        ? `<text x="${(from + 6).toFixed(1)}" y="${top + 16}" fill="${ink}">${span.subnet}</text>`
        : "");
  });
  const name = lane.isNewcomer ? `${lane.name}, new` : lane.name;
  const weight = lane.isNewcomer ? ` font-weight="bold"` : "";
  return [
    `<text x="${LEFT - 8}" y="${top + 16}" text-anchor="end"${weight}>${name}</text>`,
    ...bars,
  ].join("\n");
}

function colourOf({ state, subnet }: ClaimSpan, lane: HealLane, contested: string): string {
  if (state !== "held") return ASKING;
  if (subnet === contested) return CONTESTED;
  return lane.isNewcomer ? NEXT : HELD;
}

function words({ contested, why, healedAtMs, movedAtMs, lanes }: HealStory, bottom: number) {
  const moved = lanes.find(({ isNewcomer, spans }) =>
    isNewcomer && spans.at(-1)?.subnet !== contested
  );
  const lines = [
    `Both new hosts hold ${contested} until the sides meet. Then the order decides, the same way everywhere:`,
    `${why}. ${moved?.name} moves, ${
      seconds(movedAtMs - healedAtMs)
    } after the heal; nobody else notices.`,
  ];
  return lines.map((line, index) =>
    `<text x="${LEFT}" y="${bottom + 36 + index * 17}">${escape(line)}</text>`
  );
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
