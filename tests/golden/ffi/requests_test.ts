/** Every request gossamer sends, byte for byte, and against what iproute2 sends for the same. */
import { strict as assert } from "node:assert";
import { hex } from "../../../ffi/bytes.ts";
import { bytesOf, describeMessage, differences, fromHex } from "./message_text.ts";
import { REQUESTS } from "./request_table.ts";

for (const row of REQUESTS) {
  Deno.test(`the bytes of "${row.command}" stay as they are`, () => {
    assert.equal(hex(bytesOf(row.request())), hex(fromHex(row.bytes)));
  });

  const { iproute2 } = row;
  if (iproute2 === undefined) continue;
  Deno.test(`iproute2 means the same by "${row.command}"`, () => {
    const theirs = describeMessage(fromHex(iproute2));
    const ours = describeMessage(bytesOf(row.request()));
    assert.deepEqual(differences(theirs, ours), row.differs ?? []);
  });
}
