/** The figures of a cluster: what is measured, and that it is what the plots and tables show. */
import assert from "node:assert/strict";
import { linePlotSvg } from "../../mod/sim/line_plot.ts";
import { measureFigures, newsShare, newsTimeMs } from "../../mod/sim/scenarios/figures.ts";
import { bytesPlot, deathPlot, newsPlot } from "../../mod/sim/scenarios/figure_plots.ts";
import { figureTables } from "../../mod/sim/scenarios/figure_table.ts";
import { convergenceTimeMs, detectionTimeMs } from "../../mod/sim/theory.ts";

const figures = measureFigures({
  hosts: 100,
  seeds: [1, 2],
  newcomers: 2,
  crashes: 3,
  idleMs: 20_000,
});

Deno.test("everybody hears of each newcomer, far sooner than rounds of gossip alone would tell", () => {
  assert.deepEqual(figures.newsMs.map((times) => times.length), [100, 100, 100, 100]);
  // A first wave in some hops of 0.2 ms reaches nine of ten, the first round most others.
  assert.ok(newsShare(figures, 5) > 0.85, `${newsShare(figures, 5)} after 5 ms`);
  assert.ok(newsTimeMs(figures, 0.999) < convergenceTimeMs(100, 0.999) / 2);
  assert.equal(newsShare(figures, 10_000), 1);
});

Deno.test("each crash is known everywhere, no sooner than theory allows, and nobody else is accused", () => {
  const { detectedMs, deadEverywhereMs, falsePositives } = figures;
  assert.equal(detectedMs.length, 6);
  for (const [index, detected] of detectedMs.entries()) {
    assert.ok(detected >= detectionTimeMs(96, 0), `${detected} ms`);
    assert.ok((deadEverywhereMs[index] ?? 0) >= detected);
    assert.ok((deadEverywhereMs[index] ?? Infinity) < 30_000);
  }
  assert.equal(falsePositives, 0);
});

Deno.test("an idle host sends a ping and an ack a second, and little else", () => {
  const { packetsSent, packetsReceived, bytesSent, streamBytesSent } = figures.idle;
  assert.ok(Math.abs(packetsSent - 2) < 0.1, `${packetsSent} packets`);
  assert.ok(Math.abs(packetsReceived - packetsSent) < 0.1);
  assert.ok(bytesSent < 300 && streamBytesSent < bytesSent, `${bytesSent} bytes`);
});

Deno.test("tables have a row and plots have a curve for each size", () => {
  for (const { rows } of figureTables([figures])) {
    assert.equal(rows.length, 2);
    assert.equal(rows[1]?.length, rows[0]?.length);
    assert.equal(rows.flat().some((cell) => /NaN|Infinity|undefined/.test(cell)), false);
  }
  for (const plot of [newsPlot, deathPlot, bytesPlot]) {
    assert.equal(/NaN|undefined/.test(linePlotSvg(plot([figures]))), false);
  }
});
