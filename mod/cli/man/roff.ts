/** Text in the language of manual pages, the macros of man(7): nothing in a text is taken for a request. Pure. */

const SPECIAL: ReadonlyMap<string, string> = new Map([
  ["\\", "\\e"],
  // As it is typed: a reader copies it, and a terminal would show a hyphen or a quote of another kind.
  ["-", "\\-"],
  ["'", "\\(aq"],
  ["`", "\\(ga"],
  ["^", "\\(ha"],
  ["~", "\\(ti"],
]);

/** A text with nothing special in it; line breaks become blanks. */
export function plain(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return guarded(line.replace(/[\\'`^~-]/g, (character) => SPECIAL.get(character) ?? character));
}

export function bold(text: string): string {
  return `\\fB${plain(text)}\\fR`;
}

export function italic(text: string): string {
  return `\\fI${plain(text)}\\fR`;
}

/** A heading, and what stands below it; nothing when that is nothing. */
export function section(heading: string, ...parts: readonly string[]): string {
  const body = parts.filter((part) => part !== "").join("\n");
  return body === "" ? "" : `.SH ${argument(heading)}\n${body}`;
}

export function subsection(heading: string, ...parts: readonly string[]): string {
  return [`.SS ${argument(heading)}`, ...parts].join("\n");
}

/** Paragraphs, as they are written with an empty line between them. */
export function paragraphs(text: string): string {
  return text.split(/\n\s*\n/).map((one) => `.PP\n${plain(one)}`).join("\n");
}

/** A term with what it means, indented below it; both are roff already. */
export function item(term: string, meaning: string): string {
  return `.TP\n${term}\n${meaning}`;
}

/** Lines that are shown as they are. */
export function example(lines: readonly string[]): string {
  const shown = lines.map((line) => {
    const text = line.replace(/[\\'`^~-]/g, (character) => SPECIAL.get(character) ?? character);
    return guarded(text);
  });
  return [".PP", ".nf", ...shown, ".fi"].join("\n");
}

/** `.TH`: the title in capitals, the section, no date, which program. */
export function title(name: string, number: 1 | 5, source: string): string {
  const manual = number === 1 ? "User Commands" : "File Formats";
  const words = [name.toUpperCase(), String(number), "", source, manual];
  // Names of flags and variables are not broken, and lines not filled up with blanks.
  return [[".TH", ...words.map(argument)].join(" "), ".nh", ".ad l"].join("\n");
}

/** A line that begins with a dot would be a request. */
function guarded(line: string): string {
  return /^[.]/.test(line) ? `\\&${line}` : line;
}

/** One argument of a macro. */
function argument(text: string): string {
  return `"${plain(text).replaceAll('"', "\\(dq")}"`;
}
