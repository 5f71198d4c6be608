/**
 * The figures of docs/figures.md: measures clusters of 10 to 5,000 hosts in virtual time, writes the
 * tables into the page and the plots beside it. Ten minutes and 5 GB of memory at the largest size.
 *
 *   scripts/figures.ts         all sizes
 *   scripts/figures.ts 1000    up to that size; writes nothing, prints the tables
 *   scripts/figures.ts heal    only the picture of docs/claims.md, in a second
 */
import { healSvg } from "../mod/sim/heal_svg.ts";
import { linePlotSvg } from "../mod/sim/line_plot.ts";
import { HEAL_SEED, playHeal } from "../mod/sim/scenarios/heal.ts";
import { FIGURE_PLANS, measureFigures } from "../mod/sim/scenarios/figures.ts";
import { bytesPlot, deathPlot, newsPlot } from "../mod/sim/scenarios/figure_plots.ts";
import { type FigureTable, figureTables } from "../mod/sim/scenarios/figure_table.ts";

const PAGE = new URL("../docs/figures.md", import.meta.url);
const FOLDER = new URL("../docs/figures/", import.meta.url);
const [BEGIN, END] = ["<!-- begin: deno task figures -->\n", "<!-- end: deno task figures -->"];

if (Deno.args[0] === "heal") {
  await Deno.writeTextFile(new URL("heal.svg", FOLDER), healSvg(playHeal(HEAL_SEED)));
  Deno.exit();
}
const hostsMax = Number(Deno.args[0] ?? Infinity);

const all = FIGURE_PLANS.filter(({ hosts }) => hosts <= hostsMax).map((plan) => {
  const startMs = performance.now();
  const figures = measureFigures(plan);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  console.error(`${plan.hosts} hosts: ${seconds} s`);
  return figures;
});
const tables = figureTables(all).map(markdown).join("\n");
console.log(tables);

if (Deno.args.length === 0) {
  const page = await Deno.readTextFile(PAGE);
  const [head, rest] = page.split(BEGIN);
  const [, tail] = rest?.split(END) ?? [];
  if (tail === undefined) throw new Error(`No place for the tables in ${PAGE.pathname}: ${BEGIN}`);
  await Deno.writeTextFile(PAGE, `${head}${BEGIN}\n${tables}\n${END}${tail}`);
  await Deno.mkdir(FOLDER, { recursive: true });
  const plots = { news: newsPlot(all), crash: deathPlot(all), idle: bytesPlot(all) };
  for (const [name, plot] of Object.entries(plots)) {
    await Deno.writeTextFile(new URL(`${name}.svg`, FOLDER), linePlotSvg(plot));
  }
}

function markdown({ title, rows }: FigureTable): string {
  const [header = [], ...body] = rows;
  const widths = header.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0), 3)
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [`**${title}**`, "", line(header), rule, ...body.map(line), ""].join("\n");
}
