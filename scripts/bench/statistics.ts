/** How measured figures are summed up and printed. */

/** Median, and the range that the runs span. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly runs: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
  return {
    median,
    least: sorted[0] ?? NaN,
    most: sorted.at(-1) ?? NaN,
    runs: sorted.length,
  };
}

/** `43.3 (38.3-53.3), n = 9`. */
export function spreadText({ median, least, most, runs }: Spread, digits = 1): string {
  const range = runs > 1 ? ` (${least.toFixed(digits)}-${most.toFixed(digits)}), n = ${runs}` : "";
  return `${median.toFixed(digits)}${range}`;
}

/** One line of the closing table. */
export interface Figure {
  readonly name: string;
  readonly measured: string;
  readonly aim: string;
  /** What comparable software needs on the reference machine. */
  readonly rivals: string;
}

/** The figures as a Markdown table. */
export function figureTable(figures: readonly Figure[]): string {
  const rows = [
    ["figure", "gossamer", "aim", "rivals"],
    ...figures.map(({ name, measured, aim, rivals }) => [name, measured, aim, rivals]),
  ];
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...rows.map((row) => [...(row[column] ?? "")].length))
  );
  const lines = rows.map((row) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`
  );
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [lines[0], rule, ...lines.slice(1)].join("\n");
}
