/** What a campaign of whole hosts covered, and how long things took in it, for people. */
import { EXPECTED_OUTCOMES } from "./claim_outcomes.ts";
import type { Coverage, Measures } from "./run_result.ts";
import { quantile } from "./statistics.ts";

/** Outcomes on a line. */
const LINE_LENGTH_MAX = 110;

export class ClaimReport {
  readonly #coverage = new Map<string, number>();
  readonly #measures = new Map<string, number[]>();

  /** Takes in what one run showed. */
  add(coverage: Coverage, measures: Measures): void {
    for (const [what, times] of Object.entries(coverage)) {
      this.#coverage.set(what, (this.#coverage.get(what) ?? 0) + times);
    }
    for (const [what, values] of Object.entries(measures)) {
      const known = this.#measures.get(what) ?? [];
      for (const value of values) known.push(value);
      this.#measures.set(what, known);
    }
  }

  /** How often something occurred. */
  times(what: string): number {
    return this.#coverage.get(what) ?? 0;
  }

  /** What should have occurred by now, in a whole campaign, and did not. */
  missing(): string[] {
    return EXPECTED_OUTCOMES.filter((what) => this.times(what) === 0);
  }

  /** That share of the values is not above this; NaN when nothing was measured. */
  at(what: string, share: number): number {
    return quantile(this.#measures.get(what) ?? [], share);
  }

  text(): string {
    const measures = [...this.#measures].sort(([one], [other]) => one < other ? -1 : 1)
      .map(([what, values]) => {
        const [half, most, all] = [0.5, 0.99, 1].map((share) => say(quantile(values, share)));
        return `${what}: ${values.length} times, ${half} (half), ${most} (99 %), ${all} (all)`;
      });
    return [...measures, "What occurred:", ...this.#lines()].join("\n");
  }

  #lines(): string[] {
    const lines: string[] = [];
    let line = "";
    for (const what of [...this.#coverage.keys()].sort()) {
      const text = `${what} ${this.#coverage.get(what)}`;
      if (line !== "" && line.length + text.length + 2 > LINE_LENGTH_MAX) {
        lines.push(`  ${line}`);
        line = "";
      }
      line = line === "" ? text : `${line}; ${text}`;
    }
    return [...lines, `  ${line}`];
  }
}

/** Times of milliseconds are told in seconds when long; counts are below that. */
function say(value: number): string {
  return value >= 1000 ? `${(value / 1000).toFixed(2)} s` : value.toFixed(value < 10 ? 1 : 0);
}
