/** What the kernel answered, byte for byte, and what it must be understood as. */
import { strict as assert } from "node:assert";
import { hex } from "../../../ffi/bytes.ts";
import { decodeAcknowledgement } from "../../../ffi/netlink/acknowledgement.ts";
import { encodeMessage, type NetlinkMessage, parseMessages } from "../../../ffi/netlink/message.ts";
import { fromHex } from "./message_text.ts";
import { REPLIES } from "./reply_table.ts";

function only(text: string): NetlinkMessage {
  const [message, ...rest] = parseMessages(fromHex(text));
  assert(message !== undefined && rest.length === 0);
  return message;
}

for (const row of REPLIES) {
  Deno.test(`the kernel's answer to "${row.command}" is understood`, () => {
    const message = only(row.bytes);
    assert.deepEqual(row.decode(message), row.means);
    assert.equal(hex(encodeMessage(message)), hex(fromHex(row.bytes)));
  });
}

/** Verdicts recorded from the same kernel; all but the last are NLMSG_ERROR. */
const VERDICTS = [
  {
    name: "an acknowledgement is no error",
    bytes: "240000000200000107000000000000000000000020000000130005000700000000000000",
    says: null,
  },
  {
    // ip route add 10.9.0.0/24 via 1.2.3.4 dev lo
    name: "an error brings the kernel's words",
    bytes: `44000000020000030700000000000000 9bffffff 34000000180005060700000000000000
      20000100 4e657874686f702068617320696e76616c6964206761746577617900`,
    says: { code: "ENETUNREACH", extack: "Nexthop has invalid gateway", offset: null },
  },
  {
    // ip link delete dev 99, of which no device has the index
    name: "an error without words is an error",
    bytes: "24000000020000010700000000000000 edffffff 20000000110005000700000000000000",
    says: { code: "ENODEV", extack: null, offset: null },
  },
  {
    // IFLA_MTU with a value of two bytes
    name: "an error points at the attribute",
    bytes: `78000000020000030700000000000000deffffff2600000013000500070000000000000027000100
      417474726962757465206661696c656420706f6c6963792076616c69646174696f6e000008000200
      20000000240004800c00040000000000000000000c000500ffffffff000000000800010004000000`,
    says: { code: "ERANGE", extack: "Attribute failed policy validation", offset: 32 },
  },
  {
    // ip route show table 9999
    name: "a dump that fails says so at its end",
    bytes: `38000000030022020700000000000000 feffffff
      23000100 697076343a20464942207461626c6520646f6573206e6f742065786973740000`,
    says: { code: "ENOENT", extack: "ipv4: FIB table does not exist", offset: null },
  },
];

for (const { name, bytes, says } of VERDICTS) {
  Deno.test(name, () => {
    const verdict = decodeAcknowledgement(only(bytes), "the request");
    const { code, extack, offset } = verdict ?? {};
    assert.deepEqual(verdict === null ? null : { code, extack, offset }, says);
    if (verdict !== null) assert.equal(verdict.sequence, 7);
  });
}
