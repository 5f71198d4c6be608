/** gossamer: parse the command line, run the command, end with its exit code. */
import { runCommandLine } from "./mod/cli/command_line.ts";
import { processOutside } from "./mod/cli/outside.ts";

Deno.exit(await runCommandLine(Deno.args, processOutside()));
