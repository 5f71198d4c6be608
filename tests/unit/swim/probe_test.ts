/** Failure detection: direct, indirect, over a stream; whom to blame. */
import assert from "node:assert/strict";
import {
  encodeAlive,
  encodeDead,
  encodeLeft,
  encodeSuspect,
} from "../../../mod/wire/news_messages.ts";
import {
  encodeAck,
  encodeIndirectPing,
  encodeNack,
  encodePing,
  encodeReach,
  type Ping,
} from "../../../mod/wire/probe_messages.ts";
import { decodeMessage } from "../../../mod/wire/messages.ts";
import { readRefusal } from "../../../mod/wire/refusal.ts";
import { peer, type SentPacket, Stage } from "./stage.ts";

const [ONE, TWO, THREE] = [peer(1), peer(2), peer(3)];

/** Lets time pass until the first ping, which nobody answers. */
function firstPing(stage: Stage): { target: string; ping: Ping } {
  for (let waitedMs = 0; waitedMs < 2000; waitedMs++) {
    stage.runFor(1);
    for (const { to, messages } of stage.sent()) {
      for (const message of messages) {
        if (message.kind === "ping") return { target: to, ping: message };
      }
    }
  }
  throw new Error("no ping within two seconds");
}

function number(endpoint: string): number {
  return Number(endpoint.split(/[.:]/)[3]);
}

Deno.test("each member is pinged once per lap, one an interval", () => {
  const stage = Stage.among(2, 3, 4, 5, 6);
  const targets: string[] = [];
  const answer = (packet: SentPacket) => {
    if (packet.messages.some(({ kind }) => kind === "ping")) targets.push(packet.to);
    stage.ack(packet);
  };
  for (let lap = 0; lap < 6; lap++) stage.runFor(5000, answer);
  assert.ok(targets.length >= 29 && targets.length <= 31, `${targets.length} pings in 30 s`);
  // Within two laps everybody was a target: the bound of the SWIM paper, 2n - 1 intervals.
  for (let start = 0; start + 9 <= targets.length; start++) {
    assert.equal(new Set(targets.slice(start, start + 9)).size, 5);
  }
});

Deno.test("who is suspected and recovers again and again gets no more turns than others", () => {
  const stage = Stage.among(2, 3, 4, 5, 6);
  const targets: string[] = [];
  let incarnation = 10;
  for (let second = 0; second < 60; second++) {
    stage.packet(TWO.endpoint, encodeSuspect(incarnation, THREE.id, TWO.id));
    stage.packet(THREE.endpoint, encodeAlive(peer(3, { incarnation: ++incarnation })));
    stage.runFor(1000, (packet) => {
      if (packet.messages.some(({ kind }) => kind === "ping")) targets.push(packet.to);
      stage.ack(packet);
    });
  }
  for (let start = 0; start + 9 <= targets.length; start++) {
    assert.equal(new Set(targets.slice(start, start + 9)).size, 5, `${targets}`);
  }
});

Deno.test("laps differ in their order, so that no two hosts probe in step", () => {
  const stage = Stage.among(2, 3, 4, 5, 6);
  const laps: string[] = [];
  for (let lap = 0; lap < 6; lap++) {
    let targets = "";
    stage.runFor(5000, (packet) => {
      targets += number(packet.to);
      stage.ack(packet);
    });
    laps.push(targets);
  }
  assert.ok(new Set(laps).size >= 4, laps.join(" "));
});

Deno.test("the dead and those who left are not pinged, suspects are, and who comes back is again", () => {
  const stage = Stage.among(2, 3, 4, 5, 6);
  const [FOUR, FIVE, SIX] = [peer(4), peer(5), peer(6)];
  stage.packet(SIX.endpoint, encodeSuspect(10, TWO.id, SIX.id));
  stage.packet(SIX.endpoint, encodeDead(10, THREE.id, SIX.id));
  stage.packet(SIX.endpoint, encodeLeft(10, FOUR.id, FOUR.instance));
  const pinged = () => {
    const targets = new Set<number>();
    stage.runFor(6000, (packet) => {
      if (packet.messages.some(({ kind }) => kind === "ping")) targets.add(number(packet.to));
      stage.ack(packet);
    });
    return [...targets].sort();
  };
  assert.deepEqual(pinged(), [2, 5, 6]);
  stage.packet(FIVE.endpoint, encodeAlive({ ...THREE, incarnation: 11 }));
  stage.packet(FOUR.endpoint, encodeAlive({ ...FOUR, incarnation: 11 }));
  assert.deepEqual(pinged(), [2, 3, 4, 5, 6]);
});

Deno.test("nobody to ping means no timer at all", () => {
  const stage = new Stage();
  stage.runFor(60_000);
  assert.equal(stage.swim.wakeAtMs(), Infinity);
});

Deno.test("without an ack, three others and a stream are tried, then the target is suspect", () => {
  const stage = Stage.among(2, 3, 4, 5);
  const { target, ping } = firstPing(stage);
  stage.runFor(249);
  assert.deepEqual(stage.sent(), []);
  stage.runFor(1);
  // Once more: one lost packet is no reason to bother others.
  assert.deepEqual(stage.sent(), [{ to: target, messages: [ping] }]);
  stage.runFor(249);
  assert.deepEqual(stage.sent(), []);
  stage.runFor(1);
  const actions = stage.take();
  const helpers = actions.flatMap((action) => action.kind === "send" ? [action.to] : []);
  assert.equal(new Set(helpers).size, 3);
  assert.equal(helpers.includes(target), false);
  const streams = actions.flatMap((action) => action.kind === "request" ? [action] : []);
  assert.deepEqual(streams.map(({ to }) => to), [target]);
  assert.equal(streams[0]?.timeoutMs, 500);
  stage.runFor(499);
  assert.equal(stage.status(number(target)), "alive");
  stage.runFor(1);
  assert.equal(stage.status(number(target)), "suspect");
  assert.equal(ping.target, peer(number(target)).id);
  assert.equal(ping.source, ONE.id);
});

Deno.test("an ack in time, direct or through a helper, early or late, keeps the target alive", () => {
  for (
    const [waitMs, fromHelper] of [[0, false], [499, false], [600, false], [600, true]] as const
  ) {
    const stage = Stage.among(2, 3, 4);
    const { target, ping } = firstPing(stage);
    stage.runFor(waitMs);
    const helper = [2, 3, 4].find((candidate) => candidate !== number(target)) ?? 0;
    stage.packet(fromHelper ? peer(helper).endpoint : target, encodeAck(ping.sequence));
    stage.runFor(1200 - waitMs, (packet) => stage.ack(packet));
    assert.equal(stage.status(number(target)), "alive");
    assert.equal(stage.swim.healthScore(), 0);
  }
});

Deno.test("an ack with another sequence counts for nothing", () => {
  const stage = Stage.among(2);
  const { target, ping } = firstPing(stage);
  stage.packet(target, encodeAck(ping.sequence + 1));
  stage.runFor(1000);
  assert.equal(stage.status(2), "suspect");
});

const NACKS: [string, number, number][] = [
  ["all helpers say that they heard nothing", 3, 0],
  ["one helper is silent", 2, 1],
  ["all helpers are silent", 0, 3],
];

for (const [what, nacks, score] of NACKS) {
  Deno.test(`${what}: this host's health score becomes ${score}`, () => {
    const stage = Stage.among(2, 3, 4, 5);
    const { target, ping } = firstPing(stage);
    stage.runFor(499);
    stage.sent();
    stage.runFor(1);
    const helpers = stage.sent().map(({ to }) => to);
    assert.equal(helpers.length, 3);
    for (const helper of helpers.slice(0, nacks)) {
      stage.packet(helper, encodeNack(ping.sequence));
      stage.packet(helper, encodeNack(ping.sequence)); // a copy counts once
    }
    stage.runFor(500);
    assert.equal(stage.status(number(target)), "suspect");
    assert.equal(stage.swim.healthScore(), score);
  });
}

Deno.test("without helpers a failed probe costs one point of health, a success gains one", () => {
  const stage = Stage.among(2);
  firstPing(stage);
  stage.runFor(1000);
  assert.equal(stage.swim.healthScore(), 1);
  stage.runFor(10_000, (packet) => stage.ack(packet));
  assert.equal(stage.swim.healthScore(), 0);
});

Deno.test("in bad health the deadline stretches, and probes still do not overlap", () => {
  const stage = Stage.among(2, 3);
  stage.packet(TWO.endpoint, encodeSuspect(10, ONE.id, TWO.id));
  assert.equal(stage.swim.healthScore(), 1);
  const { target, ping } = firstPing(stage);
  stage.runFor(1999);
  assert.equal(stage.status(number(target)), "alive");
  assert.deepEqual(stage.sentMessages("ping").map((again) => again.sequence), [ping.sequence]);
  stage.runFor(1);
  assert.equal(stage.status(number(target)), "suspect");
});

/** Answers every stream that is open, as a peer whose UDP is blocked does. */
function answerStreams(stage: Stage): void {
  for (const action of stage.take()) {
    if (action.kind !== "request") continue;
    const message = decodeMessage(stage.envelope.open(action.bytes).payload);
    if (message.kind !== "reach") continue;
    const bytes = stage.envelope.seal(encodeAck(message.sequence));
    stage.step({ kind: "answer", id: action.id, bytes });
  }
}

/** That long, all answers come over streams. */
function runOverStreams(
  stage: Stage,
  durationMs: number,
  datagrams: (packet: SentPacket) => void = () => {},
): void {
  for (let ms = 0; ms < durationMs; ms += 50) {
    stage.runFor(50, datagrams);
    answerStreams(stage);
  }
}

const udpOf = (stage: Stage) => stage.swim.snapshot().path(TWO.id).udp;

Deno.test("an answer over a stream alone keeps the target alive, and a few are no blocked port", () => {
  const stage = Stage.among(2);
  firstPing(stage);
  runOverStreams(stage, 5000);
  assert.equal(stage.status(2), "alive");
  assert.equal(stage.swim.healthScore(), 0);
  assert.deepEqual(stage.eventWords(), [], "a busy machine is no blocked port");
  assert.equal(udpOf(stage), "ok");
});

Deno.test("a whole series of pings without an answer is blocked UDP, said once until it works again", () => {
  const stage = Stage.among(2);
  runOverStreams(stage, 60_000);
  assert.equal(stage.status(2), "alive");
  assert.equal(udpOf(stage), "blocked");
  const [warning, ...others] = stage.events();
  assert(warning?.kind === "warning");
  assert.equal(warning.code, "udp-blocked");
  assert.equal(
    warning.text,
    "h2 (10.0.0.2:7947) is there, but no UDP packet of it arrives here",
  );
  assert.deepEqual(others, []);

  runOverStreams(stage, 3000, (packet) => stage.ack(packet));
  assert.equal(udpOf(stage), "ok");
  runOverStreams(stage, 60_000);
  assert.deepEqual(stage.eventWords(), ["udp-blocked"]);
});

Deno.test("a peer whose packets arrive while ours do not is told apart", () => {
  const stage = Stage.among(2);
  for (let second = 0; second < 30; second++) {
    runOverStreams(stage, 1000);
    stage.packet(TWO.endpoint, encodePing(second, ONE.id, TWO.id));
  }
  const [warning] = stage.events();
  assert(warning?.kind === "warning");
  assert.match(warning.text, /UDP packets of this host do not arrive there/);
});

Deno.test("a peer that only a helper reaches has its UDP blocked as well", () => {
  const stage = Stage.among(2, 3);
  const relay = (packet: SentPacket) => {
    for (const message of packet.messages) {
      if (packet.to === THREE.endpoint && message.kind === "ping") stage.ack(packet);
      if (message.kind !== "indirect-ping") continue;
      stage.packet(THREE.endpoint, encodeAck(message.sequence));
    }
  };
  stage.runFor(60_000, relay);
  assert.equal(stage.status(2), "alive");
  assert.equal(udpOf(stage), "blocked");
  assert.equal(stage.swim.snapshot().path(THREE.id).udp, "ok");
  assert.deepEqual(stage.eventWords(), ["udp-blocked"]);
});

Deno.test("a peer that says it hears no datagram of ours is looked into at once", () => {
  const stage = Stage.among(2);
  stage.runFor(2000, (packet) => stage.ack(packet));
  stage.take();
  for (let time = 1; time <= 2; time++) {
    const bytes = stage.envelope.seal(encodeReach(time, ONE.id, TWO.id));
    stage.step({ kind: "request", id: time, from: "10.0.0.2:40000", bytes });
  }
  stage.runFor(499);
  assert.ok(stage.sentMessages("ping").length >= 1, "a ping beyond the one of the second");
  stage.runFor(60_000, (packet) => stage.ack(packet));
  assert.equal(udpOf(stage), "ok");
});

Deno.test("a peer that dies while its UDP is in doubt is dead, not blocked", () => {
  const stage = Stage.among(2);
  runOverStreams(stage, 7000);
  stage.runFor(60_000);
  assert.equal(stage.status(2), "dead");
  assert.equal(udpOf(stage), "unknown");
  assert.deepEqual(stage.eventWords(), ["member-suspected h2", "member-failed h2"]);
});

Deno.test("a refusal or nonsense over the stream does not keep the target alive", () => {
  for (const answer of [new Uint8Array([0, 4]), new Uint8Array([1, 2, 3])]) {
    const stage = Stage.among(2);
    firstPing(stage);
    stage.runFor(500);
    for (const action of stage.take()) {
      if (action.kind === "request") stage.step({ kind: "answer", id: action.id, bytes: answer });
    }
    stage.runFor(500);
    assert.equal(stage.status(2), "suspect");
  }
});

Deno.test("a suspect hears of the suspicion with its ping, and can refute at once", () => {
  const stage = Stage.among(2);
  stage.packet(THREE.endpoint, encodeSuspect(10, TWO.id, THREE.id));
  stage.quieten();
  stage.runFor(1100);
  const packet = stage.sent().find(({ messages }) => messages[0]?.kind === "ping");
  assert.deepEqual(packet?.messages[1], {
    kind: "suspect",
    incarnation: 10,
    id: TWO.id,
    accuser: ONE.id,
  });
});

Deno.test("a round that began before the target restarted does not accuse the new process", () => {
  const stage = Stage.among(2);
  firstPing(stage);
  stage.packet(TWO.endpoint, encodeAlive({ ...TWO, incarnation: 11, instance: "ff".repeat(8) }));
  stage.runFor(1000);
  assert.equal(stage.status(2), "alive");
});

Deno.test("a ping is acked with its own sequence to where it came from, with news only for members", () => {
  const stage = new Stage();
  stage.packet("10.7.7.7:1", encodePing(4711, ONE.id, THREE.id));
  assert.deepEqual(stage.sent(), [
    { to: "10.7.7.7:1", messages: [{ kind: "ack", sequence: 4711 }] },
  ]);
});

Deno.test("a ping for another host is not answered, over a stream it is refused", () => {
  const stage = Stage.among(2);
  stage.packet(TWO.endpoint, encodePing(1, THREE.id, TWO.id));
  assert.deepEqual(stage.take(), []);
  const bytes = stage.envelope.seal(encodeReach(1, THREE.id, TWO.id));
  stage.step({ kind: "request", id: 5, from: TWO.endpoint, bytes });
  const [answer] = stage.take();
  assert(answer?.kind === "answer");
  assert.equal(readRefusal(answer.bytes)?.text, "another host has that address now");
});

Deno.test("a ping over a stream is acked", () => {
  const stage = Stage.among(2);
  const bytes = stage.envelope.seal(encodeReach(77, ONE.id, TWO.id));
  stage.step({ kind: "request", id: 5, from: TWO.endpoint, bytes });
  const [answer] = stage.take();
  assert(answer?.kind === "answer");
  assert.equal(answer.id, 5);
  assert.deepEqual(decodeMessage(stage.envelope.open(answer.bytes).payload), {
    kind: "ack",
    sequence: 77,
  });
});

Deno.test("a suspect that pings us hears what we believe", () => {
  const stage = Stage.among(2, 3);
  stage.packet(THREE.endpoint, encodeSuspect(10, TWO.id, THREE.id));
  stage.quieten();
  stage.packet(TWO.endpoint, encodePing(1, ONE.id, TWO.id));
  const [packet] = stage.sent();
  assert.deepEqual(packet?.messages.map(({ kind }) => kind), ["ack", "suspect"]);
});

Deno.test("this host pings for others and passes the ack on with the asker's sequence", () => {
  const stage = Stage.among(2, 3);
  stage.packet(TWO.endpoint, encodeIndirectPing(1234, THREE.id));
  const [packet] = stage.sent();
  const ping = packet?.messages[0];
  assert(ping?.kind === "ping");
  assert.equal(packet?.to, THREE.endpoint);
  assert.equal(ping.target, THREE.id);
  stage.packet(THREE.endpoint, encodeAck(ping.sequence));
  stage.packet(THREE.endpoint, encodeAck(ping.sequence)); // a copy is not passed on
  assert.deepEqual(stage.sent(), [{
    to: TWO.endpoint,
    messages: [{ kind: "ack", sequence: 1234 }],
  }]);
});

Deno.test("this host says so when the target of somebody else's ping is silent or unknown", () => {
  for (const target of [THREE.id, peer(9).id]) {
    const stage = Stage.among(2, 3);
    stage.packet(TWO.endpoint, encodeIndirectPing(1234, target));
    stage.sent();
    stage.runFor(399, (packet) => packet.to === TWO.endpoint && stage.ack(packet));
    assert.equal(stage.sentMessages("nack").length, 0);
    stage.runFor(2);
    const packet = stage.sent().find(({ messages }) => messages[0]?.kind === "nack");
    assert.equal(packet?.to, TWO.endpoint);
    assert.deepEqual(packet?.messages[0], { kind: "nack", sequence: 1234 });
  }
});

Deno.test("the round trip time is the median of the last five direct acks", () => {
  const stage = Stage.among(2);
  const delaysMs = [3, 1, 100, 2, 4, 5, 200];
  for (const delayMs of delaysMs) {
    const { target, ping } = firstPing(stage);
    stage.runFor(delayMs);
    stage.packet(target, encodeAck(ping.sequence));
  }
  assert.equal(Math.round(stage.swim.snapshot().path(TWO.id).rttMs ?? 0), 5); // of 100, 2, 4, 5, 200
});

Deno.test("a process that stood still blames itself, not the others", () => {
  const stage = Stage.among(2, 3);
  stage.packet(THREE.endpoint, encodeSuspect(10, TWO.id, THREE.id));
  firstPing(stage);
  stage.nowMs += 20_000; // no step in all that time
  stage.step({ kind: "wake" });
  assert.deepEqual([stage.status(2), stage.status(3)], ["suspect", "alive"]);
  assert.equal(stage.swim.healthScore(), 1);
  stage.packet(TWO.endpoint, encodeAlive({ ...TWO, incarnation: 11 }));
  assert.equal(stage.status(2), "alive");
});

Deno.test("a process that stood still at the end of a suspicion first hears what the accused said meanwhile", () => {
  const stage = Stage.among(2, 3, 4, 5);
  stage.packet(THREE.endpoint, encodeSuspect(10, TWO.id, THREE.id));
  for (const accuser of [peer(4), peer(5)]) {
    stage.packet(accuser.endpoint, encodeSuspect(10, TWO.id, accuser.id));
  }
  const answer = (packet: SentPacket) => {
    if (packet.to !== TWO.endpoint) stage.ack(packet);
  };
  // To just before the end of the suspicion: nothing else is due first.
  while (stage.status(2) === "suspect" && stage.nowMs < 4990 + 1000) stage.runFor(10, answer);
  assert.equal(stage.status(2), "suspect");
  stage.nowMs += 60_000;
  stage.step({ kind: "wake" });
  assert.equal(stage.status(2), "suspect");
  stage.packet(TWO.endpoint, encodeAlive({ ...TWO, incarnation: 11 }));
  assert.equal(stage.status(2), "alive");
});

Deno.test("a process that woke up only after the deadline, having asked nobody, accuses nobody", () => {
  const stage = Stage.among(2, 3);
  firstPing(stage);
  stage.nowMs += 1001; // less late than what counts as having stood still
  stage.step({ kind: "wake" });
  assert.deepEqual([stage.status(2), stage.status(3)], ["alive", "alive"]);
  assert.equal(stage.sentMessages("ping").length, 1); // the next round
});

Deno.test("a member that renames itself again and again is probed no more often for it", () => {
  const stage = Stage.among(2, 3);
  for (let incarnation = 11; incarnation < 60; incarnation++) {
    const record = peer(2, { incarnation, name: `name-${incarnation}` });
    stage.packet(record.endpoint, encodeAlive(record));
  }
  const pings = new Map<string, number>();
  stage.runFor(20_000, (packet) => {
    if (!packet.messages.some(({ kind }) => kind === "ping")) return;
    pings.set(packet.to, (pings.get(packet.to) ?? 0) + 1);
    stage.ack(packet);
  });
  assert.ok((pings.get(peer(3).endpoint) ?? 0) >= 8, `pings of h3: ${pings.get(peer(3).endpoint)}`);
});
