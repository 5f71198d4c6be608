/** ICMP echo packets (RFC 792, RFC 4443) and the Internet checksum (RFC 1071). */
import { strict as assert } from "node:assert";
import { hex } from "../../../ffi/bytes.ts";
import { decodeEcho, encodeEcho, internetChecksum } from "../../../ffi/echo_message.ts";

Deno.test("the Internet checksum is that of RFC 1071's example", () => {
  const example = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
  assert.equal(internetChecksum(example), ~0xddf2 & 0xffff);
  assert.equal(internetChecksum(Uint8Array.of(0x01)), 0xfeff, "an odd byte is the high one");
});

Deno.test("an echo request is an ICMP packet whose checksum is right", () => {
  const packet = encodeEcho(4, 0x1234, 0x5678, 3);
  assert.equal(internetChecksum(packet), 0);
  assert.equal(hex(packet.subarray(4)), "12 34 56 78 00 01 02");
  assert.equal(hex(packet.subarray(0, 2)), "08 00");
  assert.equal(hex(encodeEcho(6, 1, 2, 0)), "80 00 00 00 00 01 00 02");
});

Deno.test("an echo reply is taken from its IP packet, and nothing else is", () => {
  const header = Uint8Array.from({ length: 24 }, (_, index) => index === 0 ? 0x46 : 0);
  const reply = Uint8Array.of(...header, 0, 0, 0, 0, 0x12, 0x34, 0, 9, 1, 2, 3);
  assert.deepEqual(decodeEcho(4, reply, 0x1234), { sequence: 9, payloadBytes: 3 });
  assert.equal(decodeEcho(4, reply, 0x1235), null, "another's");
  assert.equal(decodeEcho(4, reply.with(24, 8), 0x1234), null, "a request");
  assert.equal(decodeEcho(4, reply.slice(0, 31), 0x1234), null, "cut");
  assert.equal(decodeEcho(4, new Uint8Array(), 0x1234), null, "empty");
  const six = Uint8Array.of(129, 0, 0, 0, 0x12, 0x34, 0, 7);
  assert.deepEqual(decodeEcho(6, six, 0x1234), { sequence: 7, payloadBytes: 0 });
});
