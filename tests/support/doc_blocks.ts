/**
 * Commands of the documentation that a test runs: fenced blocks whose info string says so.
 *
 *     ```sh run                  every line, by a shell that stops at the first failure
 *     ```console run             the lines behind "$ "; the first line of what follows must look like what is printed
 *     ```sh run on=h2            on the second host; the first one otherwise
 *     ```sh run needs=docker     left out where there is no such program; several with commas
 *     ```sh run exit=1           ends with that code
 */

export interface DocBlock {
  /** Of the opening fence, from 1. */
  readonly line: number;
  /** What a shell runs. */
  readonly script: string;
  /** For `console`, what the last command prints first; null where nothing is said. */
  readonly output: string | null;
  readonly host: "h1" | "h2";
  readonly needs: readonly string[];
  readonly exitCode: number;
}

/** The marked blocks of a text in Markdown. Throws for a mark that is not understood: it would never run. */
export function docBlocks(markdown: string): DocBlock[] {
  const blocks: DocBlock[] = [];
  const lines = markdown.split("\n");
  for (let index = 0; index < lines.length; index++) {
    const fence = /^(\s*)```(\S+)(.*)$/.exec(lines[index] ?? "");
    if (fence === null) continue;
    const [, indent = "", language = "", rest = ""] = fence;
    const body: string[] = [];
    const line = index + 1;
    for (index++; index < lines.length && lines[index]?.trim() !== "```"; index++) {
      body.push((lines[index] ?? "").slice(indent.length));
    }
    const marks = rest.trim() === "" ? [] : rest.trim().split(/\s+/);
    if (marks.length > 0) blocks.push(blockOf(line, language, marks, body));
  }
  return blocks;
}

function blockOf(
  line: number,
  language: string,
  marks: readonly string[],
  body: readonly string[],
): DocBlock {
  const refuse = (what: string) => new Error(`line ${line}: ${what} of a block is not understood`);
  const values = new Map<string, string>();
  const [first, ...others] = marks;
  if (first !== "run") throw refuse(`the mark ${JSON.stringify(first)}`);
  for (const mark of others) {
    const [, name = "", value = ""] = /^(on|needs|exit)=(\S+)$/.exec(mark) ?? [];
    if (name === "") throw refuse(`the mark ${JSON.stringify(mark)}`);
    values.set(name, value);
  }
  const host = values.get("on") ?? "h1";
  if (host !== "h1" && host !== "h2") throw refuse(`the host ${host}`);
  const common = {
    line,
    host,
    needs: values.get("needs")?.split(",") ?? [],
    exitCode: Number(values.get("exit") ?? 0),
  } as const;
  if (language === "sh") return { ...common, script: body.join("\n"), output: null };
  if (language !== "console") throw refuse(`the language ${language}`);
  const commands = body.filter((text) => text.startsWith("$ "));
  const last = body.findLastIndex((text) => text.startsWith("$ "));
  const script = commands.map((text) => text.slice(2)).join("\n");
  return { ...common, script, output: body[last + 1] ?? null };
}

/** What two lines have in common when numbers and the width of columns differ. */
export function shapeOf(line: string): string {
  return line.replace(/\d+/g, "0").replace(/\s+/g, " ").trim();
}
