/** Asking for the subnet of an absent host. */
import { deepEqual, equal } from "node:assert/strict";
import { Ledger } from "../../../mod/claim/ledger.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import { EPOCH_MAX } from "../../../mod/claim/record_codec.ts";
import { hostId, record, Staged, stateOfLedger } from "./samples.ts";

const PIN = "10.244.7.0/24";
const MEMBERS = [2, 3, 4, 5];

/** A host that may have one subnet only, which belongs to host 9, who is away; three members say that this is too long. */
function stagedReclaiming(changes: Partial<ClaimRecord> = {}): Staged {
  const host = new Staged({ pin: PIN });
  host.at(0);
  host.meet(MEMBERS);
  host.meet([9], "dead");
  host.hear(record({ hostId: hostId(9), subnet: PIN, epoch: 3, strength: 2, ...changes }));
  for (const number of MEMBERS.slice(0, 3)) say(host, number);
  return host;
}

/** That member says in a sync that host 9 was away too long. */
function say(host: Staged, number: number): void {
  const state = stateOfLedger(0, new Ledger(), 0, true, [hostId(9)]);
  host.claimant.merge(host.nowMs, hostId(number), state);
  host.sync(number);
}

Deno.test("the subnet of an absent host is asked for as a last resort, above its claim", () => {
  const host = stagedReclaiming();
  equal(host.snapshot.state, "tentative");
  equal(host.snapshot.record?.epoch, 4);
  const requests = host.takeLetters().flatMap(({ message }) =>
    message.kind === "request" ? [message.isLastResort] : []
  );
  deepEqual(new Set(requests), new Set([true]));
});

/** Twice the wait for objections among six hosts, 3.2 s. */
Deno.test("it is held after twice the wait and with a majority's leave, never at once", () => {
  const host = stagedReclaiming();
  for (const number of MEMBERS) host.answer(number);
  equal(host.snapshot.state, "tentative");
  host.at(6_300);
  equal(host.snapshot.state, "tentative");
  host.at(6_500);
  equal(host.snapshot.state, "held");
  deepEqual(
    [host.snapshot.record?.strength, host.snapshot.record?.epoch],
    [6, 4],
    "pinned, strong",
  );
  deepEqual(host.eventsOf("conflict"), []);
});

Deno.test("without a majority of the last-known hosts it is given up, and tried again after minutes", () => {
  const host = stagedReclaiming();
  for (const number of [2, 3]) host.answer(number); // three of six
  host.at(6_500);
  equal(host.snapshot.state, "waiting");
  equal(host.snapshot.problems[0]?.code, "pin-taken");
  const { sequence } = host.snapshot.record ?? {};
  for (const number of MEMBERS) say(host, number);
  host.at(5 * 60_000);
  equal(host.snapshot.state, "waiting");
  equal(host.snapshot.record?.sequence, sequence);
  for (let second = 5 * 60; second < 12 * 60 && host.snapshot.state === "waiting"; second++) {
    if (second % 60 === 0) { for (const number of MEMBERS) say(host, number); }
    host.at(second * 1_000);
  }
  equal(host.snapshot.state, "tentative");
});

Deno.test("whatever the old owner writes, and its mere presence, ends it", () => {
  const before = record({ hostId: hostId(9), subnet: PIN, epoch: 3, strength: 2 });
  const ends: ((host: Staged) => void)[] = [
    (host) => host.hear({ ...before, sequence: 1, epoch: 4 }),
    (host) => host.hear({ ...before, generation: before.generation + 1 }),
    (host) => host.meet([9]),
    (host) => host.meet([9], "suspect"),
  ];
  for (const end of ends) {
    const host = stagedReclaiming();
    end(host);
    equal(host.snapshot.state, "waiting");
    equal(host.snapshot.record?.state, "released", "the question is withdrawn");
  }
});

Deno.test("the owner's refusal, and that of others, does not end it while most agree", () => {
  const host = stagedReclaiming();
  const claim = record({ hostId: hostId(9), subnet: PIN, epoch: 3, strength: 2 });
  host.answer(5, { busy: claim });
  equal(host.snapshot.state, "tentative");
  for (const number of [2, 3, 4]) host.answer(number);
  host.at(6_500);
  equal(host.snapshot.state, "held");
});

Deno.test("a claim at the last epoch is not asked for: nothing would be above it", () => {
  const host = stagedReclaiming({ epoch: EPOCH_MAX });
  equal(host.snapshot.state, "waiting");
});

Deno.test("nothing is asked of a host that may be alive, or on one member's word", () => {
  const host = new Staged({ pin: PIN });
  host.at(0);
  host.meet(MEMBERS);
  host.meet([9], "dead");
  host.hear(record({ hostId: hostId(9), subnet: PIN, epoch: 3 }));
  say(host, 2);
  say(host, 3);
  host.at(2_000);
  equal(host.snapshot.state, "waiting");
  say(host, 4);
  equal(host.snapshot.state, "tentative");
});
