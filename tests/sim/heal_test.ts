/** The picture of a heal in docs/claims.md: that it happens so, and that the page shows what happens. */
import { equal, match, ok } from "node:assert/strict";
import { healSvg } from "../../mod/sim/heal_svg.ts";
import { HEAL_SEED, playHeal } from "../../mod/sim/scenarios/heal.ts";

const story = playHeal(HEAL_SEED);

Deno.test("after a heal one of two newcomers with one subnet moves, and nobody else", () => {
  const moved = story.lanes.filter(({ spans }) => {
    const subnets = new Set(spans.flatMap(({ state, subnet }) => state === "held" ? [subnet] : []));
    return subnets.size > 1;
  });
  equal(moved.length, 1);
  ok(moved[0]?.isNewcomer);
  equal(moved[0]?.side, 1, "the side without a majority");
  ok(story.movedAtMs > story.healedAtMs);
  const held = story.lanes.map(({ spans }) => spans.at(-1));
  ok(held.every((span) => span?.state === "held"));
  equal(new Set(held.map((span) => span?.subnet)).size, story.lanes.length);
  match(story.why, /the greater strength wins/);
});

Deno.test("the picture in the documentation is what happens now", async () => {
  const path = new URL("../../docs/figures/heal.svg", import.meta.url);
  const isCurrent = await Deno.readTextFile(path) === healSvg(story);
  ok(isCurrent, "draw it anew with deno task figures heal");
});
