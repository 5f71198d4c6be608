/** The one line that a wrong command line is answered with: what was found and what was probably meant. */
import type { Command } from "./command.ts";
import { nearest } from "../base/nearest.ts";

/** What can be wrong with the flags and arguments of a command. */
export type Mistake =
  | { readonly kind: "unknown-flag"; readonly name: string }
  | { readonly kind: "unknown-letter"; readonly letter: string }
  | { readonly kind: "missing-value"; readonly name: string }
  | { readonly kind: "repeated"; readonly name: string }
  | { readonly kind: "switch-value"; readonly name: string; readonly text: string }
  | { readonly kind: "unexpected-argument"; readonly text: string }
  | { readonly kind: "missing-argument" }
  | { readonly kind: "other"; readonly text: string };

/** For a first word that is no command. */
export function unknownCommand(input: string, commands: readonly Command[]): string {
  if (input.startsWith("-")) {
    return `gossamer: ${input}: a flag comes after its command - gossamer --help lists the commands`;
  }
  const meant = nearest(input, commands.map(({ name }) => name));
  const hint = meant === undefined
    ? "gossamer --help lists the commands"
    : `did you mean ${meant}?`;
  return `gossamer: there is no command ${JSON.stringify(input)} - ${hint}`;
}

/** For a command whose flags or arguments are wrong; `args` is the whole command line. */
export function usageError(
  mistake: Mistake,
  args: readonly string[],
  commands: readonly Command[],
): string {
  const command = commands.find(({ name }) => name === args[0]);
  const { message, hint } = explain(mistake, args, command);
  return `gossamer: ${message} - ${hint ?? `see gossamer ${command?.name ?? ""} --help`}`;
}

function explain(
  mistake: Mistake,
  args: readonly string[],
  command: Command | undefined,
): { message: string; hint?: string } {
  switch (mistake.kind) {
    case "unknown-flag":
      return unknownFlag(`--${mistake.name}`, mistake.name, command);
    case "unknown-letter": {
      const word = args.find((arg) => /^-[^-]/.test(arg) && arg.includes(mistake.letter)) ??
        `-${mistake.letter}`;
      return unknownFlag(word, word.slice(1).replace(/=.*$/s, ""), command);
    }
    case "missing-value":
      return {
        message: `--${mistake.name}: the value is missing`,
        hint: `write --${mistake.name} ${placeholderOf(mistake.name, command)}`,
      };
    case "repeated":
      return { message: `--${mistake.name}: given more than once`, hint: "give it once" };
    case "switch-value":
      return {
        message: `--${mistake.name}: found ${JSON.stringify(mistake.text)}, but it is a switch`,
        hint: `write --${mistake.name} alone, or leave it out`,
      };
    case "unexpected-argument":
      return unexpectedArgument(mistake.text, command);
    case "missing-argument":
      return {
        message: `${command?.name}: ${command?.arguments?.placeholder} is missing`,
        hint: command?.examples[0] === undefined
          ? `see gossamer ${command?.name} --help`
          : `for example: ${command.examples[0].line}`,
      };
    case "other":
      return { message: mistake.text };
  }
}

function unknownFlag(
  word: string,
  name: string,
  command: Command | undefined,
): { message: string; hint?: string } {
  const meant = nearest(name, ["help", ...(command?.flags ?? []).map((flag) => flag.name)]);
  const message = `${word}: there is no such flag`;
  return meant === undefined ? { message } : { message, hint: `did you mean --${meant}?` };
}

/** `--name=` with nothing behind it reaches us as an argument. */
function unexpectedArgument(
  text: string,
  command: Command | undefined,
): { message: string; hint?: string } {
  const name = /^--([a-z-]+)=$/.exec(text)?.[1];
  if (name !== undefined && command?.flags.some((flag) => flag.name === name)) {
    return {
      message: `--${name}: the value is empty`,
      hint: "give a value, or leave the flag out",
    };
  }
  return {
    message: `${JSON.stringify(text)} is one argument too many`,
    hint: `see gossamer ${command?.name} --help`,
  };
}

function placeholderOf(name: string, command: Command | undefined): string {
  return command?.flags.find((flag) => flag.name === name)?.placeholder ?? "VALUE";
}
