/** Several messages in one datagram. */
import assert from "node:assert/strict";
import { crc32 } from "../../../mod/wire/checksum.ts";
import { joinParts, splitParts } from "../../../mod/wire/parts.ts";

function messages(...lengths: number[]): Uint8Array[] {
  return lengths.map((length, index) => new Uint8Array(length).fill(index + 1));
}

Deno.test("messages come out of a datagram as they went in", () => {
  const parts = messages(1, 300, 7, 1000);
  assert.deepEqual(splitParts(joinParts(parts)), parts);
});

Deno.test("a datagram cut anywhere but between messages gives none at all", () => {
  const payload = joinParts(messages(5, 6, 7));
  for (let length = 0; length < payload.length; length++) {
    if (length === 7 || length === 15) continue; // whole messages: the checksum finds this one
    assert.throws(() => splitParts(payload.subarray(0, length)), /truncated|empty/);
  }
});

Deno.test("empty messages and too many messages are refused", () => {
  assert.throws(() => splitParts(new Uint8Array([0, 0])), /truncated/);
  assert.throws(() => splitParts(joinParts(messages(...Array(129).fill(1)))), /more than 128/);
  assert.equal(splitParts(joinParts(messages(...Array(128).fill(1)))).length, 128);
});

Deno.test("the checksum is CRC-32 as IEEE 802.3 has it, also in pieces", () => {
  const bytes = new TextEncoder().encode("123456789");
  assert.equal(crc32(bytes), 0xcbf43926);
  assert.equal(crc32(bytes, 4, 9, crc32(bytes, 0, 4)), 0xcbf43926);
});
