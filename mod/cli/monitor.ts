/** Follows the agent's events for `gossamer monitor`. */
import { ExitCode, UserError } from "../base/errors.ts";
import { agentLines } from "./agent_lines.ts";
import { socketPath } from "./control_client.ts";
import { eventLine, eventOf } from "./event_documents.ts";
import type { Outside } from "./outside.ts";
import { paintFor } from "./paint.ts";

/** Prints each event until interrupted. Throws UserError with the contract's exit code when there is no agent any more. */
export async function monitor(
  outside: Outside,
  runDir: string,
  { asJson, withRecent }: { readonly asJson: boolean; readonly withRecent: boolean },
): Promise<ExitCode> {
  const paint = paintFor(outside);
  const { signal, forget } = outside.interruption();
  const path = withRecent ? "/events?recent=true" : "/events";
  try {
    for await (const line of agentLines(runDir, path, signal)) {
      if (line.trim() === "") continue;
      outside.print(asJson ? `${line}\n` : eventLine(eventOf(line), paint));
    }
  } finally {
    forget();
  }
  if (signal.aborted) return ExitCode.done;
  throw new UserError(`the agent on ${socketPath(runDir)} ended`, {
    exitCode: ExitCode.notRunning,
    remedy: "start it again with gossamer up; its log tells why it ended",
  });
}
