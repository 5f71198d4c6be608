/** A change of the keys of a whole cluster, from the host where it is asked for: who is asked, and who stands in its way. */
import assert from "node:assert/strict";
import { Random } from "../../../mod/base/random.ts";
import type { KeyOutcome } from "../../../mod/swim/key_outcome.ts";
import { Envelope } from "../../../mod/wire/envelope.ts";
import { Feature } from "../../../mod/wire/features.ts";
import { encodeKeysAnswer, type KeyOperation } from "../../../mod/wire/key_messages.ts";
import { fingerprintOf } from "../../../mod/wire/keyring.ts";
import { decodeMessage } from "../../../mod/wire/messages.ts";
import { encodeAlive, encodeDead, encodeLeft } from "../../../mod/wire/news_messages.ts";
import { testKey, testKeyring } from "../../support/test_cipher.ts";
import { peer, Stage } from "./stage.ts";

const random = new Random(1);
const [K1, K2] = [testKey(1), testKey(2)].map(fingerprintOf) as [string, string];

/** Fingerprints that each peer has, by its number; who is not in it does not answer. */
type Peers = Readonly<Record<number, readonly string[]>>;

/** A host with the key 1 among peers 2, 3 and 4; 3 has died and 4 has left. */
function cluster(): Stage {
  const stage = new Stage({ keys: testKeyring(random, 1) });
  for (const number of [2, 3, 4]) {
    const record = peer(number, { features: Feature.opensSealed });
    stage.packet(record.endpoint, encodeAlive(record));
  }
  const [two, three, four] = [peer(2), peer(3), peer(4)];
  stage.packet(two.endpoint, encodeDead(three.incarnation, three.id, two.id));
  stage.packet(four.endpoint, encodeLeft(four.incarnation, four.id, four.instance));
  stage.quieten();
  return stage;
}

/** Carries the operation out and answers for the peers. */
function perform(
  stage: Stage,
  operation: KeyOperation,
  peers: Peers,
  options: { force?: boolean; awaited?: string[] } = {},
): { outcome: KeyOutcome; asked: string[] } {
  const { force = false, awaited = [] } = options;
  const asked: string[] = [];
  stage.take();
  stage.step({
    kind: "command",
    command: { kind: "keys", request: 7, operation, force, awaited },
  });
  for (let actions = stage.take(); actions.length > 0; actions = stage.take()) {
    for (const action of actions) {
      if (action.kind === "persist") stage.step({ kind: "persisted", id: action.id });
      if (action.kind !== "request") continue;
      const number = Number(/\.(\d+):/.exec(action.to)?.[1]);
      const fingerprints = peers[number];
      if (fingerprints === undefined) {
        stage.step({ kind: "failed", id: action.id, reason: "Connection refused" });
        continue;
      }
      const { instance } = peer(number);
      const envelope = new Envelope("test", { keys: testKeyring(random, 1, 2), instance });
      const opened = envelope.open(action.bytes);
      const message = decodeMessage(opened.payload);
      assert(message.kind === "keys", `h${number} is asked about keys`);
      asked.push(`h${number} ${message.operation.kind}`);
      const bytes = envelope.answer(encodeKeysAnswer(fingerprints, null), opened);
      stage.step({ kind: "answer", id: action.id, bytes });
    }
  }
  const done = stage.events().find(({ kind }) => kind === "keys-done");
  assert(done?.kind === "keys-done");
  assert.equal(done.request, 7);
  return { outcome: done.outcome, asked };
}

const list: KeyOperation = { kind: "list" };
const use: KeyOperation = { kind: "use", fingerprint: K2 };

Deno.test("who failed counts, who left does not, unless it is expected back", () => {
  const names = ({ outcome }: { outcome: KeyOutcome }) => outcome.hosts.map(({ name }) => name);
  assert.deepEqual(names(perform(cluster(), list, { 2: [K1] })), ["h1", "h2", "h3"]);
  const { outcome } = perform(cluster(), list, { 2: [K1] }, { awaited: [peer(4).id] });
  assert.deepEqual(outcome.hosts.map(({ failure }) => failure), [
    null,
    null,
    "Connection refused",
    "it left for a while; Connection refused",
  ]);
  assert.equal(outcome.isComplete, false);
  assert.deepEqual(outcome.keys, [{ fingerprint: K1, holders: 2, primaries: 2 }]);
});

Deno.test("a key is used when everybody has it; else nobody is asked to, and those in the way are named", () => {
  const stage = cluster();
  perform(stage, { kind: "install", key: testKey(2) }, { 2: [K1, K2], 3: [K1, K2] });
  const dead = perform(stage, use, { 2: [K1, K2] });
  assert.deepEqual(dead.asked, ["h2 list"]);
  assert.match(dead.outcome.refusal?.text ?? "", /would cut off h3 \(Connection refused\)$/);
  const lacks = perform(stage, use, { 2: [K1, K2], 3: [K1] });
  assert.match(lacks.outcome.refusal?.text ?? "", /would cut off h3 \(does not have it\)$/);
  const left = perform(stage, use, { 2: [K1, K2], 3: [K1, K2] }, { awaited: [peer(4).id] });
  assert.match(left.outcome.refusal?.text ?? "", /would cut off h4 \(it left for a while; Conn/);
  assert.deepEqual(stage.swim.snapshot().encryption?.fingerprints, [K1, K2]);
  const forced = perform(stage, use, { 2: [K2, K1] }, { force: true });
  assert.deepEqual(forced.asked, ["h2 list", "h2 use"]);
  assert.deepEqual([forced.outcome.refusal, forced.outcome.isComplete], [null, false]);
  assert.deepEqual(stage.swim.snapshot().encryption?.fingerprints, [K2, K1]);
});

Deno.test("a key that no host has is not used, and is said to be unknown", () => {
  const { outcome } = perform(cluster(), use, { 2: [K1], 3: [K1] });
  assert.equal(outcome.refusal?.text, `No host has the key ${K2}`);
});

Deno.test("a key that a host still seals with is not removed", () => {
  const stage = cluster();
  perform(stage, { kind: "install", key: testKey(2) }, { 2: [K1, K2], 3: [K1, K2] });
  perform(stage, use, { 2: [K2, K1], 3: [K1, K2] }, { force: true });
  const remove: KeyOperation = { kind: "remove", fingerprint: K1 };
  const { outcome } = perform(stage, remove, { 2: [K2, K1], 3: [K1, K2] });
  assert.match(outcome.refusal?.text ?? "", /would cut off h3 \(seals with it\)$/);
  const later = perform(stage, remove, { 2: [K2, K1], 3: [K2, K1] });
  assert.deepEqual(later.asked, ["h2 list", "h3 list", "h2 remove", "h3 remove"]);
  assert.equal(later.outcome.isComplete, true);
});
