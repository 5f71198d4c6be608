/** Networks on the wire: one encoding each, hostile ones refused. */
import { deepEqual, equal, throws } from "node:assert/strict";
import { WireError } from "../../../mod/base/errors.ts";
import { networkFields, networkFrom } from "../../../mod/claim/network_codec.ts";
import type { WireValue } from "../../../mod/wire/codec.ts";

Deno.test("IPv4 is a number, IPv6 the bytes that its prefix reaches into", () => {
  deepEqual(networkFields("10.244.7.0/24"), [0x0af40700, 24]);
  deepEqual(networkFields("fd00:10:244:7::/64"), [
    Uint8Array.fromHex("fd00001002440007"),
    64,
  ]);
  deepEqual(networkFields("fd00::8000/113"), [
    Uint8Array.fromHex("fd0000000000000000000000000080"),
    113,
  ]);
  deepEqual(networkFields("::/0"), [new Uint8Array(0), 0]);
  equal(networkFrom(new Uint8Array(0), 0, "it"), "::/0");
  equal(networkFrom(Uint8Array.fromHex("fd"), 8, "it"), "fd00::/8");
});

const WRONG: readonly (readonly [string, WireValue, WireValue, RegExp])[] = [
  ["too few bytes", new Uint8Array(7), 64, /it: 7 bytes instead of 8/],
  ["too many bytes", new Uint8Array(9), 64, /it: 9 bytes, at most 8 are allowed/],
  ["a length beyond the address", new Uint8Array(17), 129, /it length: 129, at most 128/],
  ["a negative length", new Uint8Array(0), -1, /it length: not a whole number/],
  ["no length", new Uint8Array(8), null, /it length: not a whole number/],
  ["host bits in the last byte", Uint8Array.fromHex("fd01"), 15, /it: host bits are set/],
  ["text", "fd00::", 64, /it: not a whole number/],
  ["an IPv4 address with an IPv6 length", 0x0af40700, 64, /it length: 64, at most 32/],
  ["IPv4 with host bits", 0x0af40701, 24, /it: host bits are set/],
  ["a number of more than 32 bits", 2 ** 40, 24, /at most 4294967295/],
];

for (const [what, first, second, reason] of WRONG) {
  Deno.test(`${what}: refused`, () => {
    throws(() => networkFrom(first, second, "it"), (error: unknown) => {
      return error instanceof WireError && reason.test(error.message);
    });
  });
}

Deno.test("a reader may allow shorter prefixes only", () => {
  const limits = { ipv4: 30, ipv6: 126 };
  throws(() => networkFrom(0, 31, "it", limits), /at most 30/);
  throws(() => networkFrom(new Uint8Array(16), 127, "it", limits), /at most 126/);
  equal(networkFrom(new Uint8Array(16), 126, "it", limits), "::/126");
});
