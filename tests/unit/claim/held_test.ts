/** Holding: refute, raise, yield, upgrade; what comes in about this host itself. */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { decodeClaimMemory } from "../../../mod/claim/memory.ts";
import { GENERATION_MAX } from "../../../mod/claim/record_codec.ts";
import { LEAP_MAX } from "../../../mod/claim/sanity.ts";
import { type ClaimRecord } from "../../../mod/claim/record.ts";
import { hostId, record, Staged, stagedHolding } from "./samples.ts";

const S = "10.244.7.0/24";

function rival(changes: Partial<ClaimRecord> = {}): ClaimRecord {
  return record({ hostId: hostId(9), stamp: 50, ...changes });
}

function heldStrength(host: Staged): number | undefined {
  return host.snapshot.record?.strength;
}

Deno.test("refute: a question of higher epoch is answered by holding at that epoch", () => {
  const host = stagedHolding();
  host.meet([9]);
  host.takeLetters();
  host.hear(rival({ state: "tentative", strength: 0, epoch: 4 }));
  equal(host.snapshot.state, "held");
  equal(host.snapshot.record?.epoch, 4);
  ok(host.takeAddressees("push").includes(9), "the rival is told");
  equal(host.snapshot.conflicts, 0);
});

Deno.test("a question of no higher epoch is only told of the claim, once", () => {
  const host = stagedHolding();
  host.meet([9]);
  host.takeLetters();
  const before = host.snapshot.record;
  const question = rival({ state: "tentative", strength: 0 });
  host.hear(question);
  deepEqual(host.takeAddressees("push"), [9]);
  host.hear(question, rival({ hostId: hostId(8), subnet: "10.244.8.0/24" }));
  deepEqual(host.takeAddressees("push"), []);
  equal(host.snapshot.record, before);
});

Deno.test("a higher held claim wins: yield, look for another, renumber, in that order", () => {
  const host = stagedHolding();
  host.meet([9]);
  host.sync(9);
  host.events.length = 0;
  host.hear(rival({ strength: 2 }));
  deepEqual(host.eventsOf("claim-changed").map(({ to }) => to.state), ["yielding", "listening"]);
  const [conflict] = host.eventsOf("conflict");
  deepEqual([conflict?.winner, conflict?.loser], [hostId(9), hostId(1)]);
  match(conflict?.why ?? "", /the greater strength wins: 2 .* against 1/);
  deepEqual(host.snapshot.owners.map((owner) => owner.hostId), [hostId(9)]);
  host.sync(9);
  equal(host.snapshot.state, "tentative");
  deepEqual(host.eventsOf("renumbered"), []);
  host.answer(9);
  equal(host.snapshot.state, "held");
  notEqual(host.snapshot.subnet, S);
  deepEqual(host.eventsOf("renumbered"), [
    { kind: "renumbered", old: S, new: host.snapshot.subnet ?? "" },
  ]);
  equal(host.snapshot.conflicts, 1);
});

Deno.test("the lost subnet is remembered on disk until another one is held", () => {
  const host = stagedHolding();
  host.meet([9]);
  host.sync(9);
  host.holdsDisk = true;
  const previous: (string | null | undefined)[] = [];
  const write = () => {
    const bytes = host.writes.at(-1)?.bytes;
    ok(bytes);
    previous.push(decodeClaimMemory(bytes).previous);
    host.settleDisk();
  };
  host.hear(rival({ strength: 2 }));
  write(); // yielding
  host.sync(9);
  write(); // tentative
  host.answer(9);
  write(); // held
  deepEqual(previous, [S, S, null]);
});

Deno.test("yielding is on disk before it is said", () => {
  const host = stagedHolding();
  host.meet([9]);
  host.takeLetters();
  host.carrier.gossiped.length = 0;
  host.holdsDisk = true;
  host.hear(rival({ strength: 2 }));
  equal(host.snapshot.state, "yielding");
  equal(host.takeAddressees("push").length, 0);
  const own = host.carrier.gossiped.filter(({ key }) => key.includes(hostId(1)));
  deepEqual(own, []);
  host.settleDisk();
  deepEqual(host.takeAddressees("push"), [9]);
});

Deno.test("a lower held claim: the winner stays, tells the rival, and raises when it is over", () => {
  const host = stagedHolding({ strength: 2 });
  host.meet([9]);
  host.takeLetters();
  host.hear(rival());
  equal(host.snapshot.state, "held");
  deepEqual(host.takeAddressees("push"), [9]);
  deepEqual(host.eventsOf("conflict").map(({ winner }) => winner), [hostId(1)]);
  equal(host.snapshot.record?.epoch, 1, "not while the contest lasts");
  host.hear(rival({ sequence: 1, state: "yielding" }));
  equal(host.snapshot.record?.epoch, 2);
  host.hear(rival({ sequence: 2, state: "tentative", strength: 0, subnet: "10.244.8.0/24" }));
  equal(host.snapshot.record?.epoch, 2, "once for each contest");
  equal(host.snapshot.conflicts, 1);
});

Deno.test("raise: a fence above our epoch without a holder is gone above", () => {
  const host = stagedHolding();
  host.hear(rival({ state: "released", epoch: 6 }));
  equal(host.snapshot.state, "held");
  equal(host.snapshot.record?.epoch, 7);
});

Deno.test("a holder of higher epoch is yielded to, however weak its claim", () => {
  const host = stagedHolding({ strength: 6, stamp: 1 });
  host.hear(rival({ epoch: 2, strength: 1, stamp: 99 }));
  notEqual(host.snapshot.subnet, S);
  deepEqual(host.snapshot.owners.filter(({ subnet }) => subnet === S).map(({ hostId }) => hostId), [
    hostId(9),
  ]);
});

Deno.test("a claim that another one already beats is not yielded to", () => {
  // 10.244.6.0/23 beats ours, but loses against the holder of 10.244.6.0/24.
  const host = stagedHolding();
  const narrow = rival({ hostId: hostId(8), subnet: "10.244.6.0/24", strength: 5 });
  const wide = rival({ subnet: "10.244.6.0/23", strength: 2 });
  host.hear(narrow, wide);
  equal(host.snapshot.state, "held");
  equal(host.snapshot.subnet, S);
});

Deno.test("a weak claim becomes strong after a wait with a majority and without contest", () => {
  const host = stagedHolding();
  host.meet([2]);
  host.sync(2);
  host.at(2_999);
  equal(heldStrength(host), 1);
  host.at(3_000);
  equal(heldStrength(host), 2);
});

Deno.test("without a majority a claim stays weak", () => {
  const host = stagedHolding();
  host.meet([4, 5], "dead");
  host.meet([2]);
  host.at(600_000);
  equal(heldStrength(host), 1);
});

Deno.test("a pinned claim ranks above an unpinned one", () => {
  const restored = {
    hostId: hostId(1),
    generation: 1,
    lamport: 5,
    fence: [],
    record: record({ strength: 2 }),
    previous: null,
  };
  const host = new Staged({ restored, pin: S, seedsGiven: false });
  host.at(0);
  equal(heldStrength(host), 6);
});

Deno.test("a new tunnel end point is written and told", () => {
  const host = stagedHolding();
  host.meet([2]);
  host.takeLetters();
  const vtep = { address: "192.0.2.77", port: 8472, mac: "02:00:00:00:00:01" };
  host.claimant.command(0, { kind: "set-vtep", vtep });
  host.settle();
  deepEqual(host.snapshot.record?.vtep, vtep);
  deepEqual(host.takeAddressees("push"), [2]);
  equal(host.snapshot.record?.epoch, 1);
  host.claimant.command(0, { kind: "set-vtep", vtep: { ...vtep, backend: "host-gw" } });
  host.settle();
  equal(host.snapshot.record?.vtep.backend, "host-gw");
  deepEqual(host.takeAddressees("push"), [2]);
  host.claimant.command(0, {
    kind: "set-vtep",
    vtep: { ...vtep, backend: "host-gw", ipv6: "fd00:100::1" },
  });
  host.settle();
  equal(host.snapshot.record?.vtep.ipv6, "fd00:100::1");
  deepEqual(host.takeAddressees("push"), [2]);
});

Deno.test("a disk that refuses a change: held as before, a problem says so, tried again", () => {
  const host = stagedHolding();
  host.diskError = "read-only file system";
  host.hear(rival({ state: "tentative", strength: 0, epoch: 4 }));
  equal(host.snapshot.state, "held");
  equal(host.snapshot.record?.epoch, 1);
  const [problem] = host.snapshot.problems;
  match(problem?.text ?? "", /read-only file system/);
  host.diskError = null;
  host.at(5_000);
  equal(host.snapshot.record?.epoch, 4);
  deepEqual(host.snapshot.problems, []);
});

Deno.test("release: written, told to everybody, epoch raised", () => {
  const host = stagedHolding();
  host.meet([2, 3]);
  host.takeLetters();
  host.holdsDisk = true;
  host.claimant.command(0, { kind: "leave", release: true });
  host.settle();
  equal(host.claimant.isLeaveOver, false);
  deepEqual(host.takeLetters(), []);
  host.settleDisk();
  equal(host.claimant.isLeaveOver, true);
  equal(host.snapshot.state, "released");
  deepEqual([host.snapshot.record?.state, host.snapshot.record?.epoch], ["released", 2]);
  deepEqual(host.takeAddressees("push"), [2, 3]);
  deepEqual(host.snapshot.owners, []);
});

Deno.test("a release that the disk refuses is none: the subnet stays held, with a warning", () => {
  const host = stagedHolding();
  host.meet([2]);
  host.takeLetters();
  host.diskError = "no space left on device";
  host.claimant.command(0, { kind: "leave", release: true });
  host.settle();
  equal(host.claimant.isLeaveOver, true);
  equal(host.snapshot.state, "held");
  match(host.eventsOf("warning")[0]?.text ?? "", /10\.244\.7\.0\/24 is not released/);
});

Deno.test("who holds nothing has nothing to release", () => {
  const host = new Staged();
  host.at(0);
  host.claimant.command(0, { kind: "leave", release: true });
  host.settle();
  equal(host.claimant.isLeaveOver, true);
  equal(host.snapshot.record, null);
});

Deno.test("sanity: an epoch or stamp far above all others is refused with a warning", () => {
  for (const forged of [{ epoch: LEAP_MAX + 10 }, { stamp: LEAP_MAX + 10 }]) {
    const host = stagedHolding();
    host.hear(rival({ subnet: "10.244.9.0/24", ...forged }));
    host.hear(rival({ subnet: "10.244.9.0/24", sequence: 1, ...forged }));
    equal(host.snapshot.records.length, 1);
    deepEqual(host.eventsOf("warning").map(({ code }) => code), ["claim-implausible"]);
    host.hear(rival({ subnet: "10.244.9.0/24", epoch: LEAP_MAX + 1, sequence: 2 }));
    equal(host.snapshot.records.length, 2);
  }
});

Deno.test("no message changes this host's own record; one under its id is overtaken, loudly", () => {
  const host = stagedHolding();
  const before = host.snapshot.record;
  ok(before);
  host.hear(before); // our own echo
  equal(host.snapshot.record, before);
  host.hear(record({ generation: 9, instance: "00000000000000cc", subnet: "10.244.9.0/24" }));
  const after = host.snapshot.record;
  deepEqual(after, { ...before, generation: 10, sequence: 0 });
  deepEqual(host.eventsOf("warning").map(({ code }) => code), ["identity-reused"]);
});

Deno.test("clones do not overtake each other for ever", () => {
  const host = stagedHolding();
  for (let generation = 10; generation < 40; generation += 2) {
    host.hear(record({ generation, instance: "00000000000000cc" }));
  }
  ok((host.snapshot.record?.generation ?? 0) < 20);
});

Deno.test("two writes under one number by another host are warned of", () => {
  const host = stagedHolding();
  host.hear(rival({ subnet: "10.244.9.0/24" }));
  host.hear(rival({ subnet: "10.244.10.0/24" }));
  deepEqual(host.eventsOf("warning").map(({ code }) => code), ["host-duplicated"]);
});

Deno.test("news is passed on by gossip, once", () => {
  const host = stagedHolding();
  host.carrier.gossiped.length = 0;
  const claim = rival({ subnet: "10.244.9.0/24" });
  host.hear(claim);
  host.hear(claim);
  deepEqual(host.carrier.gossiped.map(({ key }) => key), [`claim ${hostId(9)}`]);
});

Deno.test("sanity: a generation far above the host's own is refused, so that the host is still heard", () => {
  const host = stagedHolding();
  const other = { hostId: hostId(9), subnet: "10.244.9.0/24" };
  host.hear(record({ ...other, generation: 3 }));
  host.hear(record({ ...other, subnet: "10.244.66.0/24", generation: 3 + LEAP_MAX + 1 }));
  host.hear(record({ ...other, generation: 4 }));
  const known = host.snapshot.records.find((claim) => claim.hostId === hostId(9));
  deepEqual([known?.generation, known?.subnet], [4, "10.244.9.0/24"]);
  ok(host.eventsOf("warning").some(({ code }) => code === "claim-implausible"));
});

Deno.test("two holders that are both below the fence: the higher one goes above it", () => {
  const host = stagedHolding();
  host.meet([8, 9]);
  host.hear(rival({ stamp: 50 })); // younger than ours
  host.hear(rival({ hostId: hostId(8), epoch: 9, state: "yielding" }));
  host.hear(rival({ hostId: hostId(8), sequence: 1, subnet: "10.244.8.0/24" }));
  equal(host.snapshot.state, "held");
  ok((host.snapshot.record?.epoch ?? 0) > 9);
  deepEqual(host.snapshot.owners.map((owner) => owner.hostId), [hostId(1), hostId(8)]);
});

Deno.test("two holders that are both below the fence: the lower one does not go above it", () => {
  const host = stagedHolding();
  host.meet([8, 9]);
  host.hear(rival({ stamp: 1 })); // older than ours
  host.hear(rival({ hostId: hostId(8), epoch: 9, state: "yielding" }));
  equal(host.snapshot.record?.epoch, 1);
});

Deno.test("a record under this host's id and instance that it never wrote is overtaken too", () => {
  for (const sequence of [0, 7]) {
    const host = stagedHolding();
    const own = host.snapshot.record;
    ok(own);
    const vtep = { ...own.vtep, address: "203.0.113.66" };
    host.hear({ ...own, sequence: own.sequence + sequence, vtep });
    equal(host.snapshot.record?.generation, own.generation + 1);
    deepEqual(host.snapshot.record?.vtep, own.vtep);
  }
});

Deno.test("records under this host's id are overtaken ever more slowly, the last one too, with one warning each", () => {
  const host = stagedHolding();
  const overtakes = () =>
    host.eventsOf("warning").filter(({ code }) => code === "identity-reused").length;
  const hear = (generation: number) =>
    host.hear(record({ generation, instance: "00000000000000cc" }));
  for (let generation = 10; generation < 40; generation += 2) hear(generation);
  equal(overtakes(), 3);
  host.at(host.nowMs + 1_000); // nobody writes any more, but the last word must be ours
  equal(overtakes(), 4);
  equal(host.snapshot.record?.generation, 39);
  hear(50);
  host.at(host.nowMs + 1_999);
  equal(overtakes(), 4);
  host.at(host.nowMs + 1);
  equal(overtakes(), 5);
  equal(host.snapshot.record?.generation, 51);
  for (let generation = 60; generation < 80; generation++) {
    hear(generation);
    host.at(host.nowMs + 60_000);
  }
  equal(overtakes(), 25);
  host.at(host.nowMs + 120_000);
  hear(90);
  equal(overtakes(), 26); // long after the last one, at once
});

Deno.test("who lost its subnet and leaves with a release does not raise the fence above the winner", () => {
  const host = stagedHolding();
  host.holdsDisk = true;
  host.hear(record({ hostId: hostId(2), strength: 2, stamp: 1 }));
  equal(host.snapshot.state, "yielding");
  host.claimant.command(0, { kind: "leave", release: true });
  host.settle();
  host.settleDisk();
  equal(host.snapshot.state, "released");
  deepEqual([host.snapshot.record?.state, host.snapshot.record?.epoch], ["released", 1]);
  equal(host.claimant.isLeaveOver, true);
});

Deno.test("a plain leave in the middle of yielding says the yield first, and claims nothing after it", () => {
  const host = stagedHolding();
  host.holdsDisk = true;
  host.hear(record({ hostId: hostId(2), strength: 2, stamp: 1 }));
  host.claimant.command(0, { kind: "leave", release: false });
  host.settle();
  equal(host.claimant.isLeaveOver, false);
  host.settleDisk();
  equal(host.claimant.isLeaveOver, true);
  equal(host.snapshot.record?.state, "yielding");
  host.at(60_000);
  equal(host.snapshot.subnet, null);
});

Deno.test("what an absent host left below the fence is no contest", () => {
  const host = stagedHolding({ epoch: 3 });
  host.meet([2], "dead");
  host.hear(record({ hostId: hostId(2), epoch: 2, strength: 2 }));
  equal(host.snapshot.conflicts, 0);
  equal(host.snapshot.record?.epoch, 3);
  host.meet([3]);
  host.hear(record({ hostId: hostId(3), epoch: 2, strength: 2 }));
  equal(host.snapshot.conflicts, 1, "a present one is about to yield");
});

Deno.test("a record under this host's id at the last generation leaves it room to start again", () => {
  const generation = GENERATION_MAX - 5;
  const last = record({ generation, instance: "00000000000000bb" });
  const restored = {
    hostId: hostId(1),
    generation,
    lamport: 5,
    fence: [],
    record: last,
    previous: null,
  };
  const host = new Staged({ restored, seedsGiven: false });
  host.at(0);
  equal(host.snapshot.record?.generation, generation + 1);
  for (const back of [2, 1, 0]) {
    host.hear({ ...last, generation: GENERATION_MAX - back, instance: "00000000000000cc" });
    host.at(host.nowMs + 120_000);
  }
  equal(host.snapshot.state, "held");
  equal(host.snapshot.record?.generation, generation + 1);
});

Deno.test("the disk remembers at which epochs others held, also when nothing else says so any more", () => {
  const host = stagedHolding();
  host.hear(rival({ subnet: "10.244.8.0/24", epoch: 7 }));
  host.hear(rival({ subnet: "10.244.9.0/24", epoch: 1, sequence: 9 }));
  host.holdsDisk = true;
  host.at(10_000);
  const last = host.writes.at(-1);
  ok(last);
  const { fence } = decodeClaimMemory(last.bytes);
  ok(fence.some(({ subnet, epoch }) => subnet === "10.244.8.0/24" && epoch === 7));
});

Deno.test("who stood still hears others before it answers what was asked meanwhile", () => {
  const host = stagedHolding();
  host.meet([2, 3, 4, 5]);
  host.at(5_000);
  host.nowMs = 60_000;
  host.hear(rival({ state: "tentative", strength: 0, epoch: 4 }));
  equal(host.snapshot.record?.epoch, 1);
  equal(host.carrier.syncsWanted.length, 3);
  host.hear(rival({ sequence: 1, epoch: 4 }));
  equal(host.snapshot.state, "listening");
  equal(host.snapshot.counters.refutes, 0);
});

Deno.test("it answers when one of them knows nothing of it, or none answers within a second", () => {
  for (const isAnswered of [true, false]) {
    const host = stagedHolding();
    host.meet([2, 9]);
    host.at(5_000);
    host.nowMs = 60_000;
    host.hear(rival({ state: "tentative", strength: 0, epoch: 4 }));
    host.at(60_999);
    equal(host.snapshot.record?.epoch, 1);
    if (isAnswered) host.sync(2);
    else host.at(61_000);
    deepEqual([host.snapshot.state, host.snapshot.record?.epoch], ["held", 4]);
  }
});

Deno.test("who stood still while a loser was away for long hears others first, and does not wake all the time", () => {
  const host = stagedHolding();
  host.meet([2, 9]);
  host.hear(rival());
  host.meet([9], "dead");
  const { epoch } = host.snapshot.record ?? record();
  host.nowMs = 200_000;
  host.settle();
  equal(host.claimant.wakeAtMs(), 201_000);
  equal(host.snapshot.record?.epoch, epoch);
  host.at(201_000);
  equal(host.snapshot.record?.epoch, epoch + 1);
});

Deno.test("a second or ten without a step are no stand-still", () => {
  const host = stagedHolding();
  host.meet([2, 9]);
  host.at(5_000);
  host.nowMs = 15_000;
  host.hear(rival({ state: "tentative", strength: 0, epoch: 4 }));
  equal(host.snapshot.record?.epoch, 4);
});
