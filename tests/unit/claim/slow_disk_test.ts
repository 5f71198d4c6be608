/** What the exhaustive search found about disks: holds that came too late, and last words read back at a start. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { decodeClaimMemory } from "../../../mod/claim/memory.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import { hostId, record, Staged, stagedAsking, stagedHolding } from "./samples.ts";

Deno.test("a hold over which the disk took too long is not used: the host asks anew", () => {
  const host = stagedAsking([2]);
  host.holdsDisk = true;
  host.answer(2);
  host.at(4_499);
  equal(host.writes.length, 1);
  equal(host.snapshot.reason, null);
  host.at(4_500);
  match(host.snapshot.reason ?? "", /^The state directory takes seconds .*: find out what keeps/);
  equal(host.snapshot.problems[0]?.code, "disk-slow");
  host.takeLetters();
  host.settleDisk();
  equal(host.snapshot.state, "tentative");
  deepEqual(host.snapshot.owners, []);
  deepEqual(host.takeAddressees("request"), [2]);
  host.holdsDisk = false;
  host.answer(2);
  equal(host.snapshot.state, "held");
  deepEqual(host.snapshot.problems, []);
});

Deno.test("while those who agreed still refuse all others, a disk may take its time: no host asks for ever", () => {
  const host = stagedAsking([2]);
  host.holdsDisk = true;
  host.answer(2);
  host.at(4_400);
  host.settleDisk();
  equal(host.snapshot.state, "held");
});

Deno.test("who waited for objections has used up what was promised, and needs a disk that is quicker", () => {
  const host = stagedAsking([2]);
  host.at(2_999);
  equal(host.snapshot.state, "tentative");
  host.holdsDisk = true;
  host.at(3_000 + 1_000 * 2); // the wait of two hosts is 3 s or a little more
  const [write] = host.writes;
  ok(write, "it holds without an answer");
  host.at(8_000);
  equal(host.writes.length > 1, true);
});

Deno.test("a host that is alone waits for its disk as long as it takes", () => {
  const host = new Staged({ seedsGiven: false });
  host.holdsDisk = true;
  host.at(0);
  host.at(60_000);
  equal(host.writes.length, 1);
  host.settleDisk();
  equal(host.snapshot.state, "held");
});

Deno.test("not so when it meets somebody meanwhile, who was not asked", () => {
  const host = new Staged({ seedsGiven: false });
  host.holdsDisk = true;
  host.at(0);
  host.at(1_000);
  host.meet([2], "suspect");
  host.at(1_499);
  equal(host.writes.length, 1);
  host.at(1_500);
  equal(host.writes.length, 2);
  host.settleDisk();
  equal(host.snapshot.state, "tentative");
});

Deno.test("nor is it when the host stood still and learns of the write first", () => {
  const host = stagedAsking([2]);
  host.holdsDisk = true;
  host.answer(2);
  const [write] = host.writes.splice(0);
  ok(write);
  host.nowMs = 60_000;
  host.claimant.persisted(host.nowMs, write.id, undefined);
  equal(host.snapshot.owners.length, 0);
  equal(host.snapshot.state, "tentative");
});

Deno.test("a hold that is on disk in time is used", () => {
  const host = stagedAsking([2]);
  host.holdsDisk = true;
  host.answer(2);
  host.nowMs = 1_499;
  host.settleDisk();
  equal(host.snapshot.state, "held");
});

function restartedWith(last: ClaimRecord): Staged {
  const restored = {
    hostId: hostId(1),
    generation: 3,
    lamport: 5,
    fence: [{ subnet: last.subnet, epoch: 1 }],
    record: last,
    previous: null,
  };
  const host = new Staged({ restored, seedsGiven: false });
  host.at(0);
  return host;
}

Deno.test("a release that was written and never announced counts for the fence at the next start", () => {
  const host = restartedWith(record({ generation: 3, state: "released", epoch: 2 }));
  equal(host.snapshot.state, "held");
  equal(host.snapshot.record?.subnet, "10.244.7.0/24");
  equal(host.snapshot.record?.epoch, 3);
});

Deno.test("a restarted host knows its own last word, as others do", () => {
  const last = record({ generation: 3, state: "released", epoch: 2 });
  const restored = {
    hostId: hostId(1),
    generation: 3,
    lamport: 5,
    fence: [],
    record: last,
    previous: null,
  };
  const host = new Staged({ restored });
  host.at(0);
  equal(host.snapshot.state, "listening");
  deepEqual(host.snapshot.records, [last]);
});

Deno.test("what the disk refused may be on it all the same: the announced claim is written over it", () => {
  const host = stagedHolding();
  host.diskError = "the folder cannot be synced";
  host.claimant.command(0, { kind: "leave", release: true });
  host.settle();
  equal(host.snapshot.state, "held");
  host.diskError = null;
  host.holdsDisk = true;
  host.at(10_000);
  const [write] = host.writes;
  ok(write, "it is written again");
  equal(decodeClaimMemory(write.bytes).record?.state, "held");
});
