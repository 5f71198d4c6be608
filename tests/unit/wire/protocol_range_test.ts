/** After memberlist's VerifyProtocol: two hosts get along if there is a version that both speak. */
import assert from "node:assert/strict";
import { Feature, hasFeature, withFeature } from "../../../mod/wire/features.ts";
import { PROTOCOL_RANGE, protocolsMeet, protocolText } from "../../../mod/wire/protocol_range.ts";

const TABLE: readonly (readonly [readonly [number, number], readonly [number, number], boolean])[] =
  [
    [[1, 1], [1, 1], true],
    [[1, 1], [2, 2], false],
    [[1, 3], [2, 2], true],
    [[1, 3], [3, 5], true],
    [[1, 3], [4, 5], false],
    [[0, 0], [0, 255], true],
    [[0, 255], [7, 9], true],
    [[2, 4], [1, 5], true],
    [[254, 255], [0, 253], false],
  ];

for (const [[oneMin, oneMax], [otherMin, otherMax], meet] of TABLE) {
  const one = { protocolMin: oneMin, protocolMax: oneMax };
  const other = { protocolMin: otherMin, protocolMax: otherMax };
  const verb = meet ? "meet" : "do not meet";
  Deno.test(`protocols ${protocolText(one)} and ${protocolText(other)} ${verb}`, () => {
    assert.equal(protocolsMeet(one, other), meet);
    assert.equal(protocolsMeet(other, one), meet);
  });
}

Deno.test("this program gets along with itself", () => {
  assert.ok(protocolsMeet(PROTOCOL_RANGE, PROTOCOL_RANGE));
});

Deno.test("a feature is put and taken without touching the others, up to bit 31", () => {
  const unknown = 0xffff_fffe;
  const all = withFeature(unknown, Feature.opensSealed, true);
  assert.equal(all, 0xffff_ffff);
  assert.ok(hasFeature(all, Feature.opensSealed));
  assert.equal(withFeature(all, Feature.opensSealed, false), unknown);
  assert.ok(!hasFeature(unknown, Feature.opensSealed));
});
