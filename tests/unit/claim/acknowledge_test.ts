/** The answering side of a claim. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { idPrefix, type Verdict } from "../../../mod/claim/messages.ts";
import type { ClaimRecord } from "../../../mod/claim/record.ts";
import { hostId, record, Staged, stagedHolding } from "./samples.ts";

const FREE = "10.244.9.0/24";

function asks(number: number, changes: Partial<ClaimRecord> = {}): ClaimRecord {
  return record({
    hostId: hostId(number),
    subnet: FREE,
    state: "tentative",
    strength: 0,
    stamp: 10 + number,
    ...changes,
  });
}

function said(verdict: Verdict): string {
  switch (verdict.kind) {
    case "yes":
      return "yes";
    case "busy":
      return `busy ${Number("0x" + idPrefix(verdict.claim.record.hostId))}`;
    case "resting":
      return `resting ${verdict.seconds}`;
    case "fenced":
      return `fenced ${verdict.epoch}`;
  }
}

/** What was answered to whom since the last call: the busy host, or "yes". */
function answers(host: Staged): string[] {
  return host.takeLetters().flatMap(({ to, message }) => {
    if (message.kind !== "answer") return [];
    return [`${to.split(":")[0]?.split(".")[3]} ${said(message.verdict)}`];
  });
}

Deno.test("a free subnet is acknowledged, with the members that this host knows", () => {
  const host = stagedHolding();
  host.meet([2, 3]);
  host.meet([4], "suspect");
  host.meet([5], "dead");
  host.takeLetters();
  host.asked(2, asks(2));
  const [letter] = host.takeLetters();
  ok(letter?.message.kind === "answer");
  equal(letter.message.verdict.kind, "yes");
  equal(letter.message.claimant, hostId(2));
  deepEqual(letter.message.members, [3, 4].map((number) => idPrefix(hostId(number))));
});

Deno.test("the own subnet is never acknowledged", () => {
  const host = stagedHolding();
  host.asked(2, asks(2, { subnet: "10.244.7.0/24" }));
  deepEqual(answers(host), ["2 busy 1"]);
  host.asked(3, asks(3, { subnet: "10.244.6.0/23" }));
  deepEqual(answers(host), ["3 busy 1"]);
});

Deno.test("a subnet that somebody holds or gives up is not acknowledged", () => {
  for (const state of ["held", "yielding"] as const) {
    const host = stagedHolding();
    host.hear(record({ hostId: hostId(8), subnet: FREE, state }));
    host.asked(2, asks(2));
    deepEqual(answers(host), ["2 busy 8"]);
  }
});

Deno.test("a released subnet rests for ten minutes, unless nothing else is free", () => {
  const host = stagedHolding();
  host.hear(record({ hostId: hostId(8), subnet: FREE, state: "released" }));
  host.at(60_000);
  host.asked(2, asks(2, { epoch: 2 }));
  deepEqual(answers(host), ["2 resting 540"]);
  host.asked(2, asks(2, { epoch: 2 }), true);
  deepEqual(answers(host), ["2 yes"]);
});

Deno.test("a released subnet has rested after ten minutes", () => {
  const host = stagedHolding();
  host.hear(record({ hostId: hostId(8), subnet: FREE, state: "released" }));
  host.at(599_999);
  host.asked(2, asks(2, { epoch: 2 }));
  deepEqual(answers(host), ["2 resting 1"]);
  host.at(600_000);
  host.asked(2, asks(2, { epoch: 2 }));
  deepEqual(answers(host), ["2 yes"]);
});

Deno.test("the releaser may have its subnet back at once, and its next claim does not end the rest for others", () => {
  const host = stagedHolding();
  const releaser = record({ hostId: hostId(8), subnet: FREE, epoch: 1 });
  host.hear(releaser);
  host.hear({ ...releaser, sequence: 1, state: "released", epoch: 2 });
  host.asked(8, asks(8, { sequence: 2, epoch: 3 }));
  deepEqual(answers(host), ["8 yes"]);
  host.hear(asks(8, { sequence: 3, subnet: "10.244.10.0/24" }));
  host.asked(2, asks(2, { epoch: 3 }));
  deepEqual(answers(host), ["2 resting 600"]);
});

Deno.test("a release that was overtaken by the releaser's next claim is noticed all the same", () => {
  const host = stagedHolding();
  host.hear(record({ hostId: hostId(8), subnet: FREE, epoch: 1 }));
  host.hear(asks(8, { sequence: 2, subnet: "10.244.10.0/24" }));
  host.asked(2, asks(2, { epoch: 2 }));
  deepEqual(answers(host), ["2 resting 600"]);
});

Deno.test("a question that is not above the fence is told the fence", () => {
  const host = stagedHolding();
  host.hear(record({ hostId: hostId(8), subnet: FREE, epoch: 3 }));
  host.hear(record({ hostId: hostId(8), subnet: "10.244.10.0/24", sequence: 1 }));
  host.asked(2, asks(2, { epoch: 3 }), true);
  deepEqual(answers(host), ["2 fenced 3"]);
  host.asked(2, asks(2, { epoch: 4, sequence: 1 }), true);
  deepEqual(answers(host), ["2 yes"]);
});

Deno.test("a question that lies below the fence stands in nobody's way", () => {
  const host = stagedHolding();
  host.hear(asks(3, { epoch: 5, stamp: 1 }));
  host.hear(record({ hostId: hostId(8), subnet: FREE, epoch: 5 }));
  host.hear(record({ hostId: hostId(8), subnet: "10.244.10.0/24", sequence: 1 }));
  host.asked(2, asks(2, { epoch: 6, stamp: 99 }), true);
  deepEqual(answers(host), ["2 yes"]);
});

Deno.test("one claimant per subnet: the second is told of the first", () => {
  const host = stagedHolding();
  host.asked(2, asks(2));
  host.asked(3, asks(3));
  deepEqual(answers(host), ["2 yes", "3 busy 2"]);
});

Deno.test("asking again is answered again", () => {
  const host = stagedHolding();
  host.asked(2, asks(2));
  host.asked(2, asks(2));
  deepEqual(answers(host), ["2 yes", "2 yes"]);
});

Deno.test("a second claimant of higher rank also hears busy, until the first gives way", () => {
  const host = stagedHolding();
  host.meet([2, 3]);
  host.takeLetters();
  host.asked(3, asks(3));
  host.asked(2, asks(2)); // the older stamp
  const letters = host.takeLetters();
  deepEqual(letters.map(({ message }) => message.kind), ["answer", "answer", "push"]);
  equal(letters[2]?.to, "192.0.2.3:7947", "the first learns at once whom it has to give way to");
  host.hear(asks(3, { sequence: 1, subnet: "10.244.11.0/24" }));
  deepEqual(answers(host), ["2 yes"]);
});

Deno.test("a claimant that is known to rank lower than a rival is told so although nothing was promised", () => {
  const host = stagedHolding();
  host.hear(asks(2));
  host.asked(3, asks(3));
  deepEqual(answers(host), ["3 busy 2"]);
});

Deno.test("a promise ends when its claimant holds, is gone elsewhere, or time has passed", () => {
  const host = stagedHolding();
  host.asked(3, asks(3));
  deepEqual(answers(host), ["3 yes"]);
  host.at(5_999);
  host.asked(2, asks(2));
  deepEqual(answers(host), ["2 busy 3"]);
  host.at(6_001);
  host.asked(2, asks(2));
  deepEqual(answers(host), ["2 yes"]);
});

Deno.test("before its own first full sync a member keeps silent, and then answers", () => {
  const host = new Staged();
  host.at(0);
  host.asked(2, asks(2));
  deepEqual(answers(host), []);
  host.meet([2]);
  host.sync(2);
  deepEqual(answers(host), ["2 yes"]);
});

Deno.test("a member that seeks the subnet itself keeps silent until its own claim is on disk", () => {
  const host = new Staged({ pin: FREE });
  host.at(0);
  host.meet([2, 4]);
  host.holdsDisk = true;
  host.sync(2);
  host.sync(4);
  host.takeLetters();
  host.asked(2, asks(2, { stamp: 99 }));
  deepEqual(answers(host), []);
  host.settleDisk();
  deepEqual(answers(host), ["2 busy 1"]);
});

Deno.test("a question that its claimant has overtaken is not answered", () => {
  const host = stagedHolding();
  host.hear(asks(2, { sequence: 5, subnet: "10.244.12.0/24" }));
  host.asked(2, asks(2, { sequence: 1 }));
  deepEqual(answers(host), []);
});

Deno.test("an answer names the tentative claims that its sender knows, same subnet first", () => {
  const host = stagedHolding();
  host.hear(asks(8, { subnet: "10.244.20.0/24" }), asks(9, { stamp: 99 }));
  host.takeLetters();
  host.asked(2, asks(2));
  const [letter] = host.takeLetters();
  ok(letter?.message.kind === "answer");
  deepEqual(letter.message.tentative.map(({ record }) => record.hostId), [hostId(9), hostId(8)]);
});

Deno.test("who was put off is not told again with each news, and is forgotten after a while", () => {
  const host = stagedHolding();
  host.meet([2, 3]);
  host.asked(3, asks(3));
  host.asked(2, asks(2));
  host.takeLetters();
  for (let sequence = 0; sequence < 60; sequence++) {
    host.at(host.nowMs + 100);
    host.hear(record({ hostId: hostId(8), subnet: "10.244.88.0/24", sequence }));
  }
  const isAbout = (claim: ClaimRecord) => claim.hostId === hostId(2);
  const pushes = host.carrier.letters.flatMap(({ message }) =>
    message.kind === "push" ? message.claims.filter(({ record }) => isAbout(record)) : []
  );
  deepEqual([answers(host), pushes], [[], []]);
  host.hear(asks(3, { sequence: 1, subnet: "10.244.11.0/24" }));
  deepEqual(answers(host), [], "its claimant went the slow way long ago");
});
