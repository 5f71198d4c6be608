/** Plots as SVG: where values stand, and what readers need besides. */
import assert from "node:assert/strict";
import { type LinePlot, linePlotSvg } from "../../../mod/sim/line_plot.ts";

const PLOT: LinePlot = {
  title: "Heat < cold",
  description: "Two lines.",
  x: { label: "hosts", min: 1, max: 100, isLogarithmic: true, ticks: [[10, "ten"]] },
  y: { label: "seconds", min: 0, max: 4, ticks: [[2, "2"]] },
  series: [
    { name: "one", stroke: "solid", hasDots: true, points: [[1, 0], [10, 2], [100, 4]] },
    { name: "other", stroke: "dashed", points: [[1, 4], [100, 9]] },
    { name: "one", stroke: "dotted", points: [[1, 1], [100, 1]] },
  ],
  strokes: [["solid", "measured"], ["dashed", "theory"]],
};

const svg = linePlotSvg(PLOT);

Deno.test("values stand where the axes say, and those beyond an axis on its edge", () => {
  // The plot reaches from 72 to 570 in x, and from 364 up to 44 in y; 10 is halfway from 1 to 100.
  assert.ok(svg.includes('<path d="M72 364L321 204L570 44"/>'));
  assert.ok(svg.includes('<path d="M72 44L570 44" stroke-dasharray="6 4"/>'));
  assert.ok(svg.includes('<circle cx="321" cy="204" r="4"/>'));
  assert.ok(svg.includes('<text x="321" y="384" text-anchor="middle">ten</text>'));
});

Deno.test("series of one name share a colour and an entry of the legend", () => {
  assert.equal(svg.split(">one<").length, 2);
  assert.equal(svg.split('<g class="c0">').length, 1 + 2 + 1); // two lines and the legend
  assert.ok(svg.includes(">measured<") && svg.includes(">theory<"));
});

Deno.test("a plot has what readers and dark pages need, and nothing that could run", () => {
  assert.ok(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 420" '));
  assert.ok(svg.includes('<title id="title">Heat &lt; cold</title>'));
  assert.ok(svg.includes("prefers-color-scheme:dark"));
  assert.ok(!svg.includes("<script") && !svg.includes("NaN"));
});

Deno.test("the same plot is the same text", () => {
  assert.equal(linePlotSvg(PLOT), svg);
  assert.ok(svg.length < 3000, `${svg.length} characters`);
});
