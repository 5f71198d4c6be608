/** The order of claims is total, and records are what their bytes are. */
import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { compareClaims, explainOrder } from "../../mod/claim/order.ts";
import { decodeRecord, encodeRecord } from "../../mod/claim/record_codec.ts";
import { claims } from "./claim_records.ts";

Deno.test("the order is total and antisymmetric: of claims of two hosts exactly one wins", () => {
  fc.assert(fc.property(claims(), claims(), (one, other) => {
    equal(Math.sign(compareClaims(one, other)), -Math.sign(compareClaims(other, one)));
    if (one.hostId !== other.hostId) equal(compareClaims(one, other) === 0, false);
    equal(compareClaims(one, one), 0);
  }));
});

Deno.test("the order is transitive", () => {
  fc.assert(
    fc.property(fc.array(claims(), { minLength: 3, maxLength: 6 }), (records) => {
      const sorted = records.toSorted((one, other) => compareClaims(other, one));
      for (const [index, higher] of sorted.entries()) {
        for (const lower of sorted.slice(index)) equal(compareClaims(higher, lower) >= 0, true);
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("the explanation names the winner's value first, whichever way it is asked", () => {
  fc.assert(fc.property(claims(), claims(), (one, other) => {
    equal(explainOrder(one, other), explainOrder(other, one));
  }));
});

Deno.test("a record survives its encoding, and equal bytes mean equal records", () => {
  fc.assert(fc.property(claims(), claims(), (one, other) => {
    const bytes = encodeRecord(one);
    const decoded = decodeRecord(bytes);
    deepEqual(decoded, one);
    equal(encodeRecord({ ...decoded }).toHex(), bytes.toHex());
    const isSame = bytes.toHex() === encodeRecord(other).toHex();
    equal(isSame, JSON.stringify(one) === JSON.stringify(other));
  }));
});

Deno.test("a changed byte is another record or none", () => {
  fc.assert(
    fc.property(claims(), fc.nat(), fc.integer({ min: 1, max: 255 }), (one, where, flip) => {
      const bytes = encodeRecord(one);
      const at = where % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ flip;
      try {
        // A copy of the record, since what was decoded keeps its bytes.
        equal(encodeRecord({ ...decodeRecord(bytes) }).toHex(), bytes.toHex());
      } catch (error) {
        equal((error as Error).name, "WireError");
      }
    }),
  );
});
