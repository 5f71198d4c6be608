/** The order of claims: each field in its place, and the explanation in words. */
import { equal, match } from "node:assert/strict";
import { compareClaims, explainOrder, outranks, tieHash } from "../../../mod/claim/order.ts";
import { hostId, record } from "./samples.ts";

const other = hostId(2);

Deno.test("the higher epoch wins, whatever else", () => {
  const high = record({ epoch: 2, strength: 1, stamp: 9 });
  const low = record({ hostId: other, epoch: 1, strength: 6, stamp: 1 });
  equal(outranks(high, low), true);
  equal(outranks(low, high), false);
  equal(
    explainOrder(low, high),
    "the higher epoch wins: 2 against 1",
  );
});

Deno.test("at equal epoch the greater strength wins: held over tentative, majority over few, pin over all", () => {
  const ranks = [0, 1, 2, 5, 6].map((strength) => record({ strength, stamp: 10 - strength }));
  for (const [index, claim] of ranks.entries()) {
    for (const lower of ranks.slice(0, index)) {
      equal(outranks(claim, { ...lower, hostId: other, stamp: 0 }), true);
    }
  }
  equal(
    explainOrder(record({ strength: 2 }), record({ hostId: other })),
    "equal epoch 1; the greater strength wins: 2 (held, a majority knows) against 1 (held)",
  );
});

Deno.test("at equal strength the older stamp wins", () => {
  const older = record({ stamp: 4 });
  const younger = record({ hostId: other, stamp: 5 });
  equal(outranks(older, younger), true);
  match(explainOrder(younger, older), /the older stamp wins: 4 against 5$/);
});

Deno.test("among equals the lower hash of host id and subnet wins, not the lower id", () => {
  const winners = new Set<string>();
  for (let third = 0; third < 64; third++) {
    const subnet = `10.244.${third}.0/24`;
    const [one, two] = [record({ subnet }), record({ subnet, hostId: other })];
    equal(outranks(one, two), tieHash(one) < tieHash(two));
    winners.add(outranks(one, two) ? "one" : "two");
  }
  equal(winners.size, 2, "each host wins somewhere");
});

Deno.test("neither member state, tunnel end point, sequence nor instance is part of the order", () => {
  const one = record();
  const changed = record({
    instance: "00000000000000ff",
    generation: 9,
    sequence: 7,
    poolDigest: "0000000000000000",
    vtep: { address: "198.51.100.1", port: 1, mac: "02:00:00:00:00:09" },
    absenceTtlHours: 1,
  });
  equal(compareClaims(one, changed), 0);
  match(explainOrder(one, changed), /of equal rank$/);
});
