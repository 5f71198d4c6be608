/**
 * A report on one host for whoever is to help: what it is, what it knows, what its kernel should hold and what differs. In
 * Markdown, so that it can be put into an issue as it is. Keys are not in any of it; what looks like one is left out besides.
 */
import type { EventDocument, StatusDocument, SubnetsDocument } from "../agent/api.ts";
import type { PlanDocument } from "../agent/overlay_documents.ts";
import { eventLine } from "./event_documents.ts";
import type { HostReport } from "./host_report.ts";
import { plainPaint } from "./paint.ts";
import { redacted } from "./redact.ts";
import { renderFindings } from "./render_findings.ts";
import { renderMembers } from "./render_members.ts";

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
  readonly host: HostReport;
}

/** Of a host on which no agent answers. */
export type ReportWithoutAgent = Pick<Report, "version" | "kernelRelease" | "at" | "host">;

const WANT_TEXT: Readonly<Record<PlanDocument["want"], string>> = {
  up: "",
  down: "Nothing of gossamer's: this host has no subnet.",
  unchanged: "Not decided: what is there stays until this host has a subnet.",
  paused: "Not decided: there is no underlay to stand on.",
};

export function renderReport(report: Report): string {
  const { version, kernelRelease, at, status, subnets, plan, events, host } = report;
  const problems = status.problems.map(({ code, severity, text, remedy }) =>
    `- ${severity} \`${code}\`: ${text}. Remedy: ${remedy}\n`
  );
  const sections = [
    section(
      "Host",
      `gossamer ${version}, agent ${status.version}, Linux ${kernelRelease}, ${at}\n`,
    ),
    section("Problems", problems.join("") || "None.\n"),
    section("Doctor", doctorText(host)),
    section("Members", block("text", renderMembers(status.members, Date.parse(at), plainPaint))),
    section("What the kernel should hold, from nothing", wantedText(plan)),
    section("What differs now", changesText(plan)),
    section("Last events", eventsText(events)),
    ...hostSections(host),
    section("Status", block("json", JSON.stringify(status, null, 2))),
    section("Subnets", block("json", JSON.stringify(subnets, null, 2))),
  ];
  return redacted(`# Report of gossamer on ${status.host.name}\n\n${sections.join("\n")}`);
}

export function renderReportWithoutAgent(report: ReportWithoutAgent): string {
  const { version, kernelRelease, at, host } = report;
  const sections = [
    section("Host", `gossamer ${version}, no agent answers, Linux ${kernelRelease}, ${at}\n`),
    section("Doctor", doctorText(host)),
    ...hostSections(host),
  ];
  return redacted(`# Report of gossamer on a host without an agent\n\n${sections.join("\n")}`);
}

function doctorText({ findings }: HostReport): string {
  return block("text", renderFindings(findings, plainPaint));
}

function hostSections({ config, kernel }: HostReport): string[] {
  return [
    section("Configuration, as far as flags of gossamer up do not differ", block("toml", config)),
    section("What the kernel holds", block("text", kernel)),
  ];
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
