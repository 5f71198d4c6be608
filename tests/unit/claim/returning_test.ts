/** Returning with care: others are heard before what was held is held again, and nothing is routed meanwhile. */
import { deepEqual, equal } from "node:assert/strict";
import type { ClaimOptions, RestoredClaim } from "../../../mod/claim/options.ts";
import { hostId, record, Staged } from "./samples.ts";

const RESTORED: RestoredClaim = {
  hostId: hostId(1),
  generation: 3,
  lamport: 9,
  fence: [{ subnet: "10.244.7.0/24", epoch: 1 }],
  record: record({ generation: 3, instance: "00000000000000bb" }),
  previous: null,
};
/** What the one says who took the subnet over. */
const TAKEN = record({ hostId: hostId(9), epoch: 2, stamp: 90 });

function returning(changes: Partial<ClaimOptions> = {}): Staged {
  const host = new Staged({ restored: RESTORED, returnsCarefully: true, ...changes });
  host.at(0);
  return host;
}

function statesOf(host: Staged): string[] {
  return host.eventsOf("claim-changed").map(({ to }) => to.state);
}

Deno.test("a normal restart holds in its first step", () => {
  const host = returning({ returnsCarefully: false });
  deepEqual(statesOf(host), ["held"]);
});

Deno.test("who returns with care holds once it has heard another host, and routes nothing before", () => {
  const host = returning();
  host.meet([2]);
  host.at(1_000);
  deepEqual(statesOf(host), ["listening"]);
  deepEqual(host.snapshot.owners, []);
  host.holdsDisk = true; // what is held again was written before the restart
  host.sync(2);
  deepEqual(host.snapshot.owners, [RESTORED.record]);
  deepEqual(statesOf(host), ["listening", "held"]);
  equal(host.snapshot.subnet, "10.244.7.0/24");
  deepEqual(host.eventsOf("renumbered"), []);
});

Deno.test("up to three members are heard, and one that does not answer is waited for a second", () => {
  const host = returning();
  host.meet([2, 3, 4, 5]);
  host.sync(2);
  equal(host.carrier.syncsWanted.length, 2);
  equal(host.snapshot.state, "listening");
  host.sync(3);
  equal(host.snapshot.state, "listening");
  host.at(host.nowMs + 999);
  equal(host.snapshot.state, "listening");
  host.at(host.nowMs + 1);
  equal(host.snapshot.state, "held");
  const other = returning();
  other.meet([2, 3, 4, 5]);
  for (const number of [2, 3, 4]) other.sync(number);
  equal(other.snapshot.state, "held");
});

Deno.test("a subnet that was taken meanwhile is given up without ever having been held", () => {
  const host = returning();
  host.meet([2, 9]);
  host.hear(TAKEN);
  host.sync(2);
  host.sync(9);
  equal(statesOf(host).includes("held"), false);
  for (const number of [2, 9]) host.sync(number);
  host.answer(2, { members: [9] });
  host.answer(9, { members: [2] });
  equal(host.snapshot.state, "held");
  deepEqual(host.eventsOf("renumbered"), [
    { kind: "renumbered", old: "10.244.7.0/24", new: host.snapshot.subnet ?? "" },
  ]);
});

Deno.test("who finds nobody holds again after four seconds: nobody can have taken anything", () => {
  const host = returning();
  host.at(3_999);
  equal(host.snapshot.state, "listening");
  host.at(4_000);
  deepEqual(statesOf(host), ["listening", "held"]);
});

Deno.test("who has nobody to hear holds at once", () => {
  const host = returning({ seedsGiven: false });
  deepEqual(statesOf(host), ["held"]);
  equal(host.snapshot.complete, true);
});

Deno.test("nobody is given the subnet while its holder returns", () => {
  const host = returning();
  host.meet([2]);
  host.asked(2, record({ hostId: hostId(2), state: "tentative", epoch: 2 }));
  deepEqual(host.takeAddressees("answer"), []); // not yet
  host.sync(2);
  equal(host.snapshot.state, "held");
  equal(host.snapshot.record?.epoch, 2);
});
