/** Syncs: what is compared, told, merged, answered and refused. */
import assert from "node:assert/strict";
import { MEMBERS_MAX } from "../../../mod/base/limits.ts";
import { newsVersion } from "../../../mod/swim/news.ts";
import { BucketDigest } from "../../../mod/wire/bucket_digest.ts";
import { BucketSet } from "../../../mod/wire/bucket_set.ts";
import { Envelope } from "../../../mod/wire/envelope.ts";
import { decodeMessage, type Message } from "../../../mod/wire/messages.ts";
import { encodeAlive } from "../../../mod/wire/news_messages.ts";
import { encodeRefusal, readRefusal } from "../../../mod/wire/refusal.ts";
import {
  type Compared,
  encodeSync,
  type MembersAnswer,
  type Sync,
  type SyncEntry,
} from "../../../mod/wire/sync_messages.ts";
import { peer, Stage } from "./stage.ts";

const [ONE, TWO, THREE] = [peer(1), peer(2), peer(3)];

function entry(number: number, status: SyncEntry["status"] = "alive", incarnation = 10): SyncEntry {
  const endpoint = `10.0.${number >> 8}.${number & 255}:7947`;
  return { record: peer(number, { incarnation, endpoint }), status };
}

const RIDER = new Uint8Array([0xab]);

/** A peer that knows nobody opens a sync. */
function compare(sender: SyncEntry, members = new BucketDigest().summary()): Uint8Array {
  return encodeSync({ kind: "compare", sender, members, rider: RIDER });
}

/** A peer tells these, and wants to hear of everybody. */
function update(sender: SyncEntry, ...entries: SyncEntry[]): Uint8Array {
  const buckets = BucketSet.of(16, Array.from({ length: 16 }, (_, bucket) => bucket));
  return encodeSync({ kind: "update", sender, buckets, entries, rider: RIDER });
}

/** A peer answers with these as everything that it knows. */
function compared(sender: SyncEntry, ...entries: SyncEntry[]): Uint8Array {
  return encodeSync({
    kind: "compared",
    sender,
    members: { kind: "everything", entries },
    rider: RIDER,
  });
}

/** A peer asks; what this host answers. */
function ask(stage: Stage, frame: Uint8Array, envelope = stage.envelope): Uint8Array {
  stage.step({ kind: "request", id: 7, from: TWO.endpoint, bytes: envelope.seal(frame) });
  const answer = stage.take().find((action) => action.kind === "answer");
  assert(answer?.kind === "answer" && answer.id === 7);
  return answer.bytes;
}

function readSync<Kind extends Sync["kind"]>(
  stage: Stage,
  frame: Uint8Array,
  kind: Kind,
): Extract<Sync, { kind: Kind }> {
  const message = decodeMessage(stage.open(frame));
  const isKind = (message: Message): message is Extract<Sync, { kind: Kind }> =>
    message.kind === kind;
  assert(isKind(message), message.kind);
  return message;
}

function entriesOf({ members }: Compared): readonly SyncEntry[] {
  assert(members.kind === "everything");
  return members.entries;
}

Deno.test("a newcomer's sync is answered with everybody, the newcomer's own news included", () => {
  const stage = Stage.among(3, 4);
  const answer = readSync(stage, ask(stage, compare(entry(2))), "compared");
  assert.deepEqual(answer.sender, { record: ONE, status: "alive" });
  assert.deepEqual(entriesOf(answer).map(({ record }) => record.name), ["h2", "h3", "h4"]);
  assert.deepEqual(answer.rider, new Uint8Array([1]));
  assert.deepEqual(stage.rider.calls, ["h2 unknown > alive", "compared ab"]);
});

Deno.test("the seed passes a newcomer on in the same step", () => {
  const stage = Stage.among(3, 4);
  const bytes = stage.envelope.seal(compare(entry(2)));
  stage.step({ kind: "request", id: 7, from: TWO.endpoint, bytes });
  const told = stage.sentMessages("alive");
  assert.equal(told.some(({ record }) => record.id === TWO.id), true);
});

Deno.test("a newcomer that was declared dead learns it from the answer", () => {
  const stage = Stage.among(2, 3);
  stage.runFor(60_000); // nobody answers: both die
  assert.equal(stage.status(2), "dead");
  const answer = readSync(stage, ask(stage, compare(entry(2, "alive", 0))), "compared");
  const told = entriesOf(answer).find(({ record }) => record.id === TWO.id);
  assert.deepEqual([told?.status, told?.record.incarnation], ["dead", 10]);
});

Deno.test("a peer's dead and suspects become suspects here, so that they can refute", () => {
  const stage = Stage.among(3, 4, 5);
  ask(stage, update(entry(2), entry(3, "dead"), entry(4, "suspect"), entry(5, "left")));
  assert.deepEqual([3, 4, 5].map((number) => stage.status(number)), ["suspect", "suspect", "left"]);
});

Deno.test("strangers are taken as the peer has them, dead ones without an event", () => {
  const stage = new Stage();
  ask(stage, update(entry(2), entry(3, "dead"), entry(4, "suspect"), entry(5, "left")));
  assert.deepEqual([2, 3, 4, 5].map((number) => stage.status(number)), [
    "alive",
    "dead",
    "suspect",
    "unknown",
  ]);
  assert.deepEqual(stage.eventWords(), [
    "member-joined h2",
    "member-joined h4",
    "member-suspected h4",
  ]);
});

Deno.test("a full table takes a newcomer only in place of who is gone", () => {
  const stage = Stage.among(2);
  const crowd = Array.from(
    { length: MEMBERS_MAX - 2 },
    (_, index) => entry(1000 + index, index === 77 ? "dead" : "alive"),
  );
  for (let start = 0; start < crowd.length; start += 5000) {
    ask(stage, update(entry(2), ...crowd.slice(start, start + 5000)));
  }
  assert.equal(stage.swim.members().length, MEMBERS_MAX);
  const newcomers = [500, 501].map((number) => peer(number, { endpoint: "10.9.9.9:1" }));
  for (const newcomer of newcomers) stage.packet(newcomer.endpoint, encodeAlive(newcomer));
  assert.deepEqual([500, 501, 1077, 1078].map((number) => stage.status(number)), [
    "alive",
    "unknown",
    "unknown",
    "alive",
  ]);
});

Deno.test("a peer that believes this host dead is refuted in the answer already", () => {
  const stage = new Stage();
  const answer = readSync(stage, ask(stage, update(entry(2), entry(1, "dead", 20))), "updated");
  assert.equal(answer.sender.record.incarnation, 21);
});

Deno.test("this host asks when its rider wants it, and tells it when all is merged", () => {
  const stage = Stage.among(2);
  stage.swim.requestSync(TWO.id);
  stage.step({ kind: "wake" });
  const [request] = stage.take();
  assert(request?.kind === "request");
  assert.equal(request.to, TWO.endpoint);
  assert.deepEqual(readSync(stage, request.bytes, "compare").members.count, 2);
  const bytes = stage.envelope.seal(compared(entry(2), entry(1), entry(3)));
  stage.step({ kind: "answer", id: request.id, bytes });
  assert.deepEqual(stage.rider.calls, ["h3 unknown > alive", "update 2 ab", "synced 2"]);
  // The same answer once more is nobody's.
  stage.rider.calls.length = 0;
  stage.step({ kind: "answer", id: request.id, bytes });
  assert.deepEqual(stage.rider.calls, []);
});

Deno.test("syncs of unknown members and of this host itself are not asked for", () => {
  const stage = Stage.among(2);
  stage.swim.requestSync(THREE.id);
  stage.swim.requestSync(ONE.id);
  stage.step({ kind: "wake" });
  assert.deepEqual(stage.take(), []);
});

Deno.test("who has just met others syncs more often at first", () => {
  const stage = new Stage();
  const fromMs = stage.nowMs;
  stage.packet(TWO.endpoint, encodeAlive(TWO));
  const atMs: number[] = [];
  while (stage.nowMs < fromMs + 100_000) {
    stage.runFor(100, (packet) => stage.ack(packet));
    for (const action of stage.take()) if (action.kind === "request") atMs.push(stage.nowMs);
  }
  const gapsMs = atMs.map((at, index) => at - (atMs[index - 1] ?? fromMs));
  for (const [index, longestMs] of [1000, 2000, 4000, 8000, 16_000].entries()) {
    const gapMs = gapsMs[index] ?? 0;
    assert.ok(gapMs >= longestMs / 2 && gapMs <= longestMs + 100, `${index}: ${gapMs} ms`);
  }
  assert.ok(gapsMs.slice(5).every((gapMs) => gapMs >= 29_900 && gapMs <= 30_100));
});

Deno.test("every 30 seconds, somebody alive is asked for a sync", () => {
  const stage = Stage.among(2, 3);
  stage.runFor(60_000, (packet) => stage.ack(packet)); // they are more frequent at first
  stage.take();
  stage.runFor(300_000, (packet) => stage.ack(packet));
  const asked = stage.take().flatMap((action) => action.kind === "request" ? [action.to] : []);
  assert.ok(asked.length >= 9 && asked.length <= 11, `${asked.length} in 300 s`);
  assert.equal(new Set(asked).size, 2);
});

const REFUSED: [string, (stage: Stage) => Uint8Array, string][] = [
  [
    "of another cluster",
    (stage) => ask(stage, compare(entry(2)), new Envelope("other", null)),
    "it belongs to another cluster (cluster labels differ)",
  ],
  [
    "that makes no sense",
    (stage) => ask(stage, new Uint8Array([0x83, 9, 1, 1])),
    "it could not read the request (damaged, or another version)",
  ],
  [
    "that is an answer, not a question",
    (stage) => ask(stage, new Uint8Array([0x82, 3, 1])),
    "it could not read the request (damaged, or another version)",
  ],
];

for (const [what, act, words] of REFUSED) {
  Deno.test(`a request ${what} is refused with the reason, and changes nothing`, () => {
    const stage = Stage.among(2);
    const before = structuredClone(stage.swim.members());
    assert.equal(readRefusal(act(stage))?.text, words);
    assert.deepEqual(stage.swim.members(), before);
    assert.deepEqual(stage.rider.calls, []);
  });
}

Deno.test("this host does not sync with itself", () => {
  const stage = new Stage();
  for (const question of [compare(entry(1)), update(entry(1))]) {
    assert.equal(readRefusal(ask(stage, question))?.text, "that is this host itself");
  }
});

Deno.test("syncs that come as datagrams are ignored", () => {
  const stage = Stage.among(2);
  stage.packet(TWO.endpoint, update(entry(2, "alive", 11), entry(3)));
  assert.equal(stage.status(3), "unknown");
  assert.equal(stage.swim.snapshot().counters.refused, 1);
});

function seedState(stage: Stage): string {
  return stage.swim.snapshot().seeds.map(({ seed, state, reason }) =>
    [seed, state, ...(reason === undefined ? [] : [reason])].join(", ")
  ).join("; ");
}

/** A host with the seed `s`, which resolved to host 2 and is being asked; the id of the request. */
function dialling(endpoints = [TWO.endpoint]): { stage: Stage; ids: number[] } {
  const stage = new Stage({ seeds: ["s"] });
  assert.deepEqual(stage.take(), [{ kind: "resolve", seed: "s" }]);
  stage.step({ kind: "resolved", seed: "s", endpoints });
  const ids = stage.take().flatMap((action) => action.kind === "request" ? [action.id] : []);
  return { stage, ids };
}

Deno.test("a seed is resolved and asked at once, and joined when it answers", () => {
  const { stage, ids } = dialling();
  assert.equal(stage.swim.snapshot().joined, false);
  const bytes = stage.envelope.seal(compared(entry(2), entry(1)));
  stage.step({ kind: "answer", id: ids[0] ?? 0, bytes });
  assert.equal(seedState(stage), "s, joined");
  assert.equal(stage.swim.snapshot().joined, true);
  assert.equal(stage.status(2), "alive");
});

Deno.test("a name that does not resolve is tried again, with the reason", () => {
  const stage = new Stage({ seeds: ["s"] });
  stage.take();
  stage.step({ kind: "resolved", seed: "s", endpoints: [], reason: "no such host" });
  assert.equal(seedState(stage), "s, unresolved, no such host");
  stage.runFor(1000);
  assert.deepEqual(stage.take(), [{ kind: "resolve", seed: "s" }]);
});

Deno.test("attempts at a seed become rarer up to 30 seconds, and never end", () => {
  const stage = new Stage({ seeds: ["s"] });
  const attemptsMs: number[] = [];
  for (let attempt = 0; attempt < 20; attempt++) {
    attemptsMs.push(stage.nowMs);
    stage.take();
    stage.step({ kind: "resolved", seed: "s", endpoints: [] });
    while (stage.take().every(({ kind }) => kind !== "resolve")) stage.runFor(100);
  }
  const gapsMs = attemptsMs.slice(1).map((atMs, index) => atMs - (attemptsMs[index] ?? 0));
  assert.ok((gapsMs[0] ?? 0) <= 200 && (gapsMs[0] ?? 0) >= 100);
  assert.ok((gapsMs[2] ?? 0) <= 900 && (gapsMs[2] ?? 0) >= 400);
  for (const gapMs of gapsMs.slice(9)) assert.ok(gapMs >= 15_000 && gapMs <= 30_100, `${gapMs}`);
});

Deno.test("why a seed does not let this host in is said in words", () => {
  for (
    const [frame, reason] of [
      [encodeRefusal("other-cluster"), "it belongs to another cluster (cluster labels differ)"],
      [encodeRefusal("other-key"), "gossip keys differ"],
      [new Uint8Array([1, 2]), /its answer makes no sense/],
    ] as const
  ) {
    const { stage, ids } = dialling();
    stage.step({ kind: "answer", id: ids[0] ?? 0, bytes: frame });
    assert.match(seedState(stage), /^s, unreachable, 10\.0\.0\.2:7947: /);
    if (typeof reason === "string") assert.ok(seedState(stage).endsWith(reason));
    else assert.match(seedState(stage), reason);
  }
  const { stage, ids } = dialling();
  stage.step({ kind: "failed", id: ids[0] ?? 0, reason: "connection refused" });
  assert.equal(seedState(stage), "s, unreachable, 10.0.0.2:7947: connection refused");
});

Deno.test("of a name with several addresses one answer is enough", () => {
  const { stage, ids } = dialling(["10.0.0.3:7947", TWO.endpoint, ONE.endpoint]);
  assert.equal(ids.length, 2); // not this host itself
  stage.step({ kind: "failed", id: ids[0] ?? 0, reason: "timed out" });
  const bytes = stage.envelope.seal(compared(entry(2), entry(1)));
  stage.step({ kind: "answer", id: ids[1] ?? 0, bytes });
  assert.equal(seedState(stage), "s, joined");
});

Deno.test("a seed that is this host itself is nothing to wait for", () => {
  const direct = dialling([ONE.endpoint]);
  assert.equal(seedState(direct.stage), "s, joined, this host itself");
  assert.equal(direct.stage.swim.snapshot().joined, true);
  const translated = dialling(["198.51.100.1:7947"]);
  const bytes = encodeRefusal("own-host");
  translated.stage.step({ kind: "answer", id: translated.ids[0] ?? 0, bytes });
  assert.equal(seedState(translated.stage), "s, joined, this host itself");
});

Deno.test("a host that lost everybody goes back to its seeds", () => {
  const { stage, ids } = dialling();
  const bytes = stage.envelope.seal(compared(entry(2), entry(1)));
  stage.step({ kind: "answer", id: ids[0] ?? 0, bytes });
  stage.runFor(20_000); // nobody answers
  assert.equal(stage.status(2), "dead");
  const resolves = stage.take().filter(({ kind }) => kind === "resolve");
  assert.ok(resolves.length >= 1);
});

Deno.test("more seeds can be joined while running", () => {
  const stage = new Stage();
  stage.step({ kind: "command", command: { kind: "join", seeds: ["a", "b"] } });
  const resolved = stage.take().filter(({ kind }) => kind === "resolve");
  assert.equal(resolved.length, 2);
});

Deno.test("a name that leads to this host alone is looked up again, and others behind it are joined", () => {
  const { stage } = dialling([peer(1).endpoint]);
  assert.equal(seedState(stage), "s, joined, this host itself");
  stage.take();
  stage.runFor(1_001);
  assert.deepEqual(stage.take(), [{ kind: "resolve", seed: "s" }]);
  stage.step({ kind: "resolved", seed: "s", endpoints: [peer(1).endpoint, TWO.endpoint] });
  assert.equal(stage.take().filter(({ kind }) => kind === "request").length, 1);
});

Deno.test("another address of this host behind a name does not hide that the others do not answer", () => {
  const { stage, ids } = dialling(["10.9.9.9:7947", TWO.endpoint]);
  stage.step({ kind: "answer", id: ids[0] ?? 0, bytes: encodeRefusal("own-host") });
  stage.step({ kind: "failed", id: ids[1] ?? 0, reason: "refused" });
  assert.equal(seedState(stage), "s, unreachable, 10.0.0.2:7947: refused");
});

/** The question of the sync with host 2 that is under way, and its id. */
function question<Kind extends Sync["kind"]>(stage: Stage, kind: Kind) {
  const [request] = stage.take().filter((action) => action.kind === "request");
  assert(request?.kind === "request" && request.to === TWO.endpoint);
  return { id: request.id, message: readSync(stage, request.bytes, kind) };
}

/** A host among many that begins a sync with host 2; the request's id and what it says. */
function comparing(count: number) {
  const stage = new Stage();
  const crowd = Array.from({ length: count }, (_, index) => entry(100 + index));
  ask(stage, update(entry(2), ...crowd));
  stage.quieten();
  stage.rider.calls.length = 0;
  stage.swim.requestSync(TWO.id);
  stage.step({ kind: "wake" });
  return { stage, ...question(stage, "compare") };
}

/** What host 2 would know: the crowd of {@linkcode comparing} with changes, this host and itself. */
function peerDigests(count: number, changes: readonly SyncEntry[] = []): Uint8Array {
  const digest = new BucketDigest();
  const entries = new Map<string, SyncEntry>();
  const crowd = Array.from({ length: count }, (_, index) => entry(100 + index));
  for (const one of [entry(1), entry(2), ...crowd, ...changes]) entries.set(one.record.id, one);
  for (const { record, status } of entries.values()) {
    digest.add(record.id, newsVersion(record.incarnation, status));
  }
  return digest.digests();
}

function answer(stage: Stage, id: number, message: Sync): void {
  stage.step({ kind: "answer", id, bytes: stage.seal(encodeSync(message)) });
}

const AGREED: MembersAnswer = { kind: "digests", digests: new Uint8Array() };

Deno.test("hosts that know the same have told each other so in one round", () => {
  const { stage, id, message } = comparing(40);
  assert.equal(message.members.count, 42);
  answer(stage, id, { kind: "compared", sender: entry(2), members: AGREED, rider: RIDER });
  assert.deepEqual(stage.rider.calls, ["update 2 ab", "synced 2"]);
  assert.deepEqual(stage.take().filter(({ kind }) => kind === "request"), []);
});

Deno.test("where digests differ, the entries of those buckets are told, and the rest is heard", () => {
  const { stage, id } = comparing(40);
  const changed = entry(120, "alive", 11);
  const members: MembersAnswer = { kind: "digests", digests: peerDigests(40, [changed]) };
  answer(stage, id, { kind: "compared", sender: entry(2), members, rider: RIDER });
  const { id: second, message } = question(stage, "update");
  assert.ok(message.entries.some(({ record }) => record.id === changed.record.id));
  assert.ok(message.entries.length < 8, `${message.entries.length} told`);
  assert.ok(message.buckets.has(changed.record.id));
  assert.equal(message.rider.length, 0);
  assert.deepEqual(stage.rider.calls, ["update 2 ab"]);
  const rest = { sender: entry(2), entries: [changed], rider: new Uint8Array() };
  answer(stage, second, { kind: "updated", ...rest });
  assert.equal(stage.known(120).incarnation, 11);
  assert.deepEqual(stage.rider.calls, ["update 2 ab", "synced 2"]);
});

Deno.test("who was told everything tells what the other lacks, and no more", () => {
  const { stage, id } = comparing(20);
  const entries = Array.from({ length: 19 }, (_, index) => entry(100 + index));
  const members: MembersAnswer = { kind: "everything", entries: [entry(1), ...entries] };
  answer(stage, id, { kind: "compared", sender: entry(2), members, rider: RIDER });
  const { message } = question(stage, "update");
  assert.deepEqual(message.entries.map(({ record }) => record.id), [peer(119).id]);
  assert.equal(message.buckets.isEmpty, true);
});

Deno.test("the rider alone may have something to tell", () => {
  const { stage, id } = comparing(20);
  stage.rider.toTell = new Uint8Array([7, 7]);
  answer(stage, id, { kind: "compared", sender: entry(2), members: AGREED, rider: RIDER });
  const { id: second, message } = question(stage, "update");
  assert.deepEqual([message.rider.toHex(), message.entries], ["0707", []]);
  answer(stage, second, { kind: "updated", sender: entry(2), entries: [], rider: RIDER });
  assert.deepEqual(stage.rider.calls, ["update 2 ab", "merge 2 ab", "synced 2"]);
});

for (
  const [what, end] of [
    ["fails", (stage: Stage, id: number) => {
      stage.step({ kind: "failed", id, reason: "timed out" });
    }],
    ["is answered by another host", (stage: Stage, id: number) => {
      answer(stage, id, { kind: "updated", sender: entry(3), entries: [], rider: RIDER });
    }],
    ["is answered by something else", (stage: Stage, id: number) => {
      answer(stage, id, { kind: "compared", sender: entry(2), members: AGREED, rider: RIDER });
    }],
  ] as const
) {
  Deno.test(`a sync whose second question ${what} is no sync`, () => {
    const { stage, id } = comparing(20);
    stage.rider.toTell = new Uint8Array([7]);
    answer(stage, id, { kind: "compared", sender: entry(2), members: AGREED, rider: RIDER });
    const { id: second } = question(stage, "update");
    end(stage, second);
    assert.deepEqual(stage.rider.calls, ["update 2 ab"]);
  });
}

Deno.test("one who left makes no difference to who never met it", () => {
  const stage = Stage.among(3, 4);
  const before = stage.swim.members().length;
  ask(stage, update(entry(2), entry(5), entry(3, "left")));
  const digest = new BucketDigest();
  for (const { record } of [entry(1), entry(2), entry(4), entry(5)]) {
    digest.add(record.id, newsVersion(record.incarnation, "alive"));
  }
  const { members } = readSync(stage, ask(stage, compare(entry(2), digest.summary())), "compared");
  assert.deepEqual(members, AGREED);
  assert.equal(stage.swim.members().length, before + 2);
});

Deno.test("an update without the rider is answered without it", () => {
  const stage = Stage.among(2);
  const frame = encodeSync({
    kind: "update",
    sender: entry(2),
    buckets: BucketSet.NONE,
    entries: [entry(3)],
    rider: new Uint8Array(),
  });
  const { rider, entries } = readSync(stage, ask(stage, frame), "updated");
  assert.deepEqual([rider.length, entries.length], [0, 0]);
  assert.deepEqual(stage.rider.calls, ["h3 unknown > alive"]);
});

Deno.test("a peer that lost its disk hears in a sync that another process of it is known, and can outlive it", () => {
  const stage = Stage.among(2, 3);
  const anew = { ...entry(2), record: { ...entry(2).record, instance: "f".repeat(16) } };
  ask(stage, compare(anew));
  // Asked again: the first answer was looked at without its datagrams.
  stage.step({
    kind: "request",
    id: 8,
    from: TWO.endpoint,
    bytes: stage.envelope.seal(compare(anew)),
  });
  const [told] = stage.sentMessages("alive");
  assert.deepEqual([told?.record.id, told?.record.instance], [TWO.id, TWO.instance]);
});
