/** `gossamer man`: the manual pages, printed or written into a folder. */
import { ExitCode, systemReasonOf, UserError } from "../../base/errors.ts";
import { type Command, givenValue } from "../command.ts";

/** @param commands all of them, this one included. */
export function manCommand(commands: () => readonly Command[]): Command {
  return {
    name: "man",
    brief: "Print a manual page, or write all of them into a folder",
    description:
      `Prints the manual page of a command, or of gossamer.toml, in the language of man: give it to
man -l - to read it. With --out writes all pages into a folder, from which a package installs them.`,
    examples: [
      { line: "gossamer man up | man -l -", text: "read one" },
      { line: "gossamer man --out /usr/local/share/man", text: "install all of them" },
    ],
    flags: [{
      name: "out",
      kind: "value",
      placeholder: "DIRECTORY",
      text: "Write all pages there, into man1 and man5",
    }],
    arguments: { placeholder: "[COMMAND]", minimum: 0, text: "Which page", once: true },
    async run(outside, given) {
      const { manPages } = await import("../man/pages.ts");
      const pages = manPages(commands());
      const folder = givenValue(given, "out");
      const [name, ...others] = given.arguments;
      if (others.length > 0 || (folder !== undefined && name !== undefined)) {
        throw new UserError("man: give one command, or --out DIRECTORY", {
          exitCode: ExitCode.usage,
        });
      }
      if (folder === undefined) {
        const wanted = name === undefined ? ["gossamer.1"] : [`gossamer-${name}.1`, `${name}.5`];
        const page = pages.find(({ file }) => wanted.includes(file));
        if (page === undefined) {
          const known = pages.map(({ file }) => file.replace(/^gossamer-|\.\d$/g, "")).join(", ");
          throw new UserError(`man: there is no page of ${JSON.stringify(name)}`, {
            exitCode: ExitCode.usage,
            remedy: `there are ${known}`,
          });
        }
        outside.print(page.text);
        return ExitCode.done;
      }
      for (const { file, text } of pages) writePage(folder, file, text);
      outside.say(`gossamer: ${pages.length} pages written to ${folder}`);
      return ExitCode.done;
    },
  };
}

/** Throws UserError. */
function writePage(folder: string, file: string, text: string): void {
  try {
    const section = `${folder}/man${file.at(-1)}`;
    Deno.mkdirSync(section, { recursive: true });
    Deno.writeTextFileSync(`${section}/${file}`, text);
  } catch (error) {
    throw new UserError(`${folder}/${file} cannot be written: ${systemReasonOf(error)}`);
  }
}
