/**
 * A plot of lines as SVG text: small, without scripts, readable on light and on dark pages (the
 * picture follows `prefers-color-scheme`).
 */

export interface Axis {
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly isLogarithmic?: boolean;
  readonly ticks: readonly (readonly [at: number, text: string])[];
}

export interface Series {
  /** Series of one name share a colour and an entry of the legend. */
  readonly name: string;
  readonly stroke: "solid" | "dashed" | "dotted";
  /** Marks each point as well. */
  readonly hasDots?: boolean;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface LinePlot {
  readonly title: string;
  /** What is seen, for those who do not see it. */
  readonly description: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** What the strokes mean, in the order of {@linkcode Series.stroke}: shown below the names. */
  readonly strokes: readonly (readonly [stroke: Series["stroke"], meaning: string])[];
}

/** In CSS pixels; GitHub and most readers show up to about 800. */
const WIDTH = 760;
const HEIGHT = 420;
const [LEFT, RIGHT, TOP, BOTTOM] = [72, 190, 44, 56];
const LEGEND_LINE = 20;

/** Okabe and Ito's colours, told apart by everybody: for light and for dark pages. */
const COLORS: readonly (readonly [light: string, dark: string])[] = [
  ["#0072b2", "#56b4e9"],
  ["#d55e00", "#e69f00"],
  ["#007a5a", "#2fc79f"],
  ["#a6457f", "#e69ac4"],
];

const DASHES: Readonly<Record<Series["stroke"], string>> = {
  solid: "",
  dashed: ' stroke-dasharray="6 4"',
  dotted: ' stroke-dasharray="1.5 4" stroke-linecap="round"',
};

/** The picture as a document of its own; ends with a line break. */
export function linePlotSvg(plot: LinePlot): string {
  const names = [...new Set(plot.series.map(({ name }) => name))];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
    `role="img" aria-labelledby="title description">
<title id="title">${escaped(plot.title)}</title>
<desc id="description">${escaped(plot.description)}</desc>
${style(names.length)}
<text class="head" x="${LEFT}" y="24">${escaped(plot.title)}</text>
${axes(plot)}
${plot.series.map((series) => line(plot, series, names.indexOf(series.name))).join("\n")}
${legend(plot, names)}
</svg>
`;
}

function style(colors: number): string {
  const used = COLORS.slice(0, colors);
  const rules = (dark: 0 | 1) =>
    used.map((pair, index) => `.c${index}{color:${pair[dark]}}`).join("");
  return `<style>
text{font:13px system-ui,sans-serif;fill:#333}.head{font-size:16px;font-weight:600}
.grid{stroke:#8884;stroke-width:1}.axis{stroke:#888}
path{fill:none;stroke:currentColor;stroke-width:2}circle{fill:currentColor}.key{color:#888}
${rules(0)}
@media (prefers-color-scheme:dark){text{fill:#ddd}${rules(1)}}
</style>`;
}

function axes({ x, y }: LinePlot): string {
  const [right, bottom] = [WIDTH - RIGHT, HEIGHT - BOTTOM];
  const columns = x.ticks.map(([at, text]) => {
    const left = place(x, at, LEFT, right);
    return `<path class="grid" d="M${left} ${TOP}V${bottom}"/>` +
      `<text x="${left}" y="${bottom + 20}" text-anchor="middle">${escaped(text)}</text>`;
  });
  const rows = y.ticks.map(([at, text]) => {
    const top = place(y, at, bottom, TOP);
    return `<path class="grid" d="M${LEFT} ${top}H${right}"/>` +
      `<text x="${LEFT - 8}" y="${top + 4}" text-anchor="end">${escaped(text)}</text>`;
  });
  const [middle, centre] = [(LEFT + right) / 2, (TOP + bottom) / 2];
  return [
    ...columns,
    ...rows,
    `<path class="axis" d="M${LEFT} ${TOP}V${bottom}H${right}"/>`,
    `<text x="${middle}" y="${HEIGHT - 12}" text-anchor="middle">${escaped(x.label)}</text>`,
    `<text transform="translate(16 ${centre}) rotate(-90)" text-anchor="middle">` +
    `${escaped(y.label)}</text>`,
  ].join("\n");
}

function line({ x, y }: LinePlot, series: Series, color: number): string {
  const points = series.points.map(([atX, atY]) => [
    place(x, atX, LEFT, WIDTH - RIGHT),
    place(y, atY, HEIGHT - BOTTOM, TOP),
  ]);
  const path = points.map(([left, top], index) => `${index === 0 ? "M" : "L"}${left} ${top}`);
  const dots = series.hasDots === true
    ? points.map(([left, top]) => `<circle cx="${left}" cy="${top}" r="4"/>`).join("")
    : "";
  return `<g class="c${color}"><path d="${path.join("")}"${DASHES[series.stroke]}/>${dots}</g>`;
}

function legend(plot: LinePlot, names: readonly string[]): string {
  const left = WIDTH - RIGHT + 20;
  const entries = [
    ...names.map((name, index) => ({ color: `c${index}`, dashes: "", text: name })),
    ...plot.strokes.map(([stroke, text]) => ({ color: "key", dashes: DASHES[stroke], text })),
  ];
  return entries.map(({ color, dashes, text }, index) => {
    const top = TOP + 8 + index * LEGEND_LINE;
    return `<g class="${color}"><path d="M${left} ${top}h28"${dashes}/></g>` +
      `<text x="${left + 36}" y="${top + 4}">${escaped(text)}</text>`;
  }).join("\n");
}

/** Where a value stands between two edges of the picture; what is outside the axis stands on its edge. */
function place(axis: Axis, value: number, from: number, to: number): number {
  const scale = axis.isLogarithmic === true ? Math.log : (plain: number) => plain;
  const clamped = Math.min(axis.max, Math.max(axis.min, value));
  const share = (scale(clamped) - scale(axis.min)) / (scale(axis.max) - scale(axis.min));
  return Math.round((from + share * (to - from)) * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
