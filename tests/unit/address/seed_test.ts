/** What counts as a seed, from flags and over the control socket alike. */
import assert from "node:assert/strict";
import { AddressError } from "../../../mod/address/parse.ts";
import { parseSeed } from "../../../mod/address/seed.ts";

Deno.test("a seed is an address or a name, with or without a port", () => {
  assert.deepEqual(parseSeed("10.0.0.1"), { host: "10.0.0.1", port: null, isAddress: true });
  assert.deepEqual(parseSeed("10.0.0.1:1"), { host: "10.0.0.1", port: 1, isAddress: true });
  assert.deepEqual(parseSeed("node-1.lan:65535"), {
    host: "node-1.lan",
    port: 65_535,
    isAddress: false,
  });
});

const WRONG: readonly [seed: string, reason: RegExp][] = [
  ["", /neither a host name nor/],
  ["a:b:c", /looks like IPv6/],
  ["[::1]:7947", /looks like IPv6/],
  ["h1:0", /port that is not a number from 1 to 65535/],
  ["h1:65536", /port that is not/],
  ["h1:", /port that is not/],
  ["10.1", /neither a host name nor an IPv4 address/],
  ["999.1.1.1", /neither/],
  ["a b", /neither/],
  ["-h1", /neither/],
  ["x".repeat(300), /neither/],
];

for (const [seed, reason] of WRONG) {
  Deno.test(`${JSON.stringify(seed.slice(0, 20))} is no seed, and the error says why`, () => {
    assert.throws(() => parseSeed(seed), (error) => {
      assert(error instanceof AddressError);
      assert.match(error.message, reason);
      return true;
    });
  });
}
