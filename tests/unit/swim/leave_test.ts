/** Leaving, moving, coming back, and what the disk remembers. */
import assert from "node:assert/strict";
import { WireError } from "../../../mod/base/errors.ts";
import { decodeMembers, encodeMembers } from "../../../mod/swim/memory.ts";
import { encodeAlive, encodeDead, encodeSuspect } from "../../../mod/wire/news_messages.ts";
import { peer, Stage } from "./stage.ts";

const [ONE, TWO, THREE] = [peer(1), peer(2), peer(3)];

function leave(stage: Stage): void {
  stage.step({ kind: "command", command: { kind: "leave" } });
}

Deno.test("the goodbye goes to everybody alive in the same step", () => {
  const stage = Stage.among(2, 3, 4, 5, 6);
  stage.packet(THREE.endpoint, encodeDead(10, TWO.id, THREE.id));
  stage.quieten();
  leave(stage);
  const told = new Set(
    stage.sent().filter(({ messages }) => messages[0]?.kind === "left").map(({ to }) => to),
  );
  for (const number of [3, 4, 5, 6]) assert.equal(told.has(peer(number).endpoint), true);
});

Deno.test("the goodbye goes out three times before it is over, for who lost the first", () => {
  const stage = Stage.among(2, 3);
  leave(stage);
  stage.runFor(1000);
  const told = stage.sent().filter(({ to, messages }) =>
    to === TWO.endpoint && messages.length === 1 && messages[0]?.kind === "left"
  );
  assert.ok(told.length >= 3, `${told.length} times`);
  assert.deepEqual(stage.eventWords(), ["member-left h1", "left"]);
});

Deno.test("the goodbye is over after a second at most, and then no timer is left", () => {
  const stage = Stage.among(2, 3);
  leave(stage);
  stage.runFor(1000);
  assert.deepEqual(stage.eventWords(), ["member-left h1", "left"]);
  assert.equal(stage.swim.wakeAtMs(), Infinity);
  stage.take();
  stage.runFor(100_000);
  assert.deepEqual(stage.take(), []);
});

Deno.test("a lonely host's goodbye is over at once", () => {
  const stage = new Stage();
  leave(stage);
  assert.deepEqual(stage.eventWords(), ["member-left h1", "left"]);
});

Deno.test("who left does not refute what is said of it", () => {
  const stage = Stage.among(2);
  leave(stage);
  stage.packet(TWO.endpoint, encodeAlive(ONE));
  stage.packet(TWO.endpoint, encodeSuspect(10, ONE.id, TWO.id));
  stage.packet(TWO.endpoint, encodeDead(10, ONE.id, TWO.id));
  assert.equal(stage.swim.self().status, "left");
  assert.equal(stage.swim.self().incarnation, 10);
});

Deno.test("a second leave changes nothing", () => {
  const stage = Stage.among(2);
  leave(stage);
  leave(stage);
  stage.runFor(2000);
  leave(stage);
  stage.runFor(2000);
  assert.deepEqual(stage.eventWords(), ["member-left h1", "left"]);
});

Deno.test("a join takes the leave back", () => {
  const stage = Stage.among(2);
  leave(stage);
  stage.runFor(2000);
  stage.take();
  stage.step({ kind: "command", command: { kind: "join", seeds: [] } });
  assert.equal(stage.swim.self().status, "alive");
  assert.equal(stage.swim.self().incarnation, 11);
  assert.equal(stage.sentMessages("alive")[0]?.record.incarnation, 11);
  stage.runFor(3000);
  assert.ok(stage.sentMessages("ping").length > 0);
});

Deno.test("a host that moved says so, with a higher incarnation", () => {
  const stage = Stage.among(2);
  stage.step({ kind: "command", command: { kind: "move", endpoint: "10.3.3.3:7947" } });
  const moved = { ...ONE, endpoint: "10.3.3.3:7947", incarnation: 11 };
  assert.deepEqual(stage.sentMessages("alive"), [{ kind: "alive", record: moved }]);
  stage.step({ kind: "command", command: { kind: "move", endpoint: "10.3.3.3:7947" } });
  assert.equal(stage.swim.self().incarnation, 11);
});

Deno.test("the members document survives writing and reading", () => {
  const memory = {
    incarnation: 2 ** 40,
    members: [TWO, THREE].map(({ id, name, endpoint }) => ({ id, name, endpoint })),
  };
  assert.deepEqual(decodeMembers(encodeMembers(memory)), memory);
});

Deno.test("a damaged members document is refused with the place of the damage", () => {
  const whole = encodeMembers({ incarnation: 1, members: [TWO] });
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => decodeMembers(whole.subarray(0, length)), WireError);
  }
  assert.throws(
    () => decodeMembers(Uint8Array.fromHex("83030180")),
    /members document: unknown format 3/,
  );
});

function persisted(stage: Stage): { atMs: number; names: string[]; incarnation: number }[] {
  return stage.take().flatMap((action) => {
    if (action.kind !== "persist") return [];
    assert.equal(action.id, 0);
    assert.equal(action.document, "members");
    const { members, incarnation } = decodeMembers(action.bytes);
    return [{ atMs: stage.nowMs, names: members.map(({ name }) => name), incarnation }];
  });
}

Deno.test("members and incarnation are kept on disk, when they change, every 10 seconds at most", () => {
  const stage = new Stage({ remembered: [{ id: peer(9).id, name: "h9", endpoint: "10.0.0.9:1" }] });
  const writes: { atMs: number; names: string[]; incarnation: number }[] = [];
  const pass = (durationMs: number) => {
    for (let ms = 0; ms < durationMs; ms += 100) {
      stage.runFor(100, (packet) => stage.ack(packet));
      writes.push(...persisted(stage));
    }
  };
  stage.packet(TWO.endpoint, encodeAlive(TWO));
  pass(3000);
  stage.packet(THREE.endpoint, encodeAlive(THREE));
  stage.packet(THREE.endpoint, encodeSuspect(10, ONE.id, THREE.id));
  pass(20_000);
  assert.deepEqual(writes.map(({ names }) => names), [["h2", "h9"], ["h2", "h3", "h9"]]);
  assert.deepEqual(writes.map(({ incarnation }) => incarnation), [10, 11]);
  assert.ok((writes[1]?.atMs ?? 0) - (writes[0]?.atMs ?? 0) >= 10_000);
  pass(60_000);
  assert.equal(writes.length, 2);
});

Deno.test("who leaves writes down whom it met a moment ago, and nothing when nothing is new", () => {
  const stage = Stage.among(2, 3);
  assert.deepEqual(persisted(stage), []);
  leave(stage);
  assert.deepEqual(persisted(stage).map(({ names }) => names), [["h2", "h3"]]);
  leave(stage);
  stage.runFor(20_000);
  assert.deepEqual(persisted(stage), []);
});

Deno.test("a disk that refuses is warned of once and tried again", () => {
  const stage = new Stage();
  let writes = 0;
  for (let second = 0; second < 60; second++) {
    stage.runFor(1000);
    for (const _ of persisted(stage)) {
      writes++;
      stage.step({ kind: "persisted", id: 0, error: "No space left on device" });
    }
  }
  assert.ok(writes >= 5);
  assert.deepEqual(stage.eventWords(), ["members-not-saved"]);
});

Deno.test("remembered members are dialled at once, then until they are seen", () => {
  const remembered = [2, 3].map((number) => peer(number));
  const stage = new Stage({ remembered });
  const dialled = (action: { kind: string; to?: string }) =>
    action.kind === "request" ? [action.to] : [];
  assert.deepEqual(new Set(stage.take().flatMap(dialled)), new Set([TWO.endpoint, THREE.endpoint]));
  stage.runFor(60_000);
  assert.ok(stage.take().flatMap(dialled).length >= 8);
  stage.packet(TWO.endpoint, encodeAlive(TWO));
  stage.packet(THREE.endpoint, encodeAlive(THREE));
  stage.runFor(300_000, (packet) => stage.ack(packet));
  const later = stage.take().flatMap(dialled);
  assert.ok(later.length <= 16, `${later.length}`); // the regular syncs, each 30 s, and more often at first
});

Deno.test("a dead member is dialled for ever, the cluster's hosts sharing the attempts", () => {
  const living = [3, 4, 5, 6, 7, 8, 9, 10, 11];
  const stage = Stage.among(2, ...living);
  stage.packet(THREE.endpoint, encodeDead(10, TWO.id, THREE.id));
  stage.runFor(24 * 3_600_000, (packet) => stage.ack(packet));
  const dials = stage.take().filter((action) =>
    action.kind === "request" && action.to === TWO.endpoint
  );
  // 2880 intervals of 30 s, ten hosts that share one attempt in each.
  assert.ok(dials.length > 288 - 60 && dials.length < 288 + 60, `${dials.length} dials`);
});

Deno.test("a dead member whose address somebody else has now is not dialled", () => {
  const stage = Stage.among(2, 3);
  stage.packet(THREE.endpoint, encodeDead(10, TWO.id, THREE.id));
  const successor = peer(4, { endpoint: TWO.endpoint });
  stage.packet(successor.endpoint, encodeAlive(successor));
  stage.runFor(3_600_000, (packet) => stage.ack(packet));
  const dials = stage.take().filter((action) => action.kind === "request");
  assert.ok(dials.length <= 125, `${dials.length} in an hour`); // the regular syncs, each 30 s
});
