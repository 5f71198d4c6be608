/** `gossamer completion`: the shell completes commands, flags and names of hosts. */
import { ExitCode, UserError } from "../../base/errors.ts";
import type { Command } from "../command.ts";
import { completionScript, SHELLS } from "../completion.ts";

/** @param commands all of them, this one included. */
export function completionCommand(commands: () => readonly Command[]): Command {
  return {
    name: "completion",
    brief: "Print a script with which a shell completes commands and names",
    description:
      `Prints a script for bash, zsh or fish that completes commands, flags, actions, and the
names of hosts where one is wanted.`,
    examples: [
      { line: ". <(gossamer completion bash)", text: "in this shell" },
      {
        line: "gossamer completion bash > /usr/share/bash-completion/completions/gossamer",
        text: "for all users, from their next shell on",
      },
      {
        line: "gossamer completion fish > ~/.config/fish/completions/gossamer.fish",
        text: "the same for fish",
      },
    ],
    flags: [],
    arguments: { placeholder: "bash | zsh | fish", minimum: 1, text: "Which shell", once: true },
    run(outside, given) {
      const [name = "", ...others] = given.arguments;
      const shell = SHELLS.find((one) => one === name);
      if (shell === undefined || others.length > 0) {
        throw new UserError(
          `completion: ${JSON.stringify(given.arguments.join(" "))} is no shell`,
          {
            exitCode: ExitCode.usage,
            remedy: `write one of ${SHELLS.join(", ")}`,
          },
        );
      }
      outside.print(completionScript(shell, commands()));
      return Promise.resolve(ExitCode.done);
    },
  };
}
