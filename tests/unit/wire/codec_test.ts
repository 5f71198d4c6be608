/** The codec: what goes in comes out, what is hostile is refused unread. */
import assert from "node:assert/strict";
import * as cborg from "cborg";
import { WireError } from "../../../mod/base/errors.ts";
import { decode, encode, type WireValue } from "../../../mod/wire/codec.ts";

const VALUES: WireValue[] = [
  0,
  23,
  24,
  255,
  256,
  65_535,
  65_536,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 50,
  Number.MAX_SAFE_INTEGER,
  "",
  "h1",
  "grüß",
  "x".repeat(300),
  true,
  false,
  null,
  new Uint8Array(),
  new Uint8Array(300).fill(7),
  [],
  [1, [2, ["x", new Uint8Array([1])]], null],
  [[2 ** 40, [2 ** 33]], 2 ** 53 - 1],
  Array.from({ length: 1000 }, (_, index) => index),
];

Deno.test("every kind of value survives encoding and decoding", () => {
  for (const value of VALUES) assert.deepEqual(decode(encode(value)), value);
});

Deno.test("an independent strict CBOR library writes the same bytes and reads them alike", () => {
  for (const value of VALUES) {
    assert.equal(encode(value).toHex(), cborg.encode(value).toHex());
    assert.deepEqual(cborg.decode(encode(value)), value);
  }
});

Deno.test("encoded bytes are not shared with later ones", () => {
  const first = encode(["one"]);
  const copy = first.slice();
  for (let round = 0; round < 1000; round++) encode(["two", round]);
  assert.deepEqual(first, copy);
});

Deno.test("decoded byte strings do not alias the receive buffer", () => {
  const bytes = encode([new Uint8Array([1, 2, 3])]);
  const [blob] = decode(bytes) as [Uint8Array];
  bytes.fill(0);
  assert.deepEqual([...blob], [1, 2, 3]);
});

const HOSTILE: [string, string, RegExp][] = [
  ["nothing at all", "", /truncated at byte 0/],
  ["a number whose argument is cut off", "19ff", /truncated/],
  ["a byte string longer than the rest", "4501", /string of 5 truncated/],
  ["an array of 4 billion items", "9affffffff", /array of 4294967295 truncated/],
  ["a byte string of 2^53 bytes", "5b0020000000000000", /2\^53/],
  ["an array that misses an item", "8201", /truncated/],
  ["a second item behind the first", "0101", /1 bytes too many/],
  ["a number that is not in its shortest form", "1817", /shortest/],
  ["a number in eight bytes that fits four", "1b0000000000000001", /shortest/],
  ["a length that is not in its shortest form", "580101", /shortest/],
  ["a number above 2^53 - 1", "1b0020000000000000", /2\^53/],
  ["a negative number", "20", /major type 1/],
  ["a map", "a10102", /major type 5/],
  ["a tag", "c101", /major type 6/],
  ["a half float", "f93c00", /float/],
  ["a double", "fb3ff8000000000000", /float/],
  ["undefined", "f7", /simple value/],
  ["a simple value in two bytes", "f820", /simple value/],
  ["an array of indefinite length", "9f01ff", /indefinite/],
  ["a break without a beginning", "ff", /simple value/],
  ["arrays nested too deep", "81".repeat(7) + "01", /nested deeper/],
  ["20,000 nested arrays", "81".repeat(20_000) + "01", /nested deeper/],
  ["more items than anything has", "9a000493e0" + "01".repeat(300_000), /more than/],
];

for (const [what, hex, message] of HOSTILE) {
  Deno.test(`refused: ${what}`, () => {
    assert.throws(() => decode(Uint8Array.fromHex(hex)), (error) => {
      assert.ok(error instanceof WireError);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("invalid UTF-8 does not crash the decoder", () => {
  const text = decode(Uint8Array.fromHex("63ff61fe"));
  assert.equal(typeof text, "string");
});
