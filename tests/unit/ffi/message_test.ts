/** Netlink headers: written, parsed, refused when their lengths are impossible. */
import { strict as assert } from "node:assert";
import { hex, viewOf } from "../../../ffi/bytes.ts";
import {
  align,
  encodeMessage,
  formatFlags,
  messageBytes,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REQUEST,
  parseMessages,
  writeMessage,
} from "../../../ffi/netlink/message.ts";
import { messageTypeName, RTM } from "../../../ffi/route/family.ts";
import { datagramOf } from "./scripted_datagrams.ts";

const MESSAGE = {
  type: 0x1234,
  flags: 0x0506,
  sequence: 0x0708090a,
  port: 0x0b0c0d0e,
  payload: Uint8Array.of(1, 2, 3, 4, 5),
};

Deno.test("a message is a header in host order and a padded payload", () => {
  assert.equal(
    hex(encodeMessage(MESSAGE)),
    "15 00 00 00 34 12 06 05 0a 09 08 07 0e 0d 0c 0b 01 02 03 04 05 00 00 00",
  );
});

Deno.test("a message is parsed as it was written, without its padding", () => {
  assert.deepEqual(parseMessages(encodeMessage(MESSAGE)), [MESSAGE]);
});

Deno.test("a datagram holds several messages, and its last may lack its padding", () => {
  const bytes = datagramOf([MESSAGE, { type: 3 }, MESSAGE]);
  assert.deepEqual(parseMessages(bytes).map(({ type }) => type), [0x1234, 3, 0x1234]);
  assert.equal(parseMessages(bytes.subarray(0, bytes.length - 3)).length, 3);
  assert.deepEqual(parseMessages(new Uint8Array()), []);
});

Deno.test("lengths are aligned to four bytes", () => {
  assert.deepEqual([0, 1, 4, 5, 8].map(align), [0, 4, 4, 8, 8]);
  assert.deepEqual([0, 1, 5].map(messageBytes), [16, 20, 24]);
});

for (
  const [what, change] of [
    ["is shorter than a header", (bytes: Uint8Array) => bytes.slice(0, 15)],
    ["claims fewer bytes than its header has", (bytes: Uint8Array) => lengthSet(bytes, 15)],
    ["claims no bytes", (bytes: Uint8Array) => lengthSet(bytes, 0)],
    ["claims more bytes than there are", (bytes: Uint8Array) => lengthSet(bytes, 25)],
    ["claims four gigabytes", (bytes: Uint8Array) => lengthSet(bytes, 0xffff_ffff)],
  ] as const
) {
  Deno.test(`a message that ${what} is refused`, () => {
    assert.throws(() => parseMessages(change(encodeMessage(MESSAGE))), {
      name: "NetlinkFormatError",
    });
  });
}

Deno.test("a header that claims to be shorter than a header is refused", () => {
  const header = encodeMessage({ ...MESSAGE, payload: new Uint8Array() });
  for (const length of [4, 8, 15]) {
    assert.throws(() => parseMessages(lengthSet(header, length)), { name: "NetlinkFormatError" });
  }
});

Deno.test("padding is zero whatever the buffer held", () => {
  const buffer = new Uint8Array(messageBytes(5) + 1).fill(0xff);
  const end = writeMessage(buffer, viewOf(buffer), 0, MESSAGE);
  assert.equal(end, 24);
  assert.equal(hex(buffer.subarray(20)), "05 00 00 00 ff");
});

function lengthSet(bytes: Uint8Array, length: number): Uint8Array {
  viewOf(bytes).setUint32(0, length, true);
  return bytes;
}

Deno.test("flags print by their names in each context", () => {
  const create = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
  assert.equal(formatFlags(create, "new"), "REQUEST|ACK|EXCL|CREATE");
  assert.equal(formatFlags(NLM_F_REQUEST | NLM_F_DUMP, "get"), "REQUEST|ROOT|MATCH");
  assert.equal(formatFlags(0x300, "reply"), "CAPPED|ACK_TLVS");
  assert.equal(formatFlags(0x8012, "new"), "MULTI|DUMP_INTR|0x8000");
  assert.equal(formatFlags(0, "get"), "0");
});

Deno.test("message types print by their names", () => {
  assert.equal(messageTypeName(RTM.NEWROUTE), "RTM_NEWROUTE");
  assert.equal(messageTypeName(99), "type 99");
});
