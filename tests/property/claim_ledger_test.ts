/** Merging is associative, commutative and idempotent: equal records, equal owners; and a fence only rises. */
import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { cidrsOverlap } from "../../mod/address/network.ts";
import { Ledger } from "../../mod/claim/ledger.ts";
import { compareClaims } from "../../mod/claim/order.ts";
import type { ClaimRecord } from "../../mod/claim/record.ts";
import { decodeRecord, encodeRecord } from "../../mod/claim/record_codec.ts";
import { claims } from "./claim_records.ts";

const records = fc.array(claims(), { minLength: 1, maxLength: 14 });

function merge(ledger: Ledger, claim: ClaimRecord): void {
  ledger.merge(0, claim, encodeRecord(claim));
}

function ledgerOf(list: readonly ClaimRecord[]): Ledger {
  const ledger = new Ledger();
  for (const claim of list) merge(ledger, claim);
  return ledger;
}

/** Takes over everything that another host knows. */
function absorb(ledger: Ledger, other: Ledger): void {
  for (const { bytes } of other.entries()) ledger.merge(0, decodeRecord(bytes), bytes);
  for (const { subnet, epoch } of other.fence.entries()) ledger.mergeFence(0, subnet, epoch);
}

/** All that hosts which know the same must agree on. */
function verdict(ledger: Ledger) {
  return {
    records: ledger.entries().map(({ bytes }) => bytes.toHex()),
    fence: ledger.fence.entries(),
    owners: ledger.owners(),
  };
}

Deno.test("whatever the order of arrival and however often, the verdict is the same", () => {
  const arrivals = records.chain((list) =>
    fc.tuple(
      fc.constant(list),
      fc.shuffledSubarray([...list, ...list, ...list], { minLength: 3 * list.length }),
    )
  );
  fc.assert(fc.property(arrivals, ([list, shuffled]) => {
    deepEqual(verdict(ledgerOf(shuffled)), verdict(ledgerOf(list)));
  }));
});

Deno.test("whatever the grouping, the verdict is the same", () => {
  fc.assert(fc.property(records, records, records, (one, two, three) => {
    const left = ledgerOf(one);
    absorb(left, ledgerOf(two));
    absorb(left, ledgerOf(three));
    const middle = ledgerOf(two);
    absorb(middle, ledgerOf(three));
    const right = ledgerOf(one);
    absorb(right, middle);
    const all = verdict(ledgerOf([...three, ...one, ...two]));
    deepEqual(verdict(left), all);
    deepEqual(verdict(right), all);
  }));
});

Deno.test("merging what is known changes nothing", () => {
  fc.assert(fc.property(records, (list) => {
    const ledger = ledgerOf(list);
    const before = verdict(ledger);
    ledger.takeRoutesChanged();
    absorb(ledger, ledgerOf(list));
    deepEqual(verdict(ledger), before);
    equal(ledger.takeRoutesChanged(), false);
  }));
});

Deno.test("a fence never falls, and is at least what was held", () => {
  fc.assert(fc.property(records, (list) => {
    const ledger = new Ledger();
    const highest = new Map<string, number>();
    for (const claim of list) {
      merge(ledger, claim);
      for (const [subnet, epoch] of highest) ok(ledger.fence.exactly(subnet) >= epoch);
      for (const { subnet, epoch } of ledger.fence.entries()) highest.set(subnet, epoch);
      if (claim.strength > 0) ok(ledger.fence.of(claim.subnet) >= claim.epoch);
    }
  }));
});

Deno.test("owners hold, do not overlap, and nobody of higher rank was passed over", () => {
  fc.assert(fc.property(records, (list) => {
    const ledger = ledgerOf(list);
    const owners = ledger.owners();
    const eligible = ledger.entries().map(({ record }) => record).filter((claim) =>
      claim.state === "held" && claim.epoch >= ledger.fence.of(claim.subnet)
    );
    for (const owner of owners) ok(eligible.includes(owner));
    for (const claim of eligible) {
      const above = owners.filter((owner) => cidrsOverlap(owner.subnet, claim.subnet));
      if (owners.includes(claim)) deepEqual(above, [claim]);
      else ok(above.some((owner) => compareClaims(owner, claim) > 0));
    }
  }));
});

Deno.test("routes are held claims that do not overlap, one for each subnet that has an owner", () => {
  fc.assert(fc.property(records, (list) => {
    const ledger = new Ledger();
    for (const claim of list) {
      merge(ledger, claim);
      const routed = ledger.routed();
      for (const [index, route] of routed.entries()) {
        equal(route.state, "held");
        ok(routed.slice(index + 1).every((other) => !cidrsOverlap(other.subnet, route.subnet)));
      }
      for (const owner of ledger.owners()) {
        ok(routed.some((route) => cidrsOverlap(route.subnet, owner.subnet)));
      }
    }
  }));
});

Deno.test("routes change only when told", () => {
  fc.assert(fc.property(records, (list) => {
    const ledger = new Ledger();
    const routes = () =>
      ledger.routed().map(({ hostId, subnet, vtep }) => ({ hostId, subnet, vtep }));
    let before = routes();
    for (const claim of list) {
      merge(ledger, claim);
      const isChanged = JSON.stringify(routes()) !== JSON.stringify(before);
      equal(ledger.takeRoutesChanged(), isChanged);
      before = routes();
    }
  }));
});
