/** Which dropped packets are told of as strangers'. */
import { equal } from "node:assert/strict";
import { DroppedStrangers } from "../../../mod/agent/dropped_strangers.ts";

Deno.test("packets that no change of members explains are strangers', five seconds later", () => {
  const strangers = new DroppedStrangers();
  strangers.look(0, 0, true);
  strangers.look(10_000, 3, false);
  equal(strangers.areProblem(14_999), false);
  equal(strangers.areProblem(15_000), true);
  equal(strangers.areProblem(10_000 + 599_999), true);
  equal(strangers.areProblem(10_000 + 600_000), false);
});

Deno.test("what is dropped just before or after a change of members was a member's", () => {
  const strangers = new DroppedStrangers();
  strangers.look(0, 0, true);
  strangers.look(4_999, 3, false); // after
  strangers.look(20_000, 5, false); // before
  strangers.look(24_999, 6, true);
  strangers.look(29_998, 8, false);
  equal(strangers.areProblem(60_000), false);
  equal(strangers.count, 8);
});

Deno.test("members that come later explain nothing that was judged", () => {
  const strangers = new DroppedStrangers();
  strangers.look(0, 0, true);
  strangers.look(10_000, 3, false);
  strangers.look(15_000, 3, true);
  equal(strangers.areProblem(15_001), true);
});
