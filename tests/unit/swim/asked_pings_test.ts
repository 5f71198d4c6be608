/** Pings that an operator asked for: datagram and stream apart, and no verdict on anybody. */
import assert from "node:assert/strict";
import { ASKED_PINGS_MAX } from "../../../mod/swim/asked_pings.ts";
import type { PingOutcome } from "../../../mod/swim/ping_outcome.ts";
import { LAN_TIMINGS } from "../../../mod/swim/timings.ts";
import { decodeMessage } from "../../../mod/wire/messages.ts";
import { encodeAlive } from "../../../mod/wire/news_messages.ts";
import { splitParts } from "../../../mod/wire/parts.ts";
import { encodeRefusal } from "../../../mod/wire/refusal.ts";
import { peer, Stage } from "./stage.ts";

const TWO = peer(2);

/** A host that knows host 2 and pings it only when it is told to. */
function withoutProbes(): Stage {
  const stage = new Stage({ timings: { ...LAN_TIMINGS, probeIntervalMs: 1_000_000_000 } });
  stage.packet(TWO.endpoint, encodeAlive(TWO));
  stage.quieten();
  return stage;
}

/** Asks host 2; `answersPing` is the number of the datagram that is answered. */
function ask(answersPing: number | null, stream: "refuses" | "fails"): PingOutcome | null {
  const stage = withoutProbes();
  const before = stage.swim.snapshot().healthScore;
  stage.step({ kind: "command", command: { kind: "ping", request: 7, id: TWO.id } });
  let pings = 0;
  const actions = stage.take();
  const request = actions.find((action) => action.kind === "request");
  assert(request?.kind === "request");
  for (const action of actions) {
    if (action.kind === "send") answer(action.to, action.bytes);
  }
  stage.nowMs += 5;
  if (stream === "refuses") {
    stage.step({ kind: "answer", id: request.id, bytes: encodeRefusal("other-host") });
  } else stage.step({ kind: "failed", id: request.id, reason: "connection refused" });
  stage.runFor(2_000, (packet) => {
    if (packet.messages.some(({ kind }) => kind === "ping") && ++pings === answersPing) {
      stage.ack(packet);
    }
  });
  assert.equal(stage.status(2), "alive");
  assert.equal(stage.swim.snapshot().healthScore, before);
  const done = stage.events().filter((event) => event.kind === "pinged");
  assert.equal(done.length, 1);
  assert(done[0]?.kind === "pinged" && done[0].request === 7);
  return done[0].outcome;

  function answer(to: string, bytes: Uint8Array): void {
    assert.equal(to, TWO.endpoint);
    assert(bytes.length > 0);
    pings++;
    if (pings !== answersPing) return;
    stage.ack({ to, messages: splitParts(stage.open(bytes)).map(decodeMessage) });
  }
}

Deno.test("an asked ping says how long datagram and stream took", () => {
  assert.deepEqual(ask(1, "refuses"), { datagramMs: 0, streamMs: 5, streamReason: null });
});

Deno.test("one lost datagram is not taken for a blocked port", () => {
  assert.deepEqual(ask(2, "refuses"), { datagramMs: 0, streamMs: 5, streamReason: null });
});

Deno.test("a shut UDP port and a shut TCP port are told apart", () => {
  assert.deepEqual(ask(null, "refuses"), { datagramMs: null, streamMs: 5, streamReason: null });
  assert.deepEqual(ask(1, "fails"), {
    datagramMs: 0,
    streamMs: null,
    streamReason: "connection refused",
  });
});

Deno.test("who is not known, and who asks too much, is told at once", () => {
  const stage = Stage.among(2);
  const outcomes = (id: string) => {
    stage.step({ kind: "command", command: { kind: "ping", request: 1, id } });
    return stage.events().filter((event) => event.kind === "pinged");
  };
  assert.equal(outcomes(peer(9).id).length, 1);
  assert.equal(outcomes(peer(1).id).length, 1);
  for (let count = 0; count < ASKED_PINGS_MAX; count++) assert.equal(outcomes(TWO.id).length, 0);
  assert.equal(outcomes(TWO.id).length, 1);
});
