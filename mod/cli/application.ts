/**
 * The command line as the library @stricli/core sees it: finds the command, reads its flags, proposes corrections. Its
 * only user; loaded for everything but a plain `gossamer up ...` (docs/adr/0010-cli-library.md).
 */
import {
  AliasNotFoundError,
  type Application,
  ArgumentParseError,
  buildApplication,
  buildCommand,
  buildRouteMap,
  type Command as LibraryCommand,
  type CommandContext,
  ExitCode as LibraryExitCode,
  FlagNotFoundError,
  run,
  text_en,
  UnexpectedFlagError,
  UnexpectedPositionalError,
  UnsatisfiedFlagError,
  UnsatisfiedPositionalError,
} from "@stricli/core";
import { ExitCode, reasonOf, UserError } from "../base/errors.ts";
import type { Command, Flag, Given } from "./command.ts";
import { COMMANDS } from "./commands/all.ts";
import { commandHelp, overview } from "./help.ts";
import { splitLetters } from "./letters.ts";
import type { Outside } from "./outside.ts";
import { sayError } from "./say_error.ts";
import { type Mistake, unknownCommand, usageError } from "./usage_error.ts";

interface Context extends CommandContext {
  readonly outside: Outside;
  /** Set by the command that ran. */
  exitCode: ExitCode;
  /** Set when help was asked for. */
  help: string;
}

/** Flags as the library hands them over: a switch is a boolean, everything else a list. */
type Values = Readonly<Record<string, boolean | readonly string[] | undefined>>;

/** Runs the command that the arguments name, or says what is wrong with them. */
export async function runApplication(
  args: readonly string[],
  outside: Outside,
  commands: readonly Command[] = COMMANDS,
): Promise<ExitCode> {
  const context: Context & { process: { exitCode?: number | string | null } } = {
    outside,
    exitCode: ExitCode.done,
    help: "",
    process: {
      stdout: { write: (text) => outside.print(text) },
      stderr: { write: (text) => outside.say(text.replace(/\n$/, "")) },
    },
  };
  await run(application(args, context, commands), normalized(args, commands), context);
  outside.print(context.help);
  switch (context.process.exitCode) {
    case LibraryExitCode.Success:
      return context.exitCode;
    case LibraryExitCode.UnknownCommand:
    case LibraryExitCode.InvalidArgument:
      return ExitCode.usage;
    default:
      return ExitCode.failed;
  }
}

/** `gossamer help up` and `gossamer --version` are what people try first. */
function normalized(args: readonly string[], commands: readonly Command[]): readonly string[] {
  const [first = "", ...rest] = args;
  if (first === "help") return [...rest, "--help"];
  if (first === "--version") return ["version", ...rest];
  const command = commands.find(({ name }) => name === first);
  return command === undefined ? args : [first, ...splitLetters(command.flags, rest)];
}

function application(
  args: readonly string[],
  context: Context,
  commands: readonly Command[],
): Application<Context> {
  const routes = Object.fromEntries(
    commands.map((command) => [command.name, libraryCommand(command)]),
  );
  return buildApplication<Context>(
    buildRouteMap({ routes, docs: { brief: "gossamer" } }),
    {
      name: "gossamer",
      documentation: { disableAnsiColor: true },
      localization: {
        text: {
          ...text_en,
          noCommandRegisteredForInput: ({ input }) => unknownCommand(input, commands),
          exceptionWhileParsingArguments: (error) => usageError(mistakeOf(error), args, commands),
        },
      },
    },
    {
      help: {
        flag: {
          brief: "Print this help",
          aliases: ["h"],
          global: true,
          defaultForRouteMap: true,
          run(_application, { result }) {
            const command = commands.find(({ name }) => name === result.prefix[1]);
            context.help = command === undefined ? overview(commands) : commandHelp(command);
          },
        },
      },
    },
  );
}

function libraryCommand(command: Command): LibraryCommand<Context> {
  return buildCommand<Values, string[], Context>({
    docs: { brief: command.brief },
    parameters: {
      // The library's types want each flag's name at compile time; ours come from a table.
      // deno-lint-ignore no-explicit-any
      flags: libraryFlags(command.flags) as any,
      aliases: libraryLetters(command.flags),
      positional: {
        kind: "array",
        minimum: command.arguments?.minimum ?? 0,
        maximum: command.arguments === undefined ? 0 : Number.MAX_SAFE_INTEGER,
        parameter: {
          brief: command.arguments?.text ?? "",
          placeholder: command.arguments?.placeholder ?? "argument",
          parse: (text: string) => text,
        },
      },
    },
    async func(values, ...positional) {
      try {
        const given = givenOf(command, values, positional);
        this.exitCode = await command.run(this.outside, given);
      } catch (error) {
        this.exitCode = sayError(error, this.outside);
      }
    },
  });
}

/** Without a prototype, so that `--constructor` is as unknown as any other flag. */
function libraryFlags(flags: readonly Flag[]): object {
  const result = Object.create(null);
  for (const { name, kind, text } of flags) {
    result[name] = kind === "switch"
      ? { kind: "boolean", optional: true, withNegated: false, brief: text }
      : {
        kind: "parsed",
        optional: true,
        variadic: true,
        brief: text,
        parse: (value: string) => value,
      };
  }
  return result;
}

function libraryLetters(flags: readonly Flag[]): object {
  return Object.fromEntries(
    flags.filter(({ letter }) => letter !== undefined).map(({ letter, name }) => [letter, name]),
  );
}

function givenOf(command: Command, values: Values, positional: readonly string[]): Given {
  const flags = new Map<string, readonly string[]>();
  for (const { name, kind } of command.flags) {
    const value = values[name];
    if (typeof value === "boolean") {
      flags.set(name, [String(value)]);
    } else if (value !== undefined && value.length > 0) {
      if (kind === "value" && value.length > 1) throw repeated(name, value);
      flags.set(name, value);
    }
  }
  return { flags, arguments: positional };
}

function repeated(name: string, values: readonly string[]): UserError {
  const list = values.map((value) => JSON.stringify(value)).join(" and ");
  return new UserError(`--${name}: given ${values.length} times, as ${list}`, {
    exitCode: ExitCode.usage,
    remedy: "give it once",
  });
}

/** What the library found wrong, without its words. */
function mistakeOf(error: unknown): Mistake {
  if (error instanceof FlagNotFoundError) return { kind: "unknown-flag", name: error.input };
  if (error instanceof AliasNotFoundError) return { kind: "unknown-letter", letter: error.input };
  if (error instanceof UnsatisfiedFlagError) {
    return { kind: "missing-value", name: error.externalFlagName };
  }
  if (error instanceof UnexpectedFlagError) {
    return { kind: "repeated", name: error.externalFlagName };
  }
  if (error instanceof UnexpectedPositionalError) {
    return { kind: "unexpected-argument", text: error.input };
  }
  if (error instanceof UnsatisfiedPositionalError) return { kind: "missing-argument" };
  if (error instanceof ArgumentParseError) {
    return { kind: "switch-value", name: error.externalFlagNameOrPlaceholder, text: error.input };
  }
  return { kind: "other", text: reasonOf(error) };
}
