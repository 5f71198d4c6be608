/** Asking for a subnet: fast path, slow path, rivals, the disk. */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { decodeClaimMemory } from "../../../mod/claim/memory.ts";
import { LETTERS_MAX } from "../../../mod/claim/messages.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import { EPOCH_MAX, STAMP_MAX } from "../../../mod/claim/record_codec.ts";
import { hostId, POOL, record, Staged, stagedAsking } from "./samples.ts";

/** A claim of another host on the subnet that this host asks for. */
function rival(host: Staged, changes: Partial<ClaimRecord> = {}): ClaimRecord {
  const own = host.snapshot.record;
  ok(own);
  return record({ hostId: hostId(9), subnet: own.subnet, epoch: own.epoch, stamp: 50, ...changes });
}

function tentativeRival(host: Staged, changes: Partial<ClaimRecord> = {}): ClaimRecord {
  return rival(host, { state: "tentative", strength: 0, ...changes });
}

Deno.test("the question goes to everybody alive, and when all agree the subnet is held at once", () => {
  const host = stagedAsking([2, 3]);
  deepEqual(host.takeAddressees("request"), [2, 3]);
  host.answer(2);
  equal(host.snapshot.state, "tentative");
  host.answer(3);
  equal(host.snapshot.state, "held");
  equal(host.snapshot.record?.strength, 2);
  deepEqual(host.takeAddressees("push"), [2, 3]);
  equal(host.nowMs, 0);
});

Deno.test("nothing is routed while the question is out, nor before the held claim is on disk", () => {
  const host = stagedAsking([2]);
  deepEqual(host.snapshot.owners, []);
  host.holdsDisk = true;
  host.answer(2);
  equal(host.snapshot.state, "tentative");
  deepEqual(host.snapshot.owners, []);
  host.settleDisk();
  equal(host.snapshot.owners.length, 1);
});

Deno.test("answers count only from whom was asked, and for the present question", () => {
  const host = stagedAsking([2, 3]);
  host.answer(2);
  host.answer(7);
  host.answer(3, { sequence: 99 });
  equal(host.snapshot.state, "tentative");
});

Deno.test("who does not answer is asked again and again while objections are waited for", () => {
  const host = stagedAsking([2, 3]);
  host.takeLetters();
  host.answer(2);
  const asked: number[] = [];
  for (let nowMs = 0; nowMs < 2_999; nowMs++) {
    host.at(nowMs);
    if (host.takeAddressees("request").join() === "3") asked.push(nowMs);
  }
  deepEqual(asked, [100, 300, 700, 1_200, 1_700, 2_200, 2_700]);
  equal(host.snapshot.state, "tentative");
  host.at(3_000);
  equal(host.snapshot.state, "held");
});

Deno.test("held without an answer is weak, with a majority of the known hosts strong", () => {
  const alone = stagedAsking([2, 3, 4]);
  alone.at(3_000);
  equal(alone.snapshot.record?.strength, 1);
  const half = stagedAsking([2, 3, 4]);
  half.answer(2);
  half.at(3_000);
  equal(half.snapshot.record?.strength, 1, "two of four are no majority");
  const most = stagedAsking([2, 3, 4]);
  most.answer(2);
  most.answer(3);
  most.at(3_000);
  equal(most.snapshot.record?.strength, 2);
});

Deno.test("dead hosts count for the majority, those that left do not", () => {
  const host = new Staged();
  host.at(0);
  host.meet([4, 5], "dead");
  host.meet([6, 7, 8], "left");
  host.meet([2]);
  host.sync(2);
  host.answer(2);
  equal(host.snapshot.record?.strength, 1, "two of four");
});

Deno.test("an unhealthy host waits longer for objections", () => {
  const host = stagedAsking([2]);
  host.carrier.score = 2;
  host.at(8_999);
  equal(host.snapshot.state, "tentative");
  host.at(9_000);
  equal(host.snapshot.state, "held");
});

Deno.test("while somebody is suspect, neither fast path nor slow path is open", () => {
  const host = stagedAsking([2, 3]);
  host.meet([3], "suspect");
  host.answer(2);
  host.at(20_000);
  equal(host.snapshot.state, "tentative");
  host.meet([3], "dead");
  equal(host.snapshot.state, "held");
});

Deno.test("a suspect that answers for itself again must agree", () => {
  const host = stagedAsking([2, 3]);
  host.meet([3], "suspect");
  host.answer(2);
  host.takeLetters();
  host.meet([3]);
  equal(host.snapshot.state, "tentative");
  deepEqual(host.takeAddressees("request"), [3]);
  host.answer(3);
  equal(host.snapshot.state, "held");
});

Deno.test("a member that appears meanwhile is asked too", () => {
  const host = stagedAsking([2, 3]);
  host.answer(2);
  host.takeLetters();
  host.meet([4]);
  deepEqual(host.takeAddressees("request"), [4]);
  host.answer(3);
  equal(host.snapshot.state, "tentative");
  host.answer(4);
  equal(host.snapshot.state, "held");
});

Deno.test("an answer that names a member taken for dead here: that one must agree as well", () => {
  const host = stagedAsking([2]);
  host.meet([5], "dead");
  host.takeLetters();
  host.answer(2, { members: [5] });
  equal(host.snapshot.state, "tentative");
  deepEqual(host.takeAddressees("request"), [5]);
  host.answer(5);
  equal(host.snapshot.state, "held");
});

Deno.test("an answer that names an unknown member: its sender is asked who that is", () => {
  const host = stagedAsking([2]);
  host.carrier.syncsWanted.length = 0;
  host.answer(2, { members: [6] });
  equal(host.snapshot.state, "tentative");
  deepEqual(host.carrier.syncsWanted, [hostId(2)]);
  host.takeLetters();
  host.meet([6]);
  deepEqual(host.takeAddressees("request"), [6]);
  host.sync(2);
  equal(host.snapshot.state, "tentative");
  host.answer(6);
  equal(host.snapshot.state, "held");
});

Deno.test("a rival that holds already wins: the next subnet is asked for at once", () => {
  const host = stagedAsking([2]);
  const first = host.snapshot.subnet;
  host.answer(2, { busy: rival(host) });
  equal(host.snapshot.state, "tentative");
  notEqual(host.snapshot.subnet, first);
  equal(host.snapshot.record?.sequence, 1);
});

Deno.test("of two tentative claims the higher one goes on and the other looks elsewhere", () => {
  const loser = stagedAsking([2]);
  const first = loser.snapshot.subnet;
  loser.hear(tentativeRival(loser, { stamp: 0 }));
  notEqual(loser.snapshot.subnet, first);
  const winner = stagedAsking([2]);
  winner.hear(tentativeRival(winner));
  equal(winner.snapshot.subnet, first);
  winner.answer(2, { busy: tentativeRival(winner) });
  equal(winner.snapshot.subnet, first);
  winner.answer(2);
  equal(winner.snapshot.state, "held");
});

Deno.test("a rival named in an answer counts like one heard of", () => {
  const host = stagedAsking([2, 3]);
  const first = host.snapshot.subnet;
  host.answer(2, { tentative: [tentativeRival(host, { stamp: 0 })] });
  notEqual(host.snapshot.subnet, first);
});

Deno.test("a claim on a larger subnet around ours is a rival too", () => {
  const host = stagedAsking([2]);
  const first = host.snapshot.subnet;
  host.hear(rival(host, { subnet: "10.244.0.0/16" }));
  equal(host.snapshot.state, "waiting");
  match(host.snapshot.reason ?? "", /All 255 subnets/);
  notEqual(host.snapshot.subnet, first);
});

Deno.test("who waits withdraws its question, and no epoch is used up by it", () => {
  const host = stagedAsking([2]);
  const asked = host.snapshot.record;
  host.hear(rival(host, { subnet: "10.244.0.0/16" }));
  const withdrawn = host.snapshot.record;
  deepEqual([withdrawn?.state, withdrawn?.strength], ["released", 0]);
  equal(withdrawn?.subnet, asked?.subnet);
  host.hear(record({ hostId: hostId(9), sequence: 1, subnet: "10.244.9.0/24", epoch: 1 }));
  equal(host.snapshot.state, "tentative");
  equal(host.snapshot.record?.subnet, asked?.subnet, "the last subnet is free again and preferred");
  equal(host.snapshot.record?.epoch, 2, "above the one under which the large claim was held");
});

Deno.test("who loses again and again pauses before the next try", () => {
  const host = stagedAsking([2]);
  for (let losses = 0; losses < 3; losses++) {
    host.hear(tentativeRival(host, { hostId: hostId(20 + losses), stamp: 0 }));
    equal(host.snapshot.state, "tentative");
  }
  host.hear(tentativeRival(host, { hostId: hostId(30), stamp: 0 }));
  equal(host.snapshot.state, "listening");
  host.at(2_000);
  equal(host.snapshot.state, "tentative");
});

Deno.test("a subnet that was acknowledged to another is not chosen", () => {
  const probe = stagedAsking([2]);
  const wanted = probe.snapshot.subnet ?? "";
  const host = new Staged();
  host.at(0);
  host.meet([2, 3]);
  host.claimant.synced(0, hostId(2));
  host.asked(9, record({ hostId: hostId(9), subnet: wanted, state: "tentative", strength: 0 }));
  host.sync(3);
  equal(host.snapshot.state, "tentative");
  notEqual(host.snapshot.subnet, wanted);
});

Deno.test("the epoch of a new claim lies above the fence", () => {
  const probe = stagedAsking([2]);
  const subnet = probe.snapshot.subnet ?? "";
  const host = stagedAsking([2], {
    restored: {
      hostId: hostId(1),
      generation: 1,
      lamport: 3,
      fence: [{ subnet, epoch: 8 }],
      record: null,
      previous: null,
    },
  });
  equal(host.snapshot.subnet, subnet);
  equal(host.snapshot.record?.epoch, 9);
  equal(host.snapshot.record?.stamp, 4);
});

Deno.test("a disk that refuses the question: nobody is asked, and it is tried again", () => {
  const host = new Staged();
  host.at(0);
  host.meet([2]);
  host.diskError = "no space left on device";
  host.sync(2);
  equal(host.snapshot.state, "waiting");
  match(host.snapshot.reason ?? "", /cannot be written .*no space left on device/);
  deepEqual(host.takeLetters(), []);
  deepEqual(host.carrier.gossiped, []);
  host.diskError = null;
  host.at(1_000);
  equal(host.snapshot.state, "tentative");
});

Deno.test("a disk that refuses the held claim: it is not held, and tried again", () => {
  const host = stagedAsking([2]);
  host.takeLetters();
  host.diskError = "input/output error";
  host.answer(2);
  equal(host.snapshot.state, "waiting");
  deepEqual(host.snapshot.owners, []);
  deepEqual(host.takeAddressees("push"), []);
  host.diskError = null;
  host.at(1_000);
  host.answer(2);
  equal(host.snapshot.state, "held");
});

Deno.test("what was lost while its record went to disk is not remembered as held", () => {
  const host = stagedAsking([2]);
  host.holdsDisk = true;
  host.answer(2);
  equal(host.writes.length, 1);
  host.hear(rival(host, { subnet: "10.244.0.0/16" }));
  const last = host.writes.at(-1);
  ok(last);
  notEqual(decodeClaimMemory(last.bytes).record?.state, "held");
  host.settleDisk();
  equal(host.snapshot.state, "waiting");
  deepEqual(host.snapshot.owners.map(({ hostId }) => hostId), [hostId(9)]);
});

Deno.test("nor is it while the host waits before its next choice", () => {
  const host = stagedAsking([2]);
  for (const number of [11, 12, 13]) host.hear(rival(host, { hostId: hostId(number) }));
  equal(host.snapshot.state, "tentative");
  host.holdsDisk = true;
  host.answer(2);
  host.hear(rival(host, { hostId: hostId(14) }));
  equal(host.snapshot.state, "listening");
  const last = host.writes.at(-1);
  ok(last);
  notEqual(decodeClaimMemory(last.bytes).record?.state, "held");
});

Deno.test("above 64 members only the five guardians are asked, and four are enough", () => {
  const members = Array.from({ length: LETTERS_MAX + 1 }, (_, index) => index + 2);
  const host = stagedAsking(members);
  const guardians = host.takeAddressees("request");
  equal(guardians.length, 5);
  for (const number of guardians.slice(0, 3)) host.answer(number, { members: null });
  equal(host.snapshot.state, "tentative");
  host.answer(guardians[3] ?? 0, { members: null });
  equal(host.snapshot.state, "held");
  equal(host.snapshot.record?.strength, 1, "four of 66 are no majority");
  deepEqual(host.takeAddressees("push").toSorted(), guardians.toSorted());
});

Deno.test("epoch and stamp of a claim stay writable when those of others are at their ends", () => {
  const host = new Staged();
  host.meet([2]);
  host.hear(
    record({ hostId: hostId(9), subnet: POOL.cidr, epoch: EPOCH_MAX, stamp: STAMP_MAX }),
    record({ hostId: hostId(9), subnet: "10.9.0.0/24", sequence: 1 }),
  );
  host.sync(2);
  equal(host.snapshot.state, "tentative");
  const claim = host.snapshot.record;
  ok(claim);
  deepEqual([claim.epoch, claim.stamp], [EPOCH_MAX, STAMP_MAX]);
});

Deno.test("a host that stood still asks anew: what it did not hear meanwhile proves nothing", () => {
  const host = stagedAsking([2]);
  const { sequence } = host.snapshot.record ?? {};
  ok(sequence !== undefined);
  host.takeLetters();
  host.nowMs += 20_000;
  host.settle();
  equal(host.snapshot.state, "tentative");
  deepEqual(host.takeAddressees("request"), [2]);
  host.answer(2, { sequence });
  equal(host.snapshot.state, "tentative", "an answer from before counts no more");
  host.answer(2);
  equal(host.snapshot.state, "held");
});

Deno.test("hosts that membership does not know, and whose claims stand, count for the majority", () => {
  for (const [state, expected] of [["held", 1], ["released", 2]] as const) {
    const host = new Staged();
    host.at(0);
    host.meet([2]);
    host.hear(
      ...[11, 12, 13].map((number) =>
        record({ hostId: hostId(number), subnet: `10.244.${number}.0/24`, state })
      ),
    );
    host.sync(2);
    host.answer(2);
    equal(host.snapshot.state, "held");
    equal(host.snapshot.record?.strength, expected);
  }
});

Deno.test("hosts remembered from before the restart count for the majority", () => {
  for (const [lost, expected] of [[[], 2], [[11, 12], 1]] as const) {
    const host = new Staged();
    host.carrier.lost = lost;
    host.at(0);
    host.meet([2]);
    host.sync(2);
    host.answer(2);
    equal(host.snapshot.record?.strength, expected);
  }
});
