/** Verdicts of the kernel with the words that come with them. */
import { strict as assert } from "node:assert";
import { decodeAcknowledgement } from "../../../ffi/netlink/acknowledgement.ts";
import { NetlinkFormatError } from "../../../ffi/netlink/error.ts";
import { type NetlinkMessage, parseMessages } from "../../../ffi/netlink/message.ts";
import { viewOf } from "../../../ffi/bytes.ts";
import { fromHex } from "../../golden/ffi/message_text.ts";

/** ENODEV for an echoed request of 16 bytes, with "no device" and the offset 24. */
function refusal(): NetlinkMessage {
  const [message] = parseMessages(fromHex(
    "3c000000 02000002 07000000 00000000 edffffff 10000000 10000500 07000000 00000000" +
      "0e000100 6e6f20646576696365000000 08000200 18000000",
  ));
  assert(message !== undefined);
  return message;
}

Deno.test("a refusal has the kernel's own words and where it found fault", () => {
  const error = decodeAcknowledgement(refusal(), "link show 9");
  assert.deepEqual([error?.code, error?.extack, error?.offset], ["ENODEV", "no device", 24]);
});

Deno.test("an echoed request longer than its verdict is refused as malformed", () => {
  for (const length of [45, 0x7fff_fffd, 0xffff_ff9a]) {
    const message = refusal();
    viewOf(message.payload).setUint32(4, length, true);
    assert.throws(() => decodeAcknowledgement(message, "link show 9"), NetlinkFormatError);
  }
});
