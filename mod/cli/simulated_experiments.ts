/** The experiments of `gossamer simulate`: what they print, and how they end. Each is loaded when it is asked for. */
import { ExitCode } from "../base/errors.ts";
import { columns } from "./columns.ts";
import { printJson } from "./json_output.ts";
import type { Outside } from "./outside.ts";
import { paintFor } from "./paint.ts";

export interface ExperimentOptions {
  /** The first of the seeds. */
  readonly seed: number;
  /** Clusters for each thing that is measured. */
  readonly repetitions: number;
  /** Everything, in hours, instead of what shows it in a minute or two. */
  readonly isFull: boolean;
  readonly isJson: boolean;
}

/** SWIM beside Lifeguard and each of its parts; fails when a mark does not hold. */
export async function runLifeguardExperiment(
  outside: Outside,
  options: ExperimentOptions,
): Promise<ExitCode> {
  const { lifeguardExperiment, lifeguardGrid } = await import("../sim/scenarios/lifeguard.ts");
  const report = lifeguardExperiment(lifeguardGrid(options), progressOf(outside));
  if (options.isJson) printJson(outside, { schema: 1, ...report });
  else {
    const { renderLifeguard } = await import("./render_lifeguard.ts");
    outside.print(renderLifeguard(report, paintFor(outside)));
  }
  return report.marks.every(({ holds }) => holds) ? ExitCode.done : ExitCode.failed;
}

/** Clusters of 10, 100 and 1,000 hosts, in full of 5,000 too, beside theory and aims. */
export async function runFigures(outside: Outside, options: ExperimentOptions): Promise<ExitCode> {
  const { FIGURE_PLANS, measureFigures } = await import("../sim/scenarios/figures.ts");
  const { figureTables } = await import("../sim/scenarios/figure_table.ts");
  const plans = options.isFull ? FIGURE_PLANS : FIGURE_PLANS.slice(0, -1);
  const progress = progressOf(outside);
  const all = plans.map((plan, index) => {
    const count = plan.seeds.length * options.repetitions;
    const seeds = Array.from({ length: count }, (_, number) => options.seed + number);
    const figures = measureFigures({ ...plan, seeds });
    progress((index + 1) / plans.length);
    return figures;
  });
  if (options.isJson) printJson(outside, { schema: 1, sizes: all });
  else {
    const paint = paintFor(outside);
    const texts = figureTables(all).map(({ title, rows }) => `${title}\n${columns(rows, paint)}`);
    outside.print(texts.join("\n"));
  }
  return ExitCode.done;
}

/** Tells each tenth on a terminal: a run takes seconds, and nobody knows how many there are. */
function progressOf(outside: Outside): (share: number) => void {
  let told = 0;
  return (share) => {
    const tenths = Math.floor(share * 10);
    if (!outside.talkIsTerminal || tenths <= told) return;
    told = tenths;
    outside.say(`${tenths * 10} %`);
  };
}
