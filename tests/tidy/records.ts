/** Checks the two kinds of record the project keeps: decisions (docs/adr) and the changelog. */
import type { SourceFile } from "./source_file.ts";

const DECISION_HEADINGS = ["Context", "Choice", "Rejected", "Figure"];

/** Lines of a decision record: one printed page. */
const DECISION_LINES_MAX = 70;

/** Decision records without their headings, longer than a page, or missing from the index. */
export function badDecisions(files: readonly SourceFile[]): string[] {
  const index = files.find(({ path }) => path === "docs/adr/README.md")?.text ?? "";
  const complaints: string[] = [];
  const seen = new Map<string, string>();
  for (const { path, text } of files) {
    const name = /^docs\/adr\/(.+)$/.exec(path)?.[1];
    if (name === undefined || name === "README.md") continue;
    const number = /^(\d{4})-[a-z0-9-]+\.md$/.exec(name)?.[1];
    if (number === undefined) {
      complaints.push(`${path} is not named NNNN-title.md`);
      continue;
    }
    const twin = seen.get(number);
    if (twin !== undefined) complaints.push(`${path} has the number of ${twin}`);
    seen.set(number, path);
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    const missing = DECISION_HEADINGS.filter((heading) => !headings.includes(heading));
    if (missing.length > 0) complaints.push(`${path} has no heading ## ${missing.join(", ## ")}`);
    const lines = text.split("\n").length - 1;
    if (lines > DECISION_LINES_MAX) complaints.push(`${path} has ${lines} lines, more than a page`);
    if (!index.includes(`(${name})`)) complaints.push(`${path} is not in docs/adr/README.md`);
  }
  return complaints;
}

const CHANGE_KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];

/** What in CHANGELOG.md is not as keepachangelog.com asks. */
export function badChangelog(files: readonly SourceFile[]): string[] {
  const text = files.find(({ path }) => path === "CHANGELOG.md")?.text;
  if (text === undefined) return ["There is no CHANGELOG.md"];
  const complaints: string[] = [];
  const releases = [...text.matchAll(/^## (.+)$/gm)].map(([, heading = ""]) => heading);
  if (releases[0] !== "[Unreleased]") complaints.push("The first section is not ## [Unreleased]");
  for (const release of releases.slice(1)) {
    if (/^\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}$/.test(release)) continue;
    complaints.push(`"## ${release}" is not "## [x.y.z] - YYYY-MM-DD"`);
  }
  const dates = releases.flatMap((release) => /\d{4}-\d{2}-\d{2}$/.exec(release)?.[0] ?? []);
  if (dates.some((date, index) => date > (dates[index - 1] ?? date))) {
    complaints.push("Releases are not in order, the newest first");
  }
  for (const [, kind = ""] of text.matchAll(/^### (.+)$/gm)) {
    if (!CHANGE_KINDS.includes(kind)) complaints.push(`"### ${kind}" is not a kind of change`);
  }
  return complaints.map((complaint) => `CHANGELOG.md: ${complaint}`);
}
