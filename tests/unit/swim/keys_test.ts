/** Sealed gossip as one host sees it: hellos, refusals, who is answered how, and changes of its own keyring. */
import assert from "node:assert/strict";
import { Random } from "../../../mod/base/random.ts";
import { Envelope, type Opened, UNBOUND } from "../../../mod/wire/envelope.ts";
import { Feature } from "../../../mod/wire/features.ts";
import { encodeHello, encodeHelloed } from "../../../mod/wire/hello_messages.ts";
import { encodeKeysRequest, type KeyOperation } from "../../../mod/wire/key_messages.ts";
import { fingerprintOf } from "../../../mod/wire/keyring.ts";
import { decodeMessage, type Message } from "../../../mod/wire/messages.ts";
import { encodeAlive, encodeDead } from "../../../mod/wire/news_messages.ts";
import { joinParts } from "../../../mod/wire/parts.ts";
import { encodeAck, encodePing, encodeReach } from "../../../mod/wire/probe_messages.ts";
import { encodeRefusal, readRefusal, type RefusalReason } from "../../../mod/wire/refusal.ts";
import { testKey, testKeyring } from "../../support/test_cipher.ts";
import { peer, sealedFor, Stage } from "./stage.ts";

const random = new Random(1);
const SEALING = { features: Feature.opensSealed };
const [ONE, TWO] = [peer(1), peer(2, SEALING)];

/** A stage with the key 1, among peers that have it as well. */
function sealedStage(...peers: number[]): Stage {
  const stage = new Stage({ keys: testKeyring(random, 1) });
  for (const number of peers) {
    stage.packet(peer(number).endpoint, encodeAlive(peer(number, SEALING)));
  }
  if (peers.length > 0) stage.quieten();
  return stage;
}

/** Host 2's own envelope. */
function envelopeOfTwo(instance = TWO.instance): Envelope {
  return new Envelope("test", { keys: testKeyring(random, 1), instance });
}

/** The only question that is asked now. */
function question(stage: Stage): { id: number; bytes: Uint8Array } {
  const asked = stage.take().filter((action) => action.kind === "request");
  assert.equal(asked.length, 1);
  const [request] = asked;
  assert(request?.kind === "request");
  return request;
}

function refuse(stage: Stage, id: number, reason: RefusalReason): void {
  stage.step({ kind: "answer", id, bytes: encodeRefusal(reason) });
}

/** Host 2 opens the question and answers it. */
function answer(
  stage: Stage,
  asked: { id: number; bytes: Uint8Array },
  envelope: Envelope,
  message: Uint8Array,
): Message {
  const opened = envelope.open(asked.bytes);
  stage.step({ kind: "answer", id: asked.id, bytes: envelope.answer(message, opened) });
  return decodeMessage(opened.payload);
}

/** Somebody asks the stage; its answer, opened, or the reason why there is none. */
function ask(stage: Stage, message: Uint8Array, envelope: Envelope, destination = ONE.instance) {
  const path = { destination: Uint8Array.fromHex(destination), key: null };
  const { frame, question } = envelope.ask(message, path);
  stage.step({ kind: "request", id: 9, from: TWO.endpoint, bytes: frame });
  const action = stage.take().find(({ kind }) => kind === "answer");
  assert(action?.kind === "answer");
  const refusal = readRefusal(action.bytes);
  if (refusal !== null) return refusal.reason;
  return decodeMessage(envelope.openAnswer(action.bytes, question));
}

Deno.test("a seed is asked who it is before it is told anything", () => {
  const stage = new Stage({ keys: testKeyring(random, 1), seeds: ["s"] });
  stage.step({ kind: "resolved", seed: "s", endpoints: [TWO.endpoint] });
  const hello = question(stage);
  const envelope = envelopeOfTwo();
  assert.equal(envelope.open(hello.bytes).isBound, false);
  assert.equal(answer(stage, hello, envelope, encodeHelloed(TWO.id, TWO.instance)).kind, "hello");
  const bound = envelope.open(question(stage).bytes);
  assert.equal(bound.isBound, true);
  assert.notEqual(decodeMessage(bound.payload).kind, "hello");
});

Deno.test("a member that was started anew is met again by one hello", () => {
  const stage = sealedStage(2);
  stage.swim.requestSync(TWO.id);
  stage.step({ kind: "wake" });
  refuse(stage, question(stage).id, "other-instance");
  const anew = envelopeOfTwo("ab".repeat(8));
  const hello = question(stage);
  answer(stage, hello, anew, encodeHelloed(TWO.id, "ab".repeat(8)));
  assert.equal(anew.open(question(stage).bytes).isBound, true);
});

Deno.test("whoever refuses a hello's answer as well is asked no further", () => {
  const stage = sealedStage(2);
  stage.swim.requestSync(TWO.id);
  stage.step({ kind: "wake" });
  refuse(stage, question(stage).id, "other-instance");
  answer(stage, question(stage), envelopeOfTwo(), encodeHelloed(TWO.id, TWO.instance));
  refuse(stage, question(stage).id, "other-instance");
  assert.deepEqual(stage.take().filter(({ kind }) => kind === "request"), []);
});

Deno.test("a question that is taken for a replay is asked once more, in another session", () => {
  const stage = sealedStage(2);
  const askSync = () => {
    stage.swim.requestSync(TWO.id);
    stage.step({ kind: "wake" });
    return question(stage);
  };
  const envelope = envelopeOfTwo();
  const sessionOf = (asked: { bytes: Uint8Array }) =>
    envelope.open(asked.bytes).question?.subarray(0, 8).toHex();
  const first = askSync();
  refuse(stage, first.id, "replayed");
  const second = question(stage);
  const renewed = sessionOf(second);
  assert.notEqual(sessionOf(first), renewed);
  refuse(stage, second.id, "replayed");
  assert.deepEqual(stage.take().filter(({ kind }) => kind === "request"), []);
  // Who forges such refusals does not make this host begin sessions without end.
  const third = askSync();
  assert.equal(sessionOf(third), renewed);
  refuse(stage, third.id, "replayed");
  assert.deepEqual(stage.take().filter(({ kind }) => kind === "request"), []);
});

Deno.test("each renewal of the session waits longer than the one before", () => {
  const stage = sealedStage(2);
  let renewals = 0;
  for (const endMs = stage.nowMs + 3_600_000; stage.nowMs < endMs; stage.nowMs += 30_000) {
    stage.take();
    stage.swim.requestSync(TWO.id);
    stage.step({ kind: "wake" });
    const asked = stage.take().filter((action) => action.kind === "request");
    for (const { id } of asked) refuse(stage, id, "replayed");
    renewals += stage.take().filter(({ kind }) => kind === "request").length;
  }
  // At 0, 1, 3, 6, 10, ... minutes: others have to remember every one of them.
  assert.equal(renewals, 11);
});

Deno.test("a host that missed a rotation is asked with the key that it has", () => {
  const stage = new Stage({ keys: testKeyring(random, 2, 1) });
  stage.packet(TWO.endpoint, encodeAlive(TWO));
  stage.take();
  stage.swim.requestSync(TWO.id);
  stage.step({ kind: "wake" });
  const first = question(stage);
  assert.throws(() => envelopeOfTwo().open(first.bytes), /no gossip key opens it/);
  refuse(stage, first.id, "other-key");
  assert.equal(envelopeOfTwo().open(question(stage).bytes).isBound, true);
});

Deno.test("hello is answered for whoever asks, and says who this host is", () => {
  const stage = sealedStage();
  const greeting = ask(stage, encodeHello(), envelopeOfTwo(), UNBOUND.toHex());
  assert.deepEqual(greeting, { kind: "helloed", id: ONE.id, instance: ONE.instance });
});

Deno.test("nothing but hello may be asked of whoever opens it, and for another process nothing", () => {
  const stage = sealedStage();
  const reach = encodeReach(1, ONE.id, TWO.id);
  assert.equal(ask(stage, reach, envelopeOfTwo(), UNBOUND.toHex()), "other-instance");
  assert.equal(ask(stage, reach, envelopeOfTwo(), TWO.instance), "other-instance");
  assert.equal(ask(stage, encodeHello(), envelopeOfTwo(), TWO.instance), "other-instance");
  assert.deepEqual(ask(stage, reach, envelopeOfTwo()), { kind: "ack", sequence: 1 });
  assert.equal(stage.swim.snapshot().counters.refusedAs["other-instance"], 3);
});

Deno.test("datagrams for whoever opens them are refused", () => {
  const stage = sealedStage();
  const path = { destination: UNBOUND, key: null };
  const bytes = envelopeOfTwo().seal(joinParts([encodeAlive(TWO)]), path);
  stage.step({ kind: "packet", from: TWO.endpoint, bytes });
  assert.equal(stage.status(2), "unknown");
  assert.equal(stage.swim.snapshot().counters.refusedAs.malformed, 1);
});

Deno.test("a ping of a process that nobody told of yet is answered to that process", () => {
  const stage = sealedStage(2);
  const anew = envelopeOfTwo("ab".repeat(8));
  const ping = joinParts([encodePing(5, ONE.id, TWO.id)]);
  const bytes = anew.seal(ping, sealedFor(ONE.instance));
  stage.step({ kind: "packet", from: TWO.endpoint, bytes });
  const [ack] = stage.take().filter((action) => action.kind === "send");
  assert(ack?.kind === "send");
  const opened: Opened = anew.open(ack.bytes);
  assert.equal(opened.isBound, true);
});

Deno.test("the end of a host does not hide who has its address now", () => {
  const stage = sealedStage(3);
  const { endpoint } = TWO;
  stage.packet(endpoint, encodeAlive(peer(4, { ...SEALING, endpoint })));
  stage.packet(endpoint, encodeAlive(TWO));
  stage.quieten();
  stage.packet(peer(3).endpoint, encodeDead(10, peer(4).id, peer(3).id));
  stage.take();
  stage.swim.letter(endpoint, new Uint8Array([1]));
  stage.step({ kind: "wake" });
  const [letter] = stage.take().filter((action) =>
    action.kind === "send" && action.to === endpoint
  );
  assert(letter?.kind === "send");
  assert.equal(envelopeOfTwo().open(letter.bytes).isBound, true);
});

Deno.test("no datagram leaves for an endpoint of which nothing is known", () => {
  const stage = sealedStage(2);
  for (const [endpoint, count] of [["10.9.9.9:7947", 0], [TWO.endpoint, 1]] as const) {
    stage.swim.letter(endpoint, new Uint8Array([1]));
    stage.step({ kind: "wake" });
    assert.equal(stage.sent().length, count);
  }
});

Deno.test("a packet that is said twice counts once", () => {
  const stage = sealedStage(2);
  const bytes = stage.seal(joinParts([encodePing(5, ONE.id, TWO.id)]));
  stage.step({ kind: "packet", from: TWO.endpoint, bytes: bytes.slice() });
  assert.equal(stage.sent().length, 1);
  stage.step({ kind: "packet", from: TWO.endpoint, bytes });
  assert.deepEqual(stage.sent(), []);
  assert.equal(stage.swim.snapshot().counters.refusedAs.replayed, 1);
});

/** The stage asks for a write; the disk answers. */
function write(stage: Stage, error?: string): string {
  const actions = stage.take();
  const persist = actions.find((action) => action.kind === "persist" && action.document === "keys");
  assert(persist?.kind === "persist");
  const failed = error === undefined ? {} : { error };
  stage.step({ kind: "persisted", id: persist.id, ...failed });
  return new TextDecoder().decode(persist.bytes);
}

/** Host 2 asks for a change of keys; what is answered once the disk has it. */
function change(stage: Stage, operation: KeyOperation, error?: string): unknown {
  const envelope = envelopeOfTwo();
  const asked = envelope.ask(encodeKeysRequest(ONE.id, operation), sealedFor(ONE.instance));
  stage.step({ kind: "request", id: 5, from: TWO.endpoint, bytes: asked.frame });
  const actions = stage.take();
  let answered = actions.find(({ kind }) => kind === "answer");
  const persist = actions.find((action) => action.kind === "persist" && action.document === "keys");
  if (persist?.kind === "persist") {
    assert.equal(answered, undefined, "confirmed only when it is on disk");
    stage.step({ kind: "persisted", id: persist.id, ...(error === undefined ? {} : { error }) });
    answered = stage.take().find(({ kind }) => kind === "answer");
  }
  assert(answered?.kind === "answer");
  const message = decodeMessage(envelope.openAnswer(answered.bytes, asked.question));
  assert(message.kind === "keys-answer");
  return [message.fingerprints, message.failure];
}

const [K1, K2, K3] = [1, 2, 3].map((byte) => fingerprintOf(testKey(byte))) as [
  string,
  string,
  string,
];

Deno.test("keys are installed, used and removed for others, each change on disk first", () => {
  const stage = sealedStage();
  const install: KeyOperation = { kind: "install", key: testKey(2) };
  assert.deepEqual(change(stage, { kind: "list" }), [[K1], null]);
  assert.deepEqual(change(stage, install), [[K1, K2], null]);
  assert.deepEqual(change(stage, install), [[K1, K2], null], "again changes nothing");
  assert.deepEqual(change(stage, { kind: "use", fingerprint: K2 }), [[K2, K1], null]);
  assert.deepEqual(change(stage, { kind: "remove", fingerprint: K3 }), [[K2, K1], null]);
  assert.match(String(change(stage, { kind: "remove", fingerprint: K2 })), /seals with the key/);
  assert.match(String(change(stage, { kind: "use", fingerprint: K3 })), /does not have/);
  assert.deepEqual(change(stage, { kind: "remove", fingerprint: K1 }), [[K2], null]);
});

Deno.test("a change that the disk refuses did not happen", () => {
  const stage = sealedStage();
  const answered = change(stage, { kind: "install", key: testKey(2) }, "disk full");
  assert.deepEqual(answered, [[K1], "it cannot save its keys: disk full"]);
  assert.deepEqual(stage.eventWords(), []);
});

Deno.test("changes are written one after another, in their order", () => {
  const stage = sealedStage();
  for (const byte of [2, 3]) {
    const operation: KeyOperation = { kind: "install", key: testKey(byte) };
    stage.step({
      kind: "command",
      command: { kind: "keys", request: byte, operation, force: false },
    });
    const envelope = envelopeOfTwo();
    const { frame } = envelope.ask(encodeKeysRequest(ONE.id, operation), sealedFor(ONE.instance));
    stage.step({ kind: "request", id: byte, from: TWO.endpoint, bytes: frame });
  }
  const text = (...bytes: number[]) =>
    bytes.map((byte) => `${testKey(byte).toBase64()}\n`).join("");
  assert.equal(write(stage), text(1, 2));
  assert.equal(write(stage), text(1, 2, 3));
  assert.deepEqual(stage.swim.snapshot().encryption?.fingerprints, [K1, K2, K3]);
});

Deno.test("a ninth key is refused", () => {
  const stage = sealedStage();
  for (let byte = 2; byte <= 8; byte++) change(stage, { kind: "install", key: testKey(byte) });
  const answered = change(stage, { kind: "install", key: testKey(9) });
  assert.match(String(answered), /8 keys already/);
});

Deno.test("keys are neither told nor taken plainly, nor meant for another host", () => {
  const stage = new Stage({ keys: testKeyring(random, 1), plainGossip: "allow" });
  const message = encodeKeysRequest(ONE.id, { kind: "install", key: testKey(2) });
  const bytes = stage.envelope.seal(message);
  stage.step({ kind: "request", id: 1, from: TWO.endpoint, bytes });
  const answered = stage.take().find(({ kind }) => kind === "answer");
  assert(answered?.kind === "answer");
  assert.equal(readRefusal(answered.bytes)?.reason, "malformed");
  const other = encodeKeysRequest(TWO.id, { kind: "list" });
  assert.equal(ask(stage, other, envelopeOfTwo()), "other-host");
  assert.deepEqual(stage.swim.snapshot().encryption?.fingerprints, [K1]);
});

Deno.test("a new key is not told to a member that speaks plainly", () => {
  const stage = new Stage({ keys: testKeyring(random, 1), plainGossip: "allow" });
  stage.packet(TWO.endpoint, encodeAlive(peer(2)));
  stage.take();
  const operation: KeyOperation = { kind: "install", key: testKey(2) };
  stage.step({ kind: "command", command: { kind: "keys", request: 1, operation, force: false } });
  write(stage);
  const hello = question(stage);
  assert.equal(hello.bytes[0], 2, "sealed");
  refuse(stage, hello.id, "other-key"); // it has no key
  // With its other key, and then no more.
  refuse(stage, question(stage).id, "other-key");
  assert.deepEqual(stage.take().filter(({ kind }) => kind === "request"), []);
  const done = stage.events().find(({ kind }) => kind === "keys-done");
  assert(done?.kind === "keys-done");
  assert.deepEqual(done.outcome.hosts.map(({ failure }) => failure), [null, "gossip keys differ"]);
});

Deno.test("plain gossip is answered plainly where it is allowed", () => {
  const stage = new Stage({ keys: testKeyring(random, 1), plainGossip: "allow" });
  const ping = joinParts([encodePing(5, ONE.id, TWO.id)]);
  stage.step({ kind: "packet", from: TWO.endpoint, bytes: stage.envelope.seal(ping) });
  const [ack] = stage.take().filter((action) => action.kind === "send");
  assert(ack?.kind === "send");
  assert.equal(ack.bytes[0], 1);
  const bytes = stage.envelope.seal(encodeReach(1, ONE.id, TWO.id));
  stage.step({ kind: "request", id: 3, from: TWO.endpoint, bytes });
  const answered = stage.take().find(({ kind }) => kind === "answer");
  assert(answered?.kind === "answer");
  assert.deepEqual(
    decodeMessage(stage.envelope.open(answered.bytes).payload),
    decodeMessage(encodeAck(1)),
  );
});
