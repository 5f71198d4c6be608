/** Each message is read back as it was written, and refused when any field is wrong. */
import assert from "node:assert/strict";
import { WireError } from "../../../mod/base/errors.ts";
import { decode, encode, type WireValue } from "../../../mod/wire/codec.ts";
import { INCARNATION_MAX } from "../../../mod/wire/member_record.ts";
import { decodeMessage, type Message } from "../../../mod/wire/messages.ts";
import { encodeRefusal, readRefusal } from "../../../mod/wire/refusal.ts";
import { SAMPLES } from "./samples.ts";

for (const { name, bytes, message } of SAMPLES) {
  Deno.test(`${name} is read back as it was written`, () => {
    assert.deepEqual(decodeMessage(bytes), message);
  });

  Deno.test(`${name} with a field too many, too few or of another type is refused`, () => {
    const fields = decode(bytes) as readonly WireValue[];
    const wrong: WireValue[][] = [[...fields, 1], fields.slice(0, -1)];
    for (let index = 1; index < fields.length; index++) {
      for (const value of [true, null, "", new Uint8Array(5000), [[[]]], 2 ** 52]) {
        // Some fields accept some of these: what is accepted must at least be read as the same.
        wrong.push(fields.with(index, value));
      }
    }
    for (const changed of wrong) {
      let read: Message;
      try {
        read = decodeMessage(encode(changed));
      } catch (error) {
        assert.ok(error instanceof WireError, String(error));
        continue;
      }
      assert.equal(read.kind, message.kind);
      assert.notDeepEqual(read, message);
    }
  });
}

Deno.test("an unknown type is read as unknown, whatever its fields", () => {
  assert.deepEqual(decodeMessage(encode([99, "later", [1]])), { kind: "unknown", type: 99 });
});

Deno.test("what is no message is refused", () => {
  for (const value of [1, "ping", [], ["ping"], [256], [[1]], Array(65).fill(1)]) {
    assert.throws(() => decodeMessage(encode(value)), WireError);
  }
});

function alive(changes: { at: number; value: WireValue }): Uint8Array {
  const sample = SAMPLES.find(({ name }) => name === "alive");
  assert(sample !== undefined);
  return encode((decode(sample.bytes) as readonly WireValue[]).with(changes.at, changes.value));
}

const BAD_ALIVE: [string, number, WireValue, RegExp][] = [
  ["an incarnation above the limit", 1, INCARNATION_MAX + 1, /alive incarnation/],
  ["an id of 15 bytes", 2, new Uint8Array(15), /alive id: 15 bytes instead of 16/],
  ["an instance of 9 bytes", 3, new Uint8Array(9), /alive instance/],
  ["an empty name", 4, "", /alive name: 0 characters/],
  ["a name of 64 characters", 4, "n".repeat(64), /alive name: 64 characters/],
  ["a name that moves the cursor", 4, "a\u001b[2J", /alive name: unprintable/],
  ["an endpoint without a port", 5, new Uint8Array([10, 0, 0, 1, 0, 0]), /alive endpoint: port 0/],
  ["an endless version", 6, "1".repeat(33), /alive version/],
  ["a protocol of two bytes", 8, 256, /alive highest protocol: 256/],
  ["protocols the wrong way round", 7, 2, /alive: protocols from 2 down to 1/],
  ["features beyond 32 bits", 9, 2 ** 32, /alive features/],
];

for (const [what, at, value, message] of BAD_ALIVE) {
  Deno.test(`alive with ${what} is refused, and the error names the field`, () => {
    assert.throws(() => decodeMessage(alive({ at, value })), message);
  });
}

Deno.test("a refusal is told from any sealed frame and says why", () => {
  assert.equal(readRefusal(encodeRefusal("other-key"))?.text, "gossip keys differ");
  assert.match(readRefusal(new Uint8Array([0, 200]))?.text ?? "", /unknown reason 200/);
  assert.match(readRefusal(new Uint8Array([0]))?.text ?? "", /unknown reason/);
  assert.equal(readRefusal(new Uint8Array([1, 0])), null);
  assert.equal(readRefusal(new Uint8Array()), null);
});
