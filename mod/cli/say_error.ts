/** How errors reach people: one line on standard error, and the exit code that goes with it. */
import { ExitCode, UserError } from "../base/errors.ts";
import { OutputClosed, type Outside } from "./outside.ts";

/** Says what went wrong in one line, and returns the exit code that goes with it. */
export function sayError(error: unknown, outside: Outside): ExitCode {
  if (error instanceof OutputClosed) return ExitCode.done;
  if (error instanceof UserError) {
    const remedy = error.remedy === undefined ? "" : ` - ${continued(error.remedy)}`;
    outside.say(`gossamer: ${continued(error.message)}${remedy}`);
    return error.exitCode;
  }
  const trace = error instanceof Error ? error.stack ?? error.message : String(error);
  outside.say(`gossamer: this is a bug in gossamer, please report it: ${trace}`);
  return ExitCode.failed;
}

/** A sentence that goes on after a colon or a dash begins small; UDP and VTEP stay as they are. */
export function continued(sentence: string): string {
  return sentence.replace(/^[A-Z](?=[a-z]* )/, (letter) => letter.toLowerCase());
}
