/** In which line of a TOML file a key stands: the parser tells it of broken lines alone, and a wrong value has one too. Pure. */

/** `key =`, `"key" =`, `key.part =`, `[key]`, `[[key]]`; a byte order mark is white space too. */
const KEY = /^\s*(?:\[\[?\s*)?(?:"([^"\\]*)"|'([^']*)'|([\w-]+))\s*[=.\]]/;

/** Line of each key at its first mention, from 1. A key written in a way that only a parser understands is not in it. */
export function keyLines(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  let quotes: string | null = null;
  for (const [index, line] of text.split("\n").entries()) {
    if (quotes === null) {
      const [, basic, literal, bare] = KEY.exec(line) ?? [];
      const key = basic ?? literal ?? bare;
      if (key !== undefined && !lines.has(key)) lines.set(key, index + 1);
    }
    // Lines within a string of several lines are no keys.
    for (const [found] of line.matchAll(/"""|'''/g)) {
      if (quotes === null) quotes = found;
      else if (quotes === found) quotes = null;
    }
  }
  return lines;
}
