/** The map of the pool: who has which subnet, and what is the matter with it. An SVG that needs no script and no style attribute. */
import { type Html, html } from "./html.ts";
import { type Cell, type Cells, cellsOf } from "./map_cells.ts";
import type { OwnerMark } from "./owner_marks.ts";
import type { PageSubnet, PageSubnets } from "./page_data.ts";

const CELLS_A_ROW = 16;
/** Units of the drawing: a cell with its gap, and without. */
const STEP = 20;
const SIZE = 18;
/** Subnets that the tip of a cell of many names. */
const TIP_SUBNETS_MAX = 4;

export function subnetMap(
  subnets: PageSubnets,
  marks: ReadonlyMap<string, OwnerMark>,
): Html {
  const claimed = subnets.subnets.filter(({ state }) => state !== "released");
  const maps = subnets.networks.map((network) => {
    const cells = cellsOf(network, subnets.subnetLen, claimed);
    return html`<figure>${drawing(cells, marks)}${caption(cells, subnets.subnetLen)}</figure>`;
  });
  return html`<p>${subnets.used} of ${subnets.total} subnets used.</p>${maps}${key(claimed)}`;
}

function drawing({ network, cells, subnetsEach }: Cells, marks: ReadonlyMap<string, OwnerMark>) {
  const rows = Math.ceil(cells.length / CELLS_A_ROW);
  const columns = Math.min(cells.length, CELLS_A_ROW);
  const used = cells.filter((cell) => cell.subnets.length > 0).length;
  const label = `Map of ${network}: ${used} of ${cells.length} cells used. The table of members ` +
    "has the same subnets";
  const drawn = cells.map((cell, index) => drawnCell(cell, index, subnetsEach, marks));
  return html`<svg viewBox="0 0 ${columns * STEP} ${rows * STEP}" role="img" aria-label="${label}">
<path class="free" d="${freePath(cells)}"/>
${drawn}</svg>`;
}

/** All free cells as one path: two hundred elements less. */
function freePath(cells: readonly Cell[]): string {
  return cells.flatMap((cell, index) => {
    if (cell.subnets.length > 0) return [];
    const { x, y } = place(index);
    return [`M${x} ${y}h${SIZE}v${SIZE}h-${SIZE}z`];
  }).join("");
}

function drawnCell(
  { address, subnets }: Cell,
  index: number,
  subnetsEach: number,
  marks: ReadonlyMap<string, OwnerMark>,
): Html | null {
  const [first] = subnets;
  if (first === undefined) return null;
  const shown = subnets.find(({ self }) => self) ?? first;
  const mark = marks.get(shown.ownerId);
  const { x, y } = place(index);
  const isRun = subnetsEach > 1;
  const letter = isRun ? (subnets.length > 99 ? "+" : subnets.length) : mark?.letter ?? "#";
  const state = subnets.map(stateOf).find((state) => state !== "") ?? "";
  const color = isRun && !shown.self ? "many" : mark?.color ?? "many";
  return html`
    <g class="cell ${color} ${state}">
      <title>${tip(address, subnets, isRun)}</title>
      <rect x="${x}" y="${y}" width="${SIZE}" height="${SIZE}" rx="2" />
      <text x="${x + SIZE / 2}" y="${y + SIZE / 2 + 4}">${letter}</text>
    </g>
  `;
}

function place(index: number): { x: number; y: number } {
  return { x: (index % CELLS_A_ROW) * STEP + 1, y: Math.floor(index / CELLS_A_ROW) * STEP + 1 };
}

/** What is the matter with it: nobody else may hold it, its owner is not there, or it is not held yet. */
function stateOf(
  { standing, ownerStatus, state }: PageSubnet,
): "" | "contested" | "gone" | "asked" {
  if (standing === "loses" || standing === "void") return "contested";
  if (ownerStatus !== "alive") return "gone";
  return state === "held" ? "" : "asked";
}

function tip(address: string, subnets: readonly PageSubnet[], isRun: boolean): string {
  const named = subnets.slice(0, TIP_SUBNETS_MAX).map(({ subnet, owner, ownerStatus, state }) =>
    `${subnet} ${owner}, ${state}${ownerStatus === "alive" ? "" : `, owner ${ownerStatus}`}`
  );
  const more = subnets.length - named.length;
  const lines = more > 0 ? [...named, `and ${more} more`] : named;
  return isRun
    ? [`From ${address}: ${subnets.length} used`, ...lines].join("\n")
    : lines.join("\n");
}

function caption({ network, subnetsEach }: Cells, subnetLength: number): Html {
  return subnetsEach > 1
    ? html`<figcaption><b>${network}</b>, a cell is ${subnetsEach} subnets of /${subnetLength}: how many of them are used</figcaption>`
    : html`<figcaption><b>${network}</b>, a cell is a /${subnetLength}, row by row</figcaption>`;
}

/** Only what is on the map. */
function key(claimed: readonly PageSubnet[]): Html | null {
  const states = new Set(claimed.map(stateOf));
  const words = [
    states.has("gone")
      ? html`<li><span class="sample gone"></span>its host does not answer</li>`
      : null,
    states.has("asked")
      ? html`<li><span class="sample asked"></span>not held yet, or being given up</li>`
      : null,
    states.has("contested")
      ? html`<li><span class="sample contested"></span>claimed by two hosts</li>`
      : null,
  ];
  return html`<ul class="legend"><li><span class="sample own">@</span>this host</li>${words}</ul>`;
}
