/** A set of networks says of each network what comparing it with all of them would say. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { cidrsOverlap, formatNetwork, networkOf } from "../../../mod/address/network.ts";
import { NetworkSet } from "../../../mod/address/network_set.ts";

/** Of 10.0.0.0/24 or thereabouts, so that they often meet. */
const network = fc.record({
  low: fc.integer({ min: 0, max: 255 }),
  length: fc.integer({ min: 22, max: 32 }),
}).map(({ low, length }) => formatNetwork(networkOf(0x0a00_0000 + low, length)));

Deno.test("a network overlaps a set exactly when it overlaps one of its networks", () => {
  fc.assert(
    fc.property(fc.array(network, { maxLength: 8 }), network, (networks, asked) => {
      const expected = networks.some((other) => cidrsOverlap(other, asked));
      assert.equal(new NetworkSet(networks).overlaps(asked), expected);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("the ends of the address space are in no way special", () => {
  const set = new NetworkSet(["0.0.0.0/8", "255.255.255.255/32"]);
  assert.deepEqual(
    ["0.0.0.0/32", "0.255.255.255/32", "1.0.0.0/32", "255.255.255.254/32", "255.255.255.254/31"]
      .map((cidr) => set.overlaps(cidr)),
    [true, true, false, false, true],
  );
});
