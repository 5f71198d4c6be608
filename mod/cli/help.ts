/** Help texts, made from the descriptions of the commands. Pure: descriptions in, text out. */
import { VERSION } from "../base/version.ts";
import type { Command, Flag } from "./command.ts";
import { wordLines } from "./wrap.ts";

/** Columns that help texts keep within: what a terminal has at least. */
const WIDTH = 80;
const INDENT = "      ";

const EXIT_CODES = `Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 agent not
running, 4 agent not ready, 5 missing privilege`;

/** What `gossamer` alone prints. */
export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  return `gossamer ${VERSION}: a container subnet for every host, and a network between them

Hosts find each other by gossip, agree on who owns which subnet, and program the
kernel themselves. There is no server and no store.

Usage: gossamer COMMAND [flags]

${commands.map(({ name, brief }) => `  ${name.padEnd(width)}  ${brief}`).join("\n")}

On the first host:   gossamer up
On every other one:  gossamer up --join FIRST-HOST
And then:            gossamer status

gossamer COMMAND --help explains a command.
`;
}

/** What `gossamer COMMAND --help` prints. */
export function commandHelp(command: Command): string {
  const sections = [
    `Usage: gossamer ${command.name}${usageTail(command)}`,
    command.description.split("\n\n").map(paragraph).join("\n\n"),
    examples(command),
    ...flagSections(command.flags),
    EXIT_CODES,
  ];
  return sections.filter((section) => section !== "").join("\n\n") + "\n";
}

function paragraph(text: string): string {
  return wordLines(text.replaceAll("\n", " "), WIDTH).join("\n");
}

function usageTail(command: Command): string {
  const flags = command.flags.length === 0
    ? ""
    : command.flags.length > 4
    ? " [flags]"
    : command.flags.map((flag) => ` [${spelling(flag)}]`).join("");
  if (command.arguments === undefined) return flags;
  const { placeholder, once } = command.arguments;
  return `${flags} ${placeholder}${once === true ? "" : "..."}`;
}

function spelling(flag: Flag): string {
  const names = `${flag.letter === undefined ? "" : `-${flag.letter}, `}--${flag.name}`;
  return flag.kind === "switch" ? names : `${names} ${flag.placeholder}`;
}

function examples(command: Command): string {
  const width = Math.max(...command.examples.map(({ line }) => line.length));
  const lines = command.examples.map(({ line, text }) => `  ${line.padEnd(width)}   # ${text}`);
  return [lines.length === 1 ? "Example:" : "Examples:", ...lines].join("\n");
}

function flagSections(flags: readonly Flag[]): string[] {
  const column = Math.max(0, ...flags.map((flag) => spelling(flag).length)) + 3;
  const groups = Map.groupBy(flags, ({ group }) => group ?? "Flags");
  return [...groups].map(([group, members]) =>
    [`${group}:`, ...members.map((flag) => flagLines(flag, column))].join("\n")
  );
}

/** The flag and, in a column of their own, its environment variable; below it what it means. */
function flagLines(flag: Flag, column: number): string {
  const head = `  ${spelling(flag).padEnd(column)}${flag.variable ?? ""}`.trimEnd();
  const repeated = flag.kind === "list" ? "; may be repeated" : "";
  const otherwise = flag.defaultText === undefined ? "" : ` (default: ${flag.defaultText})`;
  return [head, ...wordLines(flag.text + repeated + otherwise, WIDTH - INDENT.length)]
    .join(`\n${INDENT}`);
}
