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
  return text.split("\n").map((line) =>
    visibleLength(line) <= width ? line : wordLines(line, width).join("\n")
  ).join("\n");
}

/** The words of a text in lines of at most `width` columns; a longer word has a line of its own. */
export function wordLines(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && visibleLength(line) + 1 + visibleLength(word) > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return line === "" ? lines : [...lines, line];
}

function visibleLength(text: string): number {
  return text.replace(INVISIBLE, "").length;
}
