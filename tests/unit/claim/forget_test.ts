/** What a claimant does when it is told that a host is to be forgotten, and when it hears of that. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { encodeFencePush } from "../../../mod/claim/messages.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import { EPOCH_MAX } from "../../../mod/claim/record_codec.ts";
import { LEAP_MAX } from "../../../mod/claim/sanity.ts";
import { fenceToForget, stands } from "../../../mod/claim/standing.ts";
import { endpointOf, hostId, record, type Staged, stagedAsking, stagedHolding } from "./samples.ts";

const FREE = "10.244.9.0/24";

/** The fences that were told since the last call: to whom, or by gossip. */
function told(host: Staged): string[] {
  const letters = host.takeLetters().map(({ to, message }) => ({ to, message }));
  const gossiped = host.carrier.gossiped.splice(0).map(({ message }) => ({ to: "all", message }));
  return [...letters, ...gossiped].flatMap(({ to, message }) =>
    message.kind === "fence"
      ? message.entries.map(({ subnet, epoch }) => `${to.split(":")[0]}: ${subnet} ${epoch}`)
      : []
  );
}

function fenced(host: Staged, subnet: string, epoch: number, via: "gossip" | "letter" = "gossip") {
  const push = encodeFencePush([{ subnet, epoch }]);
  host.claimant.receive(host.nowMs, { via, from: endpointOf(2) }, push);
  host.settle();
}

function ownerOf(host: Staged, subnet: string): string | undefined {
  return host.snapshot.owners.find((claim) => claim.subnet === subnet)?.hostId;
}

Deno.test("a claim stands above its fence: a question truly above, a hold not below", () => {
  const held = (epoch: number) => record({ epoch });
  const asked = (epoch: number) => record({ epoch, state: "tentative" });
  const cases: [ClaimRecord, number, boolean][] = [
    [held(3), 3, true],
    [held(3), 4, false],
    [asked(3), 2, true],
    [asked(3), 3, false],
    [record({ epoch: 3, state: "yielding" }), 3, true],
    [record({ epoch: 3, state: "released" }), 0, false],
    [held(EPOCH_MAX), EPOCH_MAX, true],
    [asked(EPOCH_MAX), EPOCH_MAX, true],
    [asked(EPOCH_MAX - 1), EPOCH_MAX, false],
  ];
  for (const [claim, fence, expected] of cases) equal(stands(claim, fence), expected);
  for (const claim of [held(3), asked(3), record({ state: "yielding" }), held(EPOCH_MAX - 1)]) {
    equal(stands(claim, fenceToForget(claim)), false);
  }
});

Deno.test("to forget a host raises the fence of its subnet, and tells everybody at once", () => {
  const host = stagedHolding();
  host.meet([2, 3]);
  host.hear(record({ hostId: hostId(9), subnet: FREE, epoch: 4 }));
  equal(ownerOf(host, FREE), hostId(9));
  told(host);
  host.claimant.command(host.nowMs, { kind: "forget", hostId: hostId(9) });
  host.settle();
  equal(ownerOf(host, FREE), undefined);
  deepEqual(told(host), [
    `192.0.2.2: ${FREE} 5`,
    `192.0.2.3: ${FREE} 5`,
    `all: ${FREE} 5`,
  ]);
  const { fenceSize, records } = host.snapshot;
  host.claimant.command(host.nowMs, { kind: "forget", hostId: hostId(9) });
  host.settle();
  deepEqual([host.snapshot.fenceSize, host.snapshot.records], [fenceSize, records]);
  equal(told(host).length, 3, "who says it again tells it again");
  fenced(host, FREE, 9);
  told(host);
  host.claimant.command(host.nowMs, { kind: "forget", hostId: hostId(9) });
  host.settle();
  deepEqual(told(host), [], "the fence is above that already");
});

Deno.test("who claims nothing, and this host itself, cannot be forgotten", () => {
  const host = stagedHolding();
  host.meet([2]);
  host.hear(record({ hostId: hostId(9), subnet: FREE, state: "released" }));
  told(host);
  for (const number of [1, 7, 9]) {
    host.claimant.command(host.nowMs, { kind: "forget", hostId: hostId(number) });
    host.settle();
  }
  deepEqual(told(host), []);
  equal(host.snapshot.record?.epoch, 1);
});

Deno.test("news of a fence are passed on, once; old ones and those far above all others are not", () => {
  for (const via of ["gossip", "letter"] as const) {
    const host = stagedHolding();
    host.meet([2]);
    told(host);
    fenced(host, FREE, 5, via);
    deepEqual(told(host), [`all: ${FREE} 5`]);
    fenced(host, FREE, 5, via);
    fenced(host, FREE, 4, via);
    fenced(host, FREE, 6 + LEAP_MAX, via);
    deepEqual(told(host), []);
  }
});

Deno.test("a live host that was forgotten writes its claim anew, above the fence, with one write", () => {
  const host = stagedHolding();
  host.meet([2]);
  const { sequence } = host.snapshot.record ?? {};
  fenced(host, "10.244.7.0/24", 2);
  equal(host.snapshot.state, "held");
  equal(host.snapshot.record?.epoch, 3);
  equal(host.snapshot.record?.sequence, (sequence ?? 0) + 1);
  equal(ownerOf(host, "10.244.7.0/24"), hostId(1));
  deepEqual(host.eventsOf("conflict"), []);
});

Deno.test("a question that a fence rose to is asked anew, above it, and not held before", () => {
  const host = stagedAsking([2]);
  const asked = host.snapshot.record;
  ok(asked);
  host.takeLetters();
  fenced(host, asked.subnet, asked.epoch);
  const anew = host.snapshot.record;
  deepEqual([anew?.state, anew?.subnet, anew?.epoch], ["tentative", asked.subnet, asked.epoch + 1]);
  deepEqual(host.takeAddressees("request"), [2]);
  host.answer(2, { sequence: asked.sequence });
  equal(host.snapshot.state, "tentative", "a yes to the old question");
  host.answer(2);
  equal(host.snapshot.state, "held");
});

Deno.test("a fence that an answer tells of has the question asked anew; a subnet at rest is left alone", () => {
  const host = stagedAsking([2, 3]);
  const asked = host.snapshot.record;
  ok(asked);
  host.answer(2, { verdict: { kind: "fenced", epoch: 7 } });
  deepEqual([host.snapshot.record?.subnet, host.snapshot.record?.epoch], [asked.subnet, 8]);
  host.answer(2, { verdict: { kind: "resting", seconds: 300 } });
  equal(host.snapshot.state, "tentative");
  ok(host.snapshot.subnet !== asked.subnet);
  equal(host.snapshot.record?.epoch, 1);
});
