/** Sentences broken into lines that a terminal has room for. Pure. */

/** What colours write into a text: it takes no room. */
// deno-lint-ignore no-control-regex -- the escape character is what such a sequence begins with
const INVISIBLE = /\x1b\[[0-9;]*m/g;

/** Below this many columns lines of single words would be harder to read than the terminal's own breaks. */
const WRAPPED_COLUMNS_MIN = 30;

/**
 * Breaks each line of the text at blanks, so that it is at most `width` columns where its words allow it.
 * A line that fits stays as it is, with all of its blanks.
 */
export function wrap(text: string, width: number): string {
  if (width < WRAPPED_COLUMNS_MIN) return text;
  return text.split("\n").map((line) => wrapLine(line, width)).join("\n");
}

function wrapLine(line: string, width: number): string {
  if (visibleLength(line) <= width) return line;
  const lines: string[] = [];
  let current = "";
  for (const word of line.split(" ")) {
    const longer = current === "" ? word : `${current} ${word}`;
    if (current !== "" && visibleLength(longer) > width) {
      lines.push(current);
      current = word;
    } else {
      current = longer;
    }
  }
  return [...lines, current].join("\n");
}

function visibleLength(text: string): number {
  return text.replace(INVISIBLE, "").length;
}
