/** `gossamer version`. */
import { ExitCode } from "../../base/errors.ts";
import { VERSION } from "../../base/version.ts";
import type { Command } from "../command.ts";

export const versionCommand: Command = {
  name: "version",
  brief: "Print the version",
  description: "Prints the version of this program.",
  examples: [{ line: "gossamer version", text: `gossamer ${VERSION}` }],
  flags: [],
  run(outside) {
    outside.print(`gossamer ${VERSION}\n`);
    return Promise.resolve(ExitCode.done);
  },
};
