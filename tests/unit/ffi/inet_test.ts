/** Addresses as text and bytes, against RFC 5952's examples and glibc's inet_pton(3). */
import { strict as assert } from "node:assert";
import { hex } from "../../../ffi/bytes.ts";
import {
  addressToBytes,
  bytesToAddress,
  bytesToMac,
  familyOf,
  macToBytes,
  parsePrefix,
} from "../../../ffi/inet.ts";
import { randomFrom } from "./scripted_datagrams.ts";

const CANONICAL = [
  ["0.0.0.0", "00 00 00 00"],
  ["10.244.7.0", "0a f4 07 00"],
  ["255.255.255.255", "ff ff ff ff"],
  ["::", "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"],
  ["::1", "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01"],
  ["2001:db8::1", "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01"],
  // RFC 5952 §4.2.2: one group of zeros is not shortened.
  ["2001:db8:0:1:1:1:1:1", "20 01 0d b8 00 00 00 01 00 01 00 01 00 01 00 01"],
  // §4.2.3: the longest run, and of equals the first.
  ["2001:0:0:1::1", "20 01 00 00 00 00 00 01 00 00 00 00 00 00 00 01"],
  ["2001:db8::1:0:0:1", "20 01 0d b8 00 00 00 00 00 01 00 00 00 00 00 01"],
  ["1:2:3:4:5:6:7::", "00 01 00 02 00 03 00 04 00 05 00 06 00 07 00 00"],
  ["fd00:9::", "fd 00 00 09 00 00 00 00 00 00 00 00 00 00 00 00"],
  ["::ffff:10.0.0.1", "00 00 00 00 00 00 00 00 00 00 ff ff 0a 00 00 01"],
] as const;

for (const [text, bytes] of CANONICAL) {
  // A single zero group at the end cannot be shortened, though it may be written so.
  const canonical = text === "1:2:3:4:5:6:7::" ? "1:2:3:4:5:6:7:0" : text;
  Deno.test(`${text} is its bytes and back`, () => {
    assert.equal(hex(addressToBytes(text)), bytes);
    assert.equal(bytesToAddress(addressToBytes(text)), canonical);
  });
}

for (
  const [text, canonical] of [
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["2001:0db8::0001", "2001:db8::1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["::10.0.0.1", "::a00:1"],
    ["1::2:3", "1::2:3"],
  ] as const
) {
  Deno.test(`${text} is read and written as ${canonical}`, () => {
    assert.equal(bytesToAddress(addressToBytes(text)), canonical);
  });
}

for (
  const text of [
    "",
    "10.0.0",
    "10.0.0.0.0",
    "10.0.0.256",
    "10.0.0.01",
    "10.0.0.-1",
    "10.0.0.1 ",
    "a.b.c.d",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "12345::",
    "::g",
    "::1.2.3",
    "fe80::1%eth0",
  ]
) {
  Deno.test(`${JSON.stringify(text)} is no address`, () => {
    assert.throws(() => addressToBytes(text), /Not an IP address/);
  });
}

Deno.test("every address of random bytes is read back to the same bytes", () => {
  const random = randomFrom(3);
  for (let round = 0; round < 5000; round++) {
    const bytes = Uint8Array.from(
      { length: random(2) === 0 ? 4 : 16 },
      () => random(2) * random(256),
    );
    const text = bytesToAddress(bytes);
    assert(text !== null);
    assert.deepEqual(addressToBytes(text), bytes, text);
    assert.equal(familyOf(text), bytes.length === 4 ? 4 : 6);
  }
});

Deno.test("bytes of another length are no address", () => {
  assert.equal(bytesToAddress(new Uint8Array(6)), null);
});

Deno.test("MAC addresses are their bytes and back, in lower case", () => {
  assert.equal(hex(macToBytes("0A:bb:00:01:fe:ff")), "0a bb 00 01 fe ff");
  assert.equal(bytesToMac(macToBytes("0A:bb:00:01:fe:ff")), "0a:bb:00:01:fe:ff");
  for (
    const text of [
      "",
      "0a:bb:00:01:fe",
      "0a:bb:00:01:fe:ff:00",
      "0a-bb-00-01-fe-ff",
      "g0:bb:00:01:fe:ff",
    ]
  ) {
    assert.throws(() => macToBytes(text), /Not a MAC address/);
  }
});

Deno.test("networks have a prefix length within their family", () => {
  assert.deepEqual(parsePrefix("10.244.7.0/24"), {
    family: 4,
    bytes: Uint8Array.of(10, 244, 7, 0),
    length: 24,
  });
  assert.equal(parsePrefix("10.0.0.1").length, 32);
  assert.equal(parsePrefix("fd00::/128").length, 128);
  for (
    const text of ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/a", "fd00::/129", "/8"]
  ) {
    assert.throws(() => parsePrefix(text), /Not a/);
  }
});
