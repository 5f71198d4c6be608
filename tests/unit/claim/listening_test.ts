/** From the first step to the choice: the lonely rule, full syncs, the disk. */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { decodeClaimMemory } from "../../../mod/claim/memory.ts";
import type { RestoredClaim } from "../../../mod/claim/options.ts";
import { encodeRecord } from "../../../mod/claim/record_codec.ts";
import type { Heard } from "../../../mod/claim/sync_messages.ts";
import { Ledger } from "../../../mod/claim/ledger.ts";
import { endpointOf, hostId, record, Staged, stagedHolding, stateOfLedger } from "./samples.ts";

const RESTORED: RestoredClaim = {
  hostId: hostId(1),
  generation: 3,
  lamport: 9,
  fence: [{ subnet: "10.244.7.0/24", epoch: 1 }],
  record: record({ generation: 3, instance: "00000000000000bb" }),
  previous: null,
};

Deno.test("the first thing written has the new generation, and nothing is said before", () => {
  const host = new Staged({ restored: { ...RESTORED, record: null } });
  host.at(0);
  host.meet([2]);
  host.holdsDisk = true;
  host.sync(2);
  const [write, ...more] = host.writes;
  deepEqual(more, []);
  ok(write);
  const memory = decodeClaimMemory(write.bytes);
  equal(memory.generation, 4);
  equal(memory.record?.state, "tentative");
  deepEqual(host.carrier.letters, []);
  deepEqual(host.carrier.gossiped, []);
});

Deno.test("a host that has to wait writes down who it is", () => {
  const lonely = new Staged();
  lonely.holdsDisk = true;
  lonely.at(2_000);
  const [write] = lonely.writes;
  ok(write);
  deepEqual(decodeClaimMemory(write.bytes), {
    hostId: hostId(1),
    generation: 1,
    lamport: 0,
    fence: [],
    record: null,
    previous: null,
    others: [],
  });
});

Deno.test("a first host without seeds asks nobody and holds once its disk has it", () => {
  const host = new Staged({ seedsGiven: false });
  host.holdsDisk = true;
  host.at(0);
  notEqual(host.snapshot.state, "held");
  equal(host.snapshot.record === null, true);
  host.settleDisk();
  equal(host.snapshot.state, "held");
  equal(host.snapshot.record?.strength, 1);
  equal(host.snapshot.complete, true);
});

Deno.test("a restarted host holds in its first step, says nothing before its disk has it", () => {
  const host = new Staged({ restored: RESTORED });
  host.holdsDisk = true;
  host.at(0);
  equal(host.snapshot.state, "held");
  equal(host.snapshot.subnet, "10.244.7.0/24");
  equal(host.snapshot.owners.length, 1);
  equal(host.snapshot.complete, false, "it has not heard what others claim");
  host.meet([2]);
  equal(host.carrier.gossiped.length, 0);
  host.settleDisk();
  const [item] = host.carrier.gossiped;
  ok(item?.message.kind === "push");
  equal(item.message.claims[0]?.record.generation, 4);
  deepEqual(host.takeAddressees("push"), [2]);
});

Deno.test("a restored claim that the configuration no longer allows is given up for another", () => {
  for (const pin of ["10.244.50.0/24", null]) {
    const restored = pin === null
      ? { ...RESTORED, record: record({ subnet: "10.99.7.0/24" }) }
      : RESTORED;
    const host = new Staged({ restored, pin, seedsGiven: false });
    host.at(0);
    equal(host.snapshot.state, "held");
    const [event] = host.eventsOf("renumbered");
    equal(event?.old, restored.record?.subnet);
    equal(event?.new, host.snapshot.subnet);
    if (pin !== null) equal(host.snapshot.subnet, pin);
  }
});

Deno.test("a host whose last claim was only a question prefers that subnet", () => {
  const asked = record({ generation: 3, state: "tentative", strength: 0 });
  const host = new Staged({
    restored: { ...RESTORED, record: asked, fence: [] },
    seedsGiven: false,
  });
  host.at(0);
  equal(host.snapshot.subnet, asked.subnet);
});

Deno.test("with seeds nothing is chosen before a first full sync, for ever", () => {
  const host = new Staged();
  host.at(0);
  equal(host.snapshot.state, "listening");
  host.at(3_600_000);
  equal(host.snapshot.state, "waiting");
  match(host.snapshot.reason ?? "", /start one of the hosts given with --join/);
  equal(host.snapshot.record, null);
  host.meet([2]);
  host.sync(2);
  equal(host.snapshot.state, "tentative");
  equal(host.snapshot.reason, null);
});

Deno.test("a host that others find asks them for their state", () => {
  const host = new Staged();
  host.at(0);
  host.meet([2]);
  deepEqual(host.carrier.syncsWanted, []);
  host.at(60);
  deepEqual(host.carrier.syncsWanted, [hostId(2)]);
});

Deno.test("up to three members are heard before choosing, two of them at once", () => {
  const host = new Staged();
  host.at(0);
  host.meet([2, 3, 4, 5]);
  host.sync(2);
  equal(host.snapshot.state, "listening");
  equal(host.carrier.syncsWanted.length, 2);
  const [first = "", second = ""] = host.carrier.syncsWanted.map((id) =>
    Number("0x" + id.slice(0, 16))
  );
  host.sync(Number(first));
  equal(host.snapshot.state, "listening");
  equal(host.carrier.syncsWanted.length, 2, "no fourth is asked");
  host.sync(Number(second));
  equal(host.snapshot.state, "tentative");
});

Deno.test("a member that does not answer is waited for a second", () => {
  const host = new Staged();
  host.at(0);
  host.meet([2, 3]);
  host.sync(2);
  host.at(999);
  equal(host.snapshot.state, "listening");
  host.at(1_001);
  equal(host.snapshot.state, "tentative");
});

/** A full state in which other hosts hold these subnets. */
function stateOf(subnets: readonly string[]): Uint8Array {
  const ledger = new Ledger();
  for (const [index, subnet] of subnets.entries()) {
    const claim = record({ hostId: hostId(index + 2), subnet });
    ledger.merge(0, claim, encodeRecord(claim));
  }
  return stateOfLedger(0, ledger, 0, true);
}

Deno.test("what others claim is not chosen: the first free subnet in the own order is", () => {
  const order: string[] = [];
  for (let taken = 0; taken < 3; taken++) {
    const host = new Staged({ seedsGiven: false });
    host.claimant.merge(0, hostId(2), stateOf(order));
    host.at(0);
    ok(host.snapshot.subnet);
    ok(!order.includes(host.snapshot.subnet));
    order.push(host.snapshot.subnet);
  }
  const again = new Staged({ seedsGiven: false });
  again.at(0);
  equal(again.snapshot.subnet, order[0]);
});

Deno.test("what was known of others survives a restart: owners at once, their subnets taken", () => {
  const wanted = subnetOfFirst();
  const host = new Staged({
    seedsGiven: false,
    restored: {
      ...RESTORED,
      record: null,
      others: [{ record: record({ hostId: hostId(2), subnet: wanted }), ageMs: 0 }],
    },
  });
  host.at(0);
  notEqual(host.snapshot.subnet, wanted);
  equal(host.snapshot.owners.length, 2);
});

Deno.test("news of others is written down within ten seconds, at most that often", () => {
  const host = stagedHolding();
  host.holdsDisk = true;
  host.hear(record({ hostId: hostId(2), subnet: "10.244.8.0/24" }));
  host.at(9_999);
  equal(host.writes.length, 0);
  host.hear(record({ hostId: hostId(3), subnet: "10.244.9.0/24" }));
  host.at(10_000);
  const [write, ...more] = host.writes.map(({ bytes }) => decodeClaimMemory(bytes));
  deepEqual(more, []);
  deepEqual(write?.others?.map(({ record }) => record.hostId), [hostId(2), hostId(3)]);
  equal(write?.record?.state, "held");
});

/** The first choice of a host that knows of nobody. */
function subnetOfFirst(): string {
  const host = new Staged({ seedsGiven: false });
  host.at(0);
  return host.snapshot.subnet ?? "";
}

Deno.test("malformed syncs, letters and gossip change nothing", () => {
  const host = stagedHolding();
  const before = JSON.stringify(host.snapshot.records);
  for (let length = 0; length < 200; length++) {
    const bytes = new Uint8Array(length).fill(0x81 + length % 7);
    equal(host.claimant.update(0, hostId(2), bytes), null);
    host.claimant.compared(0, bytes);
    host.claimant.updated(0, bytes);
    host.claimant.merge(0, hostId(2), bytes);
    host.claimant.receive(0, { via: "letter", from: endpointOf(2) }, bytes);
    host.claimant.receive(0, { via: "gossip", from: endpointOf(2) }, bytes);
  }
  host.settle();
  equal(JSON.stringify(host.snapshot.records), before);
  deepEqual(host.carrier.letters, []);
});

Deno.test("a state with a newer version's records still brings the others", () => {
  const host = stagedHolding();
  const ledger = new Ledger();
  const newer = record({ hostId: hostId(2), subnet: "10.244.8.0/24" });
  const known = record({ hostId: hostId(3), subnet: "10.244.9.0/24" });
  const bytes = new Uint8Array([0x92, 0x02, 0x00]);
  ledger.merge(0, newer, bytes);
  ledger.merge(0, known, encodeRecord(known));
  host.claimant.merge(0, hostId(2), stateOfLedger(0, ledger, 0, true));
  deepEqual(host.snapshot.records.map(({ hostId }) => hostId), [hostId(1), hostId(3)]);
});

/** A sync with host 2, which has heard the cluster or has not. */
function syncWithTwo(host: Staged, complete: boolean): void {
  host.claimant.update(host.nowMs, hostId(2), stateOfLedger(0, new Ledger(), 0, complete));
  host.sync(2);
}

Deno.test("who has not heard the cluster either is asked again soon", () => {
  const host = new Staged();
  host.at(0);
  host.meet([2]);
  syncWithTwo(host, false);
  equal(host.snapshot.complete, false);
  equal(host.snapshot.state, "listening");
  host.at(200);
  deepEqual(host.carrier.syncsWanted, [hostId(2)]);
  syncWithTwo(host, false);
  equal(host.snapshot.state, "listening");
  syncWithTwo(host, true);
  equal(host.snapshot.state, "tentative");
});

Deno.test("hosts that all have heard nobody found a cluster", () => {
  const host = new Staged();
  host.meet([2]);
  for (const atMs of [0, 600, 1_200]) {
    host.at(atMs);
    equal(host.snapshot.complete, false);
    syncWithTwo(host, false);
  }
  equal(host.snapshot.complete, true);
  equal(host.snapshot.state, "tentative");
});

Deno.test("a founder that comes back without a claim founds again with those it knows", () => {
  const host = new Staged();
  host.carrier.seedsGiven = { given: 0, answered: 0, silent: [] };
  host.meet([2]);
  for (const atMs of [0, 600, 1_200]) {
    host.at(atMs);
    syncWithTwo(host, false);
  }
  equal(host.snapshot.state, "tentative");
});

Deno.test("a member that is said to be silent is asked itself before hearsay counts", () => {
  const host = new Staged();
  host.at(0);
  host.meet([2, 3]);
  const hear = (number: number, heard: "no" | "silent", silent: readonly number[]) => {
    const state = stateOfLedger(0, new Ledger(), 0, heard, [], silent.map(hostId));
    host.claimant.update(host.nowMs, hostId(number), state);
    host.sync(number);
  };
  for (const atMs of [0, 1_200, 5_000]) {
    host.at(atMs);
    hear(2, "no", [3]);
    equal(host.snapshot.complete, false);
  }
  host.carrier.syncsWanted.length = 0;
  host.at(6_100);
  deepEqual(host.carrier.syncsWanted, [hostId(3)]);
  hear(3, "silent", []);
  equal(host.snapshot.complete, false);
  hear(3, "no", []);
  equal(host.snapshot.complete, true, "its own word counts");
});

Deno.test("a silent member that is gone keeps nobody waiting", () => {
  const host = new Staged();
  host.at(0);
  host.meet([2, 3]);
  const hear = (number: number, heard: Heard) => {
    host.claimant.update(host.nowMs, hostId(number), stateOfLedger(0, new Ledger(), 0, heard));
    host.sync(number);
  };
  hear(3, "silent");
  host.at(1_500);
  hear(2, "no");
  equal(host.snapshot.complete, false);
  host.meet([3], "dead");
  hear(2, "no");
  equal(host.snapshot.complete, true);
});
