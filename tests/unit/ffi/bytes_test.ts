/** Buffers that the kernel may use. */
import { strict as assert } from "node:assert";
import { cInt, cString, hex, pinnedBytes } from "../../../ffi/bytes.ts";

Deno.test("buffers for the kernel are never small enough to be moved", () => {
  for (const length of [0, 1, 64, 65, 5000]) {
    const bytes = pinnedBytes(length);
    assert.equal(bytes.length, length);
    assert(bytes.buffer.byteLength > 64);
  }
  assert.equal(hex(cInt(-2)), "fe ff ff ff");
  assert.equal(hex(cString("é")), "c3 a9 00");
  assert.throws(() => cString("a\0b"), /NUL/);
});
