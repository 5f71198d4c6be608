/** The agent's events, checked before they are believed: the agent may be of another version. */
import type { DroppedDocument, EventDocument } from "../agent/api.ts";
import { UserError } from "../base/errors.ts";
import { printable } from "./columns.ts";
import type { Meaning, Paint } from "./paint.ts";

const MEANINGS: Readonly<Record<EventDocument["severity"], Meaning>> = {
  info: "faint",
  warning: "warning",
  error: "bad",
};

/** Columns of the names: `member-suspected` and `overlay-repaired` are the longest. */
const NAME_COLUMNS = 16;

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

/** An event of one line of JSON. Throws UserError when it is none. */
export function eventOf(line: string): EventDocument | DroppedDocument {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw unknownEvent();
  }
  if (isDropped(value) || isEvent(value)) return value;
  throw unknownEvent();
}

/** The events of `GET /events/recent`. Throws UserError when they are none. */
export function recentEventsOf(answer: unknown): EventDocument[] {
  const events = isRecord(answer) ? answer["events"] : undefined;
  if (Array.isArray(events) && events.every(isEvent)) return events;
  throw unknownEvent();
}

function isDropped(value: unknown): value is DroppedDocument {
  return isRecord(value) && value["event"] === "events-dropped" &&
    typeof value["count"] === "number";
}

/** What an event must say is checked, what it says besides is not. */
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
