/** What this process may do, read from the text of /proc/self/status. */
import { strict as assert } from "node:assert";
import { hasCapability, parseEffectiveCapabilities } from "../../../ffi/capability.ts";

Deno.test("capabilities are read from the status of the process", () => {
  assert.equal(parseEffectiveCapabilities("Name:\tx\nCapEff:\t0000000000003000\nX:\n"), 0x3000n);
  assert.throws(() => parseEffectiveCapabilities("CapPrm: 0"), /CapEff/);
  assert.equal(typeof hasCapability("CAP_NET_ADMIN"), "boolean");
});
