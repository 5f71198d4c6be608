/**
 * Hostile packets into a living swim: nothing throws, nothing changes but the counters.
 *
 * Each kind is drawn from a seed, which the name of the test shows.
 */
import assert from "node:assert/strict";
import { Random } from "../../mod/base/random.ts";
import { AES_GCM } from "../../mod/host/aes_gcm.ts";
import { encode, type WireValue } from "../../mod/wire/codec.ts";
import { Envelope } from "../../mod/wire/envelope.ts";
import { Feature } from "../../mod/wire/features.ts";
import { Keyring } from "../../mod/wire/keyring.ts";
import { MessageType } from "../../mod/wire/message_type.ts";
import { encodeAlive } from "../../mod/wire/news_messages.ts";
import { joinParts } from "../../mod/wire/parts.ts";
import { peer, sealedFor, Stage } from "../unit/swim/stage.ts";
import { SAMPLES } from "../unit/wire/samples.ts";

const ROUNDS = 10_000;
const SEED = 20_260_101;

/** One key, all bytes alike. */
function ring(byte: number): Keyring {
  return new Keyring([new Uint8Array(32).fill(byte)], AES_GCM);
}

/** What the host shows of itself, as it is now; that strangers knock it may well remember. */
function stateOf(stage: Stage) {
  const { path: _path, strangers: _strangers, ...state } = stage.swim.snapshot();
  return structuredClone(state);
}

/** Wraps a payload for the host under attack. */
interface Wrapper {
  seal(payload: Uint8Array): Uint8Array;
}

function randomBytes(random: Random, lengthMax: number): Uint8Array {
  return Uint8Array.from({ length: random.below(lengthMax + 1) }, () => random.below(256));
}

/** A packet that this host would act upon: some samples in the right envelope. */
function goodPacket(random: Random, envelope: Wrapper): Uint8Array {
  const messages = random.sample(SAMPLES, 1 + random.below(3)).map(({ bytes }) => bytes);
  return envelope.seal(joinParts(messages));
}

function randomValue(random: Random, depth: number): WireValue {
  switch (random.below(depth > 3 ? 5 : 7)) {
    case 0:
      return random.uint32() % 2 ** random.below(33);
    case 1:
      return random.uint32() * 2 ** random.below(21);
    case 2:
      return randomBytes(random, 40);
    case 3:
      return String.fromCharCode(...randomBytes(random, 70));
    case 4:
      return [null, true, false][random.below(3)] ?? null;
    default:
      return Array.from({ length: random.below(9) }, () => randomValue(random, depth + 1));
  }
}

/** What an attacker without the key, a broken host, or a foreign cluster may send. */
const HOSTILE: Record<string, (random: Random, envelope: Wrapper) => Uint8Array> = {
  "random bytes": (random) => randomBytes(random, 1500),
  "random bytes behind our own header": (random, envelope) => {
    const packet = envelope.seal(new Uint8Array());
    return new Uint8Array([...packet.subarray(0, 6), ...randomBytes(random, 1400)]);
  },
  "truncated packets": (random, envelope) => {
    const packet = goodPacket(random, envelope);
    return packet.subarray(0, random.below(packet.length));
  },
  "packets with flipped bits": (random, envelope) => {
    const packet = goodPacket(random, envelope);
    const bits = new Set(
      Array.from({ length: 1 + random.below(8) }, () => random.below(packet.length * 8)),
    );
    for (const bit of bits) packet[bit >> 3] = (packet[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    return packet;
  },
  "oversized packets": (random, envelope) => {
    const message = SAMPLES.find(({ name }) => name === "alive")?.bytes ?? new Uint8Array();
    return envelope.seal(joinParts(Array(30 + random.below(300)).fill(message)));
  },
  "packets of a foreign cluster": (random) =>
    goodPacket(random, new Envelope(`foreign${random.below(100)}`, null)),
  "packets sealed with a foreign key": (random) => {
    const keys = ring(1 + random.below(255));
    const envelope = new Envelope("test", { keys, instance: peer(2).instance });
    const path = sealedFor(peer(1).instance);
    return goodPacket(random, { seal: (payload) => envelope.seal(payload, path) });
  },
  "random messages in the right envelope": (random, envelope) =>
    envelope.seal(joinParts([randomBytes(random, 200), randomBytes(random, 200)])),
  "random fields behind each type of message": (random, envelope) => {
    const types = Object.values(MessageType);
    const type = types[random.below(types.length)] ?? 0;
    const fields = Array.from({ length: random.below(9) }, () => randomValue(random, 1));
    const isOpaque = type === MessageType.riderItem || type === MessageType.riderLetter;
    const isAnswer = type === MessageType.ack || type === MessageType.nack;
    // These have legal forms that random fields may hit; they change nothing here, but are counted.
    if (isOpaque || isAnswer) fields.push(null, null);
    return envelope.seal(joinParts([encode([type, ...fields])]));
  },
};

Deno.test(`hostile packets change nothing at a host with a gossip key either (seed ${SEED})`, () => {
  const random = new Random(SEED);
  const makers = Object.values(HOSTILE);
  const stage = new Stage({ keys: ring(0) });
  stage.packet(peer(2).endpoint, encodeAlive(peer(2, { features: Feature.opensSealed })));
  stage.quieten();
  stage.rider.calls.length = 0;
  const plain = new Envelope("test", null);
  const { counters: _, ...before } = stateOf(stage);
  for (let round = 0; round < ROUNDS; round++) {
    const make = makers[round % makers.length];
    // Half of them as somebody with the key would seal them, half in the clear.
    const bytes = make?.(random, round % 2 === 0 ? stage : plain) ?? new Uint8Array();
    stage.step({ kind: "packet", from: "10.66.66.66:666", bytes });
  }
  const { counters, ...after } = stateOf(stage);
  assert.deepEqual(after, before);
  assert.deepEqual(stage.rider.calls, []);
  assert.ok(counters.refused + counters.unknownMessages >= ROUNDS);
});

for (const [what, make] of Object.entries(HOSTILE)) {
  Deno.test(`${ROUNDS} ${what} change nothing (seed ${SEED})`, () => {
    const random = new Random(SEED);
    const stage = Stage.among(2, 3);
    const { counters: _, ...before } = stateOf(stage);
    const refusedBefore = stage.swim.snapshot().counters.refused;
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = make(random, stage.envelope);
      stage.step({ kind: "packet", from: "10.66.66.66:666", bytes });
    }
    const { counters, ...after } = stateOf(stage);
    assert.deepEqual(after, before);
    assert.deepEqual(stage.take(), []);
    assert.deepEqual(stage.rider.calls, []);
    assert.equal(counters.refused - refusedBefore + counters.unknownMessages, ROUNDS);
  });

  Deno.test(`${ROUNDS / 10} ${what} as requests are refused, each of them (seed ${SEED})`, () => {
    const random = new Random(SEED);
    const stage = Stage.among(2, 3);
    const { counters: _, ...before } = stateOf(stage);
    for (let round = 0; round < ROUNDS / 10; round++) {
      const bytes = make(random, stage.envelope);
      stage.step({ kind: "request", id: round, from: "10.66.66.66:666", bytes });
    }
    const { counters: __, ...after } = stateOf(stage);
    assert.deepEqual(after, before);
    const answers = stage.take();
    assert.equal(answers.length, ROUNDS / 10);
    for (const answer of answers) {
      assert(answer.kind === "answer");
      assert.equal(answer.bytes.length, 2);
    }
  });
}

Deno.test(`${ROUNDS} hostile answers to our own questions change nothing (seed ${SEED})`, () => {
  const random = new Random(SEED);
  const makers = Object.values(HOSTILE);
  const stage = Stage.among(2, 3);
  const { counters: _, ...before } = stateOf(stage);
  for (let round = 0; round < ROUNDS; round++) {
    stage.swim.requestSync(peer(2).id);
    stage.step({ kind: "wake" });
    const make = makers[random.below(makers.length)];
    const bytes = make?.(random, stage.envelope) ?? new Uint8Array();
    for (const action of stage.take()) {
      if (action.kind === "request") stage.step({ kind: "answer", id: action.id, bytes });
    }
  }
  const { counters: __, ...after } = stateOf(stage);
  assert.deepEqual(after, before);
  assert.deepEqual(stage.rider.calls, []);
});
