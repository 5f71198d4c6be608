/**
 * What the test runner counts and prints: cases from JUnit files, and the line it ends with.
 * Apart from the runner so that tests can reach it without starting a process.
 */

/** How many test cases went which way. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** One step of a run, such as `lint` or `unit`, with its outcome. */
export interface StepResult {
  name: string;
  counts: Counts;
  seconds: number;
  /** Why the whole step was left out; absent when it ran. */
  skipReason?: string;
}

/**
 * Counts the tests in a report of `deno test --junit-path`. Test steps ("outer > inner") belong to
 * the test that holds them, which fails with them, so they are not counted a second time.
 */
export function countJunit(xml: string): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const suite of xml.split("<testsuite ").slice(1)) {
    const cases = [
      ...suite.matchAll(/<testcase name="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g),
    ];
    const names = new Set(cases.map((match) => match[1]));
    for (const [, name = "", body = ""] of cases) {
      const outer = name.lastIndexOf(" &gt; ");
      if (outer > 0 && names.has(name.slice(0, outer))) continue;
      if (body.includes("<failure") || body.includes("<error")) counts.failed++;
      else if (body.includes("<skipped")) counts.skipped++;
      else counts.passed++;
    }
  }
  return counts;
}

/** What a step says of itself in its last line, `12 passed, 1 failed`; a step that did not get there failed once. */
export function countOwn(success: boolean, output: string): Counts {
  const match = /(\d+) passed, (\d+) failed\s*$/.exec(output);
  const counts = { passed: Number(match?.[1] ?? 0), failed: Number(match?.[2] ?? 0), skipped: 0 };
  if (!success && counts.failed === 0) counts.failed = 1;
  return counts;
}

/** Adds up the steps; a step left out as a whole counts as one skipped. */
export function total(results: readonly StepResult[]): Counts {
  const sum: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { counts } of results) {
    sum.passed += counts.passed;
    sum.failed += counts.failed;
    sum.skipped += counts.skipped;
  }
  return sum;
}

/** `N passed, N failed`, and `, N skipped` when something was. */
export function countsLine(counts: Counts): string {
  const line = `${counts.passed} passed, ${counts.failed} failed`;
  return counts.skipped === 0 ? line : `${line}, ${counts.skipped} skipped`;
}

/** One line for a finished step, such as `ok    unit       412 passed, 0 failed  3.1 s`. */
export function stepLine(result: StepResult): string {
  if (result.skipReason !== undefined) {
    return `skip  ${result.name.padEnd(10)} ${result.skipReason}`;
  }
  const verdict = result.counts.failed === 0 ? "ok   " : "FAIL ";
  return `${verdict} ${result.name.padEnd(10)} ${countsLine(result.counts)}  ${
    result.seconds.toFixed(1)
  } s`;
}

/** What of a failed step's output is worth reading: `deno test` repeats its failures at the end. */
export function failureOutput(output: string): string {
  const start = output.search(/^.* ERRORS .*$/m);
  return (start < 0 ? output : output.slice(start)).trimEnd();
}
