/** From arguments to an exit code. Everything heavy is loaded only when the command needs it. */
import type { ExitCode } from "../base/errors.ts";
import { upCommand } from "./commands/up.ts";
import type { Outside } from "./outside.ts";
export { processOutside } from "./outside.ts";
import { readPlainFlags } from "./plain_flags.ts";
import { sayError } from "./say_error.ts";

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
