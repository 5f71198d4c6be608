/** ARP probes, byte by byte (RFC 826, RFC 5227). */
import assert from "node:assert/strict";
import { decodeArpSender, encodeArpProbe } from "../../../ffi/arp.ts";

Deno.test("an ARP probe asks in nobody's name, and its sender can be read", () => {
  const probe = encodeArpProbe("02:00:00:00:00:01", "192.168.100.1");
  assert.equal(
    probe.toHex(),
    "0001" + "0800" + "06" + "04" + "0001" + "020000000001" + "00000000" + "000000000000" +
      "c0a86401",
  );
  assert.deepEqual(decodeArpSender(probe), { address: "0.0.0.0", mac: "02:00:00:00:00:01" });
  assert.equal(decodeArpSender(probe.subarray(0, 27)), null);
  const other = probe.slice();
  other[0] = 1;
  assert.equal(decodeArpSender(other), null);
});
