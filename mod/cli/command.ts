/**
 * What a command of the command line is: a description that parsing and help both read, and a function that runs it.
 */
import type { ExitCode } from "../base/errors.ts";
import type { Outside } from "./outside.ts";

/** A flag as people type it: `--name VALUE`, `--name=VALUE` or, for a switch, `--name`. */
export interface Flag {
  /** Without dashes: `gossip-port`. */
  readonly name: string;
  /** What may be typed instead, for commands that take the place of one with such flags: `-f`. */
  readonly letter?: string;
  /** A switch takes no value; a list may be given several times. */
  readonly kind: "value" | "switch" | "list";
  /** What stands for the value in help texts; empty for switches. */
  readonly placeholder: string;
  /** One or two lines of help, sentence case, no full stop. */
  readonly text: string;
  /** Environment variable that means the same, if there is one. */
  readonly variable?: string;
  /** The default as help shows it; absent when there is none. */
  readonly defaultText?: string;
  /** Heading that help lists it under. */
  readonly group?: string;
}

/** Positional arguments: all of one kind, none at most for commands that do not name them. */
export interface Arguments {
  readonly placeholder: string;
  readonly minimum: number;
  readonly text: string;
  /** Whether the placeholder stands for all of them, and not for the first of several. */
  readonly once?: boolean;
}

/** What was given on the command line, not yet checked. A switch that is on has the value "true". */
export interface Given {
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly arguments: readonly string[];
}

export interface Command {
  readonly name: string;
  /** One line for the overview. */
  readonly brief: string;
  /** What help says first: paragraphs with an empty line between them; line breaks within one do not matter. */
  readonly description: string;
  /** Complete command lines with what they do. */
  readonly examples: readonly { readonly line: string; readonly text: string }[];
  readonly flags: readonly Flag[];
  readonly arguments?: Arguments;
  readonly run: (outside: Outside, given: Given) => Promise<ExitCode>;
}

/** The value of a flag that takes one, or undefined. */
export function givenValue(given: Given, name: string): string | undefined {
  return given.flags.get(name)?.at(-1);
}

/** Whether a switch is on. */
export function givenSwitch(given: Given, name: string): boolean {
  return givenValue(given, name) === "true";
}
