/** Seeds become endpoints: addresses at once, names by the system's resolver. */
import assert from "node:assert/strict";
import { resolveSeed } from "../../../mod/host/resolve.ts";

Deno.test("an address needs no waiting, and takes the default port when it has none", () => {
  assert.deepEqual(resolveSeed("10.0.0.1", 7947), ["10.0.0.1:7947"]);
  assert.deepEqual(resolveSeed("10.0.0.1:1", 7947), ["10.0.0.1:1"]);
});

Deno.test("hosts that talk over IPv6 resolve to it, and to nothing else", async () => {
  assert.deepEqual(resolveSeed("fd00::1", 7947, 6), ["[fd00::1]:7947"]);
  await assert.rejects(async () => await resolveSeed("10.0.0.1", 7947, 6), /is an IPv4 address/);
  await assert.rejects(async () => await resolveSeed("fd00::1", 7947), /is an IPv6 address/);
});

Deno.test("a name is looked up", async () => {
  assert.deepEqual([...new Set(await resolveSeed("localhost:9", 7947))], ["127.0.0.1:9"]);
});
