/** The agent's status document: fetched, checked, as text, as an exit code. What it needs is loaded when it is asked. */
import type { StatusDocument } from "../agent/api.ts";
import { ExitCode } from "../base/errors.ts";
import type { Outside } from "./outside.ts";
import { paintFor } from "./paint.ts";

/** Asks the agent and checks its answer. */
export async function fetchStatus(runDir: string): Promise<StatusDocument> {
  const { askAgent } = await import("./control_client.ts");
  const { statusOf } = await import("./documents.ts");
  return statusOf(await askAgent(runDir, { method: "GET", path: "/status" }));
}

/** The document for people, in this terminal's colours. */
export async function statusText(
  outside: Outside,
  document: StatusDocument,
  rows?: number,
): Promise<string> {
  const { renderStatus } = await import("./render_status.ts");
  const room = { width: outside.width(), rows };
  return renderStatus(document, outside.now(), paintFor(outside), room);
}

export function exitCodeOf(document: StatusDocument): ExitCode {
  const isUnhealthy = document.problems.some(({ severity }) => severity === "error");
  return document.ready && !isUnhealthy ? ExitCode.done : ExitCode.notReady;
}
