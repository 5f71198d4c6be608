/** What counts as a seed, from flags and over the control socket alike. */
import assert from "node:assert/strict";
import { AddressError } from "../../../mod/address/parse.ts";
import { otherFamily, parseSeed } from "../../../mod/address/seed.ts";

Deno.test("a seed is an address or a name, with or without a port", () => {
  assert.deepEqual(parseSeed("10.0.0.1"), { host: "10.0.0.1", port: null, isAddress: true });
  assert.deepEqual(parseSeed("10.0.0.1:1"), { host: "10.0.0.1", port: 1, isAddress: true });
  assert.deepEqual(parseSeed("node-1.lan:65535"), {
    host: "node-1.lan",
    port: 65_535,
    isAddress: false,
  });
});

Deno.test("an IPv6 seed stands in brackets when it has a port, and is canonical", () => {
  const seed = { host: "fd00::1", port: null, isAddress: true };
  assert.deepEqual(parseSeed("fd00::1"), seed);
  assert.deepEqual(parseSeed("[fd00::1]"), seed);
  assert.deepEqual(parseSeed("[FD00:0:0::0001]:7948"), { ...seed, port: 7948 });
  assert.deepEqual(parseSeed("fd00::1:7947"), { ...seed, host: "fd00::1:7947" });
  assert.equal(parseSeed("[::1]:7947").host, "::1");
});

Deno.test("an address of the other family is told; of a name nobody knows before", () => {
  assert.equal(otherFamily("10.0.0.1:1", 4), null);
  assert.equal(otherFamily("[fd00::1]:1", 6), null);
  assert.equal(otherFamily("node-1", 6), null);
  assert.match(
    otherFamily("10.0.0.1", 6) ?? "",
    /^10\.0\.0\.1 is an IPv4 address, and .* over IPv6/,
  );
  assert.match(otherFamily("fd00::1", 4) ?? "", /^fd00::1 is an IPv6 address, and .* over IPv4/);
});

const WRONG: readonly [seed: string, reason: RegExp][] = [
  ["", /neither a host name nor/],
  ["a:b:c", /is not an IPv6 address/],
  ["[::1", /is not an IPv6 address/],
  ["[]:1", /is not an IPv6 address/],
  ["[h1]:1", /is not an IPv6 address/],
  ["[::1]:", /port that is not/],
  ["[::1]7947", /is not an IPv6 address/],
  ["[10.0.0.1]:1", /is not an IPv6 address/],
  ["fe80::1", /link-local: it means another host on each link/],
  ["fe80::1%eth0", /is not an IPv6 address/],
  ["[::ffff:a00:1]:1", /not an address that a host can be reached at/],
  ["ff02::1", /not an address that a host can be reached at/],
  ["::", /not an address that a host can be reached at/],
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
