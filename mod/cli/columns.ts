/** Tables for people and grep: columns two blanks apart, no boxes, one row a line. Pure. */
import type { Meaning, Paint } from "./paint.ts";

export interface Cell {
  readonly text: string;
  readonly meaning?: Meaning;
}

/** Rows as lines, each ended by a line break. The last column is not padded. */
export function columns(rows: readonly (readonly (string | Cell)[])[], paint: Paint): string {
  const table = rows.map((row) => row.map(cellOf));
  const widths: number[] = [];
  for (const row of table) {
    row.forEach(({ text }, index) => widths[index] = Math.max(widths[index] ?? 0, text.length));
  }
  return table.map((row) => {
    const cells = row.map(({ text, meaning }, index) => {
      const painted = meaning === undefined || text === "" ? text : paint(meaning, text);
      const isLast = index === row.length - 1;
      return isLast ? painted : painted + " ".repeat((widths[index] ?? 0) - text.length);
    });
    return cells.join("  ").trimEnd() + "\n";
  }).join("");
}

function cellOf(cell: string | Cell): Cell {
  return typeof cell === "string" ? { text: printable(cell) } : {
    ...cell,
    text: printable(cell.text),
  };
}

/** Text from other hosts without what a terminal would obey. */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex -- control characters are exactly what is replaced
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/g, "\ufffd");
}
