/** The ledger: merging, the fence, who owns and who is routed. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { FENCE_MAX } from "../../../mod/claim/fence.ts";
import { Ledger, TOMBSTONE_MS } from "../../../mod/claim/ledger.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import { encodeRecord } from "../../../mod/claim/record_codec.ts";
import { hostId, record } from "./samples.ts";

const S = "10.244.7.0/24";

function merge(ledger: Ledger, claim: ClaimRecord, nowMs = 0, ageMs = 0) {
  return ledger.merge(nowMs, claim, encodeRecord(claim), ageMs);
}

function ledgerOf(...records: ClaimRecord[]): Ledger {
  const ledger = new Ledger();
  for (const claim of records) merge(ledger, claim);
  return ledger;
}

const owners = (ledger: Ledger) => ledger.owners().map((claim) => claim.hostId);
const routed = (ledger: Ledger) => ledger.routed().map((claim) => claim.hostId);

Deno.test("the larger generation wins, then the larger sequence, in either order of arrival", () => {
  const old = record({ generation: 1, sequence: 9, epoch: 1 });
  const young = record({ generation: 2, sequence: 0, epoch: 2 });
  for (const pair of [[old, young], [young, old]]) {
    equal(ledgerOf(...pair).entry(hostId(1))?.record, young);
  }
  equal(merge(ledgerOf(young), old).kind, "old");
  equal(merge(ledgerOf(old), young).kind, "news");
  equal(merge(ledgerOf(old), old).kind, "old");
});

Deno.test("two different writes under one number are told and decided alike everywhere", () => {
  const one = record({ stamp: 1 });
  const two = record({ stamp: 2 });
  const forward = ledgerOf(one);
  equal(merge(forward, two).kind, "clone");
  const backward = ledgerOf(two);
  equal(merge(backward, one).kind, "clone");
  deepEqual(forward.entry(hostId(1))?.record, backward.entry(hostId(1))?.record);
});

Deno.test("the higher held claim owns the subnet, tentative and yielding ones never do", () => {
  const strong = record({ hostId: hostId(2), strength: 2 });
  deepEqual(owners(ledgerOf(record(), strong)), [hostId(2)]);
  deepEqual(owners(ledgerOf(record({ state: "tentative", strength: 0 }))), []);
  deepEqual(owners(ledgerOf(record(), { ...strong, state: "yielding" })), [hostId(1)]);
  deepEqual(owners(ledgerOf({ ...strong, state: "released" })), []);
});

Deno.test("claims of different prefix length contest each other", () => {
  const wide = record({ hostId: hostId(2), subnet: "10.244.6.0/23", strength: 2 });
  const narrow = record({ subnet: S });
  const beside = record({ hostId: hostId(3), subnet: "10.244.6.0/24" });
  deepEqual(owners(ledgerOf(narrow, wide, beside)), [hostId(2)]);
  // A claim that loses takes nothing from one that it alone overlaps.
  const strongest = record({ subnet: S, strength: 5 });
  deepEqual(owners(ledgerOf(strongest, wide, beside)), [hostId(1), hostId(3)]);
});

Deno.test("the fence is the highest epoch at which a subnet was held, and never falls", () => {
  const ledger = ledgerOf(record({ epoch: 7 }));
  merge(ledger, record({ sequence: 1, epoch: 9, state: "released" }));
  equal(ledger.fence.of(S), 9);
  merge(ledger, record({ sequence: 2, epoch: 3, state: "tentative", strength: 0 }));
  equal(ledger.fence.of(S), 9);
  merge(ledger, record({ hostId: hostId(2), epoch: 20, state: "tentative", strength: 0 }));
  equal(ledger.fence.of(S), 9, "a question raises no fence");
  equal(ledger.fence.of("10.244.6.0/23"), 9, "overlapping subnets share it");
  equal(ledger.fence.of("10.244.8.0/24"), 0);
  equal(ledger.mergeFence(0, S, 8), false);
  equal(ledger.mergeFence(0, S, 10), true);
  equal(ledger.fence.of(S), 10);
});

Deno.test("a record that arrives late still raises the fence", () => {
  const ledger = ledgerOf(record({ sequence: 5, subnet: "10.244.8.0/24" }));
  equal(merge(ledger, record({ sequence: 1, epoch: 4 })).kind, "old");
  equal(ledger.fence.of(S), 4);
});

Deno.test("nothing below the fence owns: an old claim does not rise from a forgotten tombstone", () => {
  const ledger = ledgerOf(record({ epoch: 1 }));
  merge(ledger, record({ sequence: 1, epoch: 2, state: "released" }));
  ledger.collect(TOMBSTONE_MS, () => true);
  equal(ledger.size, 0);
  merge(ledger, record({ epoch: 1 }));
  deepEqual(owners(ledger), []);
  deepEqual(routed(ledger), []);
});

Deno.test("what came back from an old disk below the fence occupies nothing", () => {
  const ledger = ledgerOf(record({ epoch: 1 }));
  equal(ledger.occupants(S, hostId(9)).length, 1);
  equal(ledger.occupants(S, hostId(1)).length, 0, "not for its own host");
  ledger.mergeFence(0, S, 2);
  equal(ledger.occupants(S, hostId(9)).length, 0);
});

Deno.test("tombstones are dropped after 24 hours, counted from when they were first seen anywhere", () => {
  const ledger = new Ledger();
  const tombstone = record({ state: "released" });
  equal(ledger.collect(0, () => true), Infinity);
  merge(ledger, tombstone, 1_000);
  equal(ledger.collect(1_000, () => true), 1_000 + TOMBSTONE_MS);
  merge(ledger, tombstone, 2_000, 5_000); // a peer saw it four seconds earlier
  equal(ledger.collect(2_000, () => true), TOMBSTONE_MS - 3_000);
  ledger.collect(TOMBSTONE_MS - 3_000, () => true);
  equal(ledger.size, 0);
  equal(merge(ledger, tombstone, TOMBSTONE_MS, TOMBSTONE_MS).kind, "old");
  equal(ledger.size, 0, "what is old enough to be forgotten is not taken up again");
});

Deno.test("routes stay with the present next hop while a contest at equal epoch lasts", () => {
  const first = record();
  const stronger = record({ hostId: hostId(2), strength: 2 });
  const ledger = ledgerOf(first, stronger);
  deepEqual(owners(ledger), [hostId(2)]);
  deepEqual(routed(ledger), [hostId(1)]);
  merge(ledger, { ...first, sequence: 1, state: "yielding" });
  deepEqual(routed(ledger), [hostId(2)]);
  deepEqual(routed(ledgerOf(stronger, first)), [hostId(2)]);
});

Deno.test("a higher epoch takes the route at once", () => {
  const ledger = ledgerOf(record(), record({ hostId: hostId(2), epoch: 2 }));
  deepEqual(routed(ledger), [hostId(2)]);
});

Deno.test("routes have changed only when subnet, host or tunnel end point did", () => {
  const ledger = ledgerOf(record());
  equal(ledger.takeRoutesChanged(), true);
  equal(ledger.takeRoutesChanged(), false);
  merge(ledger, record({ sequence: 1, strength: 2 }));
  equal(ledger.takeRoutesChanged(), false);
  merge(ledger, record({ hostId: hostId(2), state: "tentative", strength: 0 }));
  equal(ledger.takeRoutesChanged(), false);
  const vtep = { address: "192.0.2.9", port: 8472, mac: "02:00:00:00:00:01" };
  merge(ledger, record({ sequence: 2, strength: 2, vtep }));
  equal(ledger.takeRoutesChanged(), true);
  merge(ledger, record({ sequence: 3, subnet: "10.244.8.0/24", vtep }));
  equal(ledger.takeRoutesChanged(), true);
  const bare = { ...vtep, backend: "host-gw" } as const;
  merge(ledger, record({ sequence: 4, subnet: "10.244.8.0/24", vtep: bare }));
  equal(ledger.takeRoutesChanged(), true);
  equal(ledger.routed().length, 1);
});

Deno.test("a claim's age begins with its subnet and state, not with each write", () => {
  const ledger = new Ledger();
  merge(ledger, record(), 10);
  merge(ledger, record({ sequence: 1, strength: 2 }), 20);
  equal(ledger.entry(hostId(1))?.sinceMs, 10);
  merge(ledger, record({ sequence: 2, state: "yielding" }), 30);
  equal(ledger.entry(hostId(1))?.sinceMs, 30);
});

Deno.test("one host that claims one subnet after another does not fill the fence without end", () => {
  const ledger = new Ledger();
  for (let sequence = 0; sequence < FENCE_MAX + 100; sequence++) {
    const subnet = `11.${sequence >> 14}.${(sequence >> 6) & 255}.${(sequence & 63) << 2}/30`;
    const claim = record({ sequence, subnet });
    ledger.merge(0, claim, encodeRecord(claim));
  }
  equal(ledger.fence.size, FENCE_MAX);
});

Deno.test("a claim below the fence is dropped a day later, if its host is gone", () => {
  const ledger = new Ledger();
  const claim = record({ hostId: hostId(3), subnet: S });
  ledger.merge(0, claim, encodeRecord(claim));
  equal(ledger.collect(0, () => true), Infinity, "it stands");
  ledger.mergeFence(1_000, S, 2);
  equal(ledger.entry(hostId(3))?.voidSinceMs, 1_000);
  equal(ledger.collect(1_000, () => true), 1_000 + TOMBSTONE_MS);
  ok(ledger.collect(1_000 + TOMBSTONE_MS, () => false) > 1_000 + TOMBSTONE_MS);
  equal(ledger.size, 1, "a live host is about to write it anew");
  ledger.collect(1_000 + TOMBSTONE_MS, () => true);
  equal(ledger.size, 0);
  equal(ledger.fence.of(S), 2);
  equal(
    ledger.merge(0, claim, encodeRecord(claim), TOMBSTONE_MS).kind,
    "old",
    "told by one who keeps it",
  );
  equal(ledger.size, 0);
});
