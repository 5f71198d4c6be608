/** From arguments to an exit code. Everything heavy is loaded only when the command needs it. */
import { ExitCode, UserError } from "../base/errors.ts";
import { upCommand } from "./commands/up.ts";
import { OutputClosed, type Outside } from "./outside.ts";
import { readPlainFlags } from "./plain_flags.ts";

/** Runs one command. Never throws: every error becomes a line on standard error and an exit code. */
export async function runCommandLine(args: readonly string[], outside: Outside): Promise<ExitCode> {
  try {
    if (args[0] === upCommand.name) {
      const given = readPlainFlags(upCommand.flags, args.slice(1));
      if (given !== undefined) return await upCommand.run(outside, given);
    }
    const { runApplication } = await import("./application.ts");
    return await runApplication(args, outside);
  } catch (error) {
    return sayError(error, outside);
  }
}

/** Says what went wrong in one line, and returns the exit code that goes with it. */
export function sayError(error: unknown, outside: Outside): ExitCode {
  if (error instanceof OutputClosed) return ExitCode.done;
  if (error instanceof UserError) {
    const remedy = error.remedy === undefined ? "" : ` - ${error.remedy}`;
    outside.say(`gossamer: ${error.message}${remedy}`);
    return error.exitCode;
  }
  const trace = error instanceof Error ? error.stack ?? error.message : String(error);
  outside.say(`gossamer: this is a bug in gossamer, please report it: ${trace}`);
  return ExitCode.failed;
}
