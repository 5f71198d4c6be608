/** The problems the agent adds to its status: warnings that scrolled by, and hearing from nobody. */
import assert from "node:assert/strict";
import { Warnings } from "../../../mod/agent/problems.ts";

const warning = (text: string) =>
  ({ kind: "warning", code: "udp-blocked", text, remedy: "Open the port" }) as const;

Deno.test("a warning is shown for an hour after it was last raised, once", () => {
  const warnings = new Warnings();
  assert.equal(warnings.note(warning("h2 hears no UDP"), 0), true);
  assert.equal(warnings.note(warning("h2 hears no UDP"), 1_800_000), false);
  const expected = {
    code: "udp-blocked",
    severity: "warning",
    text: "h2 hears no UDP",
    remedy: "Open the port",
  };
  assert.deepEqual(warnings.recent(1_800_000), [expected]);
  assert.deepEqual(warnings.recent(5_399_999), [expected]);
  assert.deepEqual(warnings.recent(5_400_000), []);
});

Deno.test("of many warnings the newest twenty are shown", () => {
  const warnings = new Warnings();
  for (let number = 1; number <= 30; number++) warnings.note(warning(`h${number}`), number);
  const texts = warnings.recent(100).map(({ text }) => text);
  assert.equal(texts.length, 20);
  assert.deepEqual([texts[0], texts.at(-1)], ["h11", "h30"]);
});
