/** What `gossamer simulate` prints of a run. */
import { markedPaint, SIMULATION, SIMULATION_FAILED } from "../../support/simulations.ts";
import { renderSimulation } from "../../../mod/cli/render_simulation.ts";
import { plainPaint } from "../../../mod/cli/paint.ts";
import { matchGolden } from "../../support/golden.ts";

function golden(name: string, text: string): void {
  matchGolden(new URL(`./${name}.txt`, import.meta.url), text);
}

Deno.test("a run that went well is a table of what happened, its cost, and that all held", () => {
  golden("simulation", renderSimulation(SIMULATION, plainPaint));
});

Deno.test("a run in which a rule broke ends with the smallest scenario that shows it", () => {
  golden("simulation_failed", renderSimulation(SIMULATION_FAILED, markedPaint));
});
