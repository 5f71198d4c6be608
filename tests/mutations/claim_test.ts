/**
 * Rules of claims whose loss the exhaustive search is too small to show: each is broken once, and the tests that it names have
 * to notice. Those whose loss it shows are broken in tests/search.
 */
import assert from "node:assert/strict";
import { NOT_SHOWN } from "../search/rules.ts";
import { testsFail } from "./mutant.ts";

for (const { name, changes, noticedBy } of NOT_SHOWN) {
  Deno.test(`noticed when broken: ${name}`, async () => {
    assert.ok(noticedBy !== undefined, "the rule names its tests");
    const [change, ...further] = changes;
    assert.ok(change !== undefined && further.length === 0, "one change breaks the rule");
    const isNoticed = await testsFail({ rule: name, ...change }, noticedBy);
    assert.ok(isNoticed, `${change.file} can be changed and nobody notices`);
  });
}
