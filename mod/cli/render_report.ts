/**
 * A report on one host for whoever is to help: what it is, what it knows, what its kernel should hold and what differs. In
 * Markdown, so that it can be put into an issue as it is. Keys are not in any of it; what looks like one is left out besides.
 */
import type { EventDocument, StatusDocument, SubnetsDocument } from "../agent/api.ts";
import type { PlanDocument } from "../agent/overlay_documents.ts";
import { eventLine } from "./event_documents.ts";
import { plainPaint } from "./paint.ts";

export interface Report {
  /** Of the program that asks, which may not be the agent's. */
  readonly version: string;
  readonly kernelRelease: string;
  /** RFC 3339. */
  readonly at: string;
  readonly status: StatusDocument;
  readonly subnets: SubnetsDocument;
  readonly plan: PlanDocument;
  /** The oldest first. */
  readonly events: readonly EventDocument[];
}

/** 32 bytes in base64, as key files have them; and such a key in hexadecimal. */
const KEYS = /(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]{43}=|[0-9a-fA-F]{64})(?![A-Za-z0-9+/=])/g;

const WANT_TEXT: Readonly<Record<PlanDocument["want"], string>> = {
  up: "",
  down: "Nothing of gossamer's: this host has no subnet.",
  unchanged: "Not decided: what is there stays until this host has a subnet.",
  paused: "Not decided: there is no underlay to stand on.",
};

export function renderReport(report: Report): string {
  const { version, kernelRelease, at, status, subnets, plan, events } = report;
  const problems = status.problems.map(({ code, severity, text, remedy }) =>
    `- ${severity} \`${code}\`: ${text}. Remedy: ${remedy}\n`
  );
  const sections = [
    section(
      "Host",
      `gossamer ${version}, agent ${status.version}, Linux ${kernelRelease}, ${at}\n`,
    ),
    section("Problems", problems.join("") || "None.\n"),
    section("What the kernel should hold, from nothing", wantedText(plan)),
    section("What differs now", changesText(plan)),
    section("Last events", eventsText(events)),
    section("Status", block("json", JSON.stringify(status, null, 2))),
    section("Subnets", block("json", JSON.stringify(subnets, null, 2))),
  ];
  return `# Report of gossamer on ${status.host.name}\n\n${sections.join("\n")}`
    .replaceAll(KEYS, "(left out: looks like a key)");
}

function eventsText(events: readonly EventDocument[]): string {
  if (events.length === 0) return "None.\n";
  return block("text", events.map((event) => eventLine(event, plainPaint)).join(""));
}

function wantedText({ want, wanted }: PlanDocument): string {
  return want === "up" ? block("sh", wanted) : `${WANT_TEXT[want]}\n`;
}

function changesText({ changes, obstacles }: PlanDocument): string {
  const found = changes === "" ? "Nothing.\n" : block("sh", changes);
  return found + obstacles.map((obstacle) => `\n${obstacle}.\n`).join("");
}

function section(title: string, text: string): string {
  return `## ${title}\n\n${text}`;
}

function block(language: string, text: string): string {
  return `\`\`\`${language}\n${text}${text.endsWith("\n") ? "" : "\n"}\`\`\`\n`;
}
