/** The findings of `gossamer doctor` as lines. Pure. */
import { type Finding, findingText, type Verdict } from "../doctor/finding.ts";
import { printable } from "./columns.ts";
import type { Paint } from "./paint.ts";

const TONES: Readonly<Record<Verdict, Parameters<Paint>[0]>> = {
  ok: "good",
  warn: "warning",
  FAIL: "bad",
};

/** One a line, so that grep finds them whole. */
export function renderFindings(findings: readonly Finding[], paint: Paint): string {
  return findings.map((finding) => {
    const text = printable(findingText(finding));
    const { verdict } = finding;
    return `${paint(TONES[verdict], verdict)}${text.slice(verdict.length)}\n`;
  }).join("");
}
