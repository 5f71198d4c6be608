/** Follows the agent's events for `gossamer monitor`. */
import type { DroppedDocument, EventDocument } from "../agent/api.ts";
import { ExitCode, UserError } from "../base/errors.ts";
import { agentLines } from "./agent_lines.ts";
import { printable } from "./columns.ts";
import { socketPath } from "./control_client.ts";
import type { Outside } from "./outside.ts";
import { type Meaning, type Paint, paintFor } from "./paint.ts";

const MEANINGS: Readonly<Record<EventDocument["severity"], Meaning>> = {
  info: "faint",
  warning: "warning",
  error: "bad",
};

/** Columns of the names: `member-suspected` and `overlay-repaired` are the longest. */
const NAME_COLUMNS = 16;

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

/** `2026-01-02 03:04:05Z member-failed    h2 failed; its subnet stays its own`. */
export function eventLine(event: EventDocument | DroppedDocument, paint: Paint): string {
  if (event.event === "events-dropped") {
    return `${paint("warning", `${event.count} events were left out: this reader is too slow`)}\n`;
  }
  const time = event.time.replace(/^(.{10})T(.{8}).*$/, "$1 $2Z");
  const name = printable(event.event).padEnd(NAME_COLUMNS);
  const text = `${printable(time)} ${paint(MEANINGS[event.severity] ?? "faint", name)} ` +
    printable(event.text);
  return event.remedy === undefined || event.event === "problem-cleared"
    ? `${text}\n`
    : `${text}; remedy: ${printable(event.remedy)}\n`;
}

/** The agent may be of another version: what it must say is checked, what it says besides is not. */
function eventOf(line: string): EventDocument | DroppedDocument {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw unknownEvent();
  }
  if (isDropped(value) || isEvent(value)) return value;
  throw unknownEvent();
}

function isDropped(value: unknown): value is DroppedDocument {
  return isRecord(value) && value["event"] === "events-dropped" &&
    typeof value["count"] === "number";
}

function isEvent(value: unknown): value is EventDocument {
  return isRecord(value) &&
    ["time", "event", "severity", "text"].every((name) => typeof value[name] === "string") &&
    ["string", "undefined"].includes(typeof value["remedy"]);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function unknownEvent(): UserError {
  return new UserError("an event of the agent cannot be understood", {
    remedy: "use the gossamer of the agent's version, which gossamer status --json names",
  });
}
