/** What a check found: a line of `gossamer doctor`. */
import type { Problem } from "../base/problem.ts";

export type Verdict = "ok" | "warn" | "FAIL";

export interface Finding {
  /** Of the check; also the code of the problem that `status` shows. */
  readonly name: string;
  readonly verdict: Verdict;
  /** What was found, and where. Sentence case, no full stop. */
  readonly finding: string;
  /** What to do next, likewise; null where there is nothing to do. */
  readonly remedy: string | null;
}

export function ok(name: string, finding: string): Finding {
  return { name, verdict: "ok", finding, remedy: null };
}

/** Works, or may work, but not as it should. */
export function warn(name: string, finding: string, remedy: string): Finding {
  return { name, verdict: "warn", finding, remedy };
}

/** Does not work like this. */
export function fail(name: string, finding: string, remedy: string): Finding {
  return { name, verdict: "FAIL", finding, remedy };
}

/** `warn rp-filter: what was found - what to do`. */
export function findingText({ name, verdict, finding, remedy }: Finding): string {
  return `${verdict.padEnd(4)} ${name}: ${finding}${remedy === null ? "" : ` - ${remedy}`}`;
}

/** For `status`; null when all is well. */
export function findingProblem({ name, verdict, finding, remedy }: Finding): Problem | null {
  if (verdict === "ok") return null;
  // What a check fails for stops the next start; of a host that runs, only its packets can say that something is broken.
  return { code: name, severity: "warning", text: finding, remedy: remedy ?? "" };
}
