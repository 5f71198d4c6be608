/** The runner counts what happened and says it in the form that CI reads. */
import assert from "node:assert/strict";
import {
  countJunit,
  countOwn,
  countsLine,
  failureOutput,
  stepLine,
  total,
} from "../../scripts/test_report.ts";

const JUNIT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="6" failures="2" errors="0" time="0.023">
  <testsuite name="./a_test.ts" tests="5" disabled="1" errors="0" failures="2">
    <testcase name="leaks a timer" classname="./a_test.ts" time="0.011" line="1" col="6">
      <failure message="Leaks detected">A timer was started</failure>
    </testcase>
    <testcase name="ignored" classname="./a_test.ts" time="0.000" line="2" col="6">
      <skipped/>
    </testcase>
    <testcase name="outer" classname="./a_test.ts" time="0.001" line="3" col="6">
      <failure message="1 test step failed">1 test step failed</failure>
    </testcase>
    <testcase name="outer &gt; inner" classname="./a_test.ts" time="0.000" line="3" col="43">
      <failure message="x">x</failure>
    </testcase>
    <testcase name="1 &gt; 0 holds" classname="./a_test.ts" time="0.000" line="4" col="1">
    </testcase>
  </testsuite>
  <testsuite name="./b_test.ts" tests="1" disabled="0" errors="0" failures="0">
    <testcase name="empty body" classname="./b_test.ts" time="0.000" line="1" col="1"/>
  </testsuite>
</testsuites>`;

Deno.test("a JUnit report is counted by tests, not by their steps", () => {
  assert.deepEqual(countJunit(JUNIT), { passed: 2, failed: 2, skipped: 1 });
});

Deno.test("an empty report counts nothing", () => {
  assert.deepEqual(countJunit(""), { passed: 0, failed: 0, skipped: 0 });
});

Deno.test("the last line names skipped tests only if there are any", () => {
  assert.equal(countsLine({ passed: 12, failed: 0, skipped: 0 }), "12 passed, 0 failed");
  assert.equal(countsLine({ passed: 12, failed: 1, skipped: 3 }), "12 passed, 1 failed, 3 skipped");
});

Deno.test("the counts of steps add up", () => {
  const counts = { passed: 1, failed: 2, skipped: 3 };
  const step = { name: "unit", counts, seconds: 1 };
  assert.deepEqual(total([step, step]), { passed: 2, failed: 4, skipped: 6 });
});

Deno.test("a step's line says how it went, or why it did not run", () => {
  const counts = { passed: 4, failed: 1, skipped: 0 };
  assert.match(
    stepLine({ name: "unit", counts, seconds: 1.25 }),
    /^FAIL +unit +4 passed, 1 failed/,
  );
  const skipped = { name: "kernel", counts, seconds: 0, skipReason: "needs Linux" };
  assert.match(stepLine(skipped), /^skip +kernel +needs Linux$/);
});

Deno.test("the output of a failed step begins with its errors", () => {
  const output = "a ... ok\n\n ERRORS \n\nb => x.ts:1\n\nFAILED\n";
  assert.equal(failureOutput(output), " ERRORS \n\nb => x.ts:1\n\nFAILED");
  assert.equal(failureOutput("error: no such file\n"), "error: no such file");
});

Deno.test("a step that counts itself is believed, and failed once when it did not get that far", () => {
  const output = "250 of 1000 seeds, 1 failed\n998 passed, 2 failed\n";
  assert.deepEqual(countOwn(false, output), { passed: 998, failed: 2, skipped: 0 });
  assert.deepEqual(countOwn(false, "250 of 1000"), { passed: 0, failed: 1, skipped: 0 });
  assert.deepEqual(countOwn(true, "3 passed, 0 failed"), { passed: 3, failed: 0, skipped: 0 });
});
