/** Members that are forgotten: what the operator's host does, what the others do, and how long it is kept. */
import assert from "node:assert/strict";
import { TOMBSTONE_MS } from "../../../mod/swim/tombstones.ts";
import {
  encodeAlive,
  encodeDead,
  encodeLeft,
  encodeSuspect,
} from "../../../mod/wire/news_messages.ts";
import { peer, Stage } from "./stage.ts";

const [ONE, TWO, THREE] = [peer(1), peer(2), peer(3)];
const HOUR_MS = 3_600_000;

function forget(stage: Stage, number: number, force = false): void {
  stage.step({ kind: "command", command: { kind: "forget", id: peer(number).id, force } });
}

function withDead(): Stage {
  const stage = Stage.among(2, 3, 4);
  stage.packet(THREE.endpoint, encodeDead(10, TWO.id, THREE.id));
  stage.quieten();
  return stage;
}

Deno.test("a dead member that is forgotten has left, and everybody hears that nobody says it for itself", () => {
  const stage = withDead();
  forget(stage, 2);
  assert.equal(stage.status(2), "left");
  stage.runFor(1000);
  const news = stage.sentMessages("left").filter(({ id }) => id === TWO.id);
  assert.ok(news.length > 0);
  for (const { incarnation, instance, isForgotten } of news) {
    assert.deepEqual([incarnation, instance, isForgotten], [10, TWO.instance, true]);
  }
  assert.deepEqual(stage.eventWords(), ["member-left h2"]);
  forget(stage, 2);
  assert.deepEqual(stage.eventWords(), [], "once is enough");
});

Deno.test("a forgotten member is not dialled any more", () => {
  const stage = withDead();
  forget(stage, 2);
  stage.runFor(4 * HOUR_MS, (packet) => stage.ack(packet));
  const dials = stage.take().filter((action) => "to" in action && action.to === TWO.endpoint);
  assert.deepEqual(dials, []);
});

Deno.test("who believes a member dead lets it go when it is forgotten, and passes that on", () => {
  const stage = withDead();
  stage.packet(THREE.endpoint, encodeLeft(10, TWO.id, TWO.instance, true));
  assert.equal(stage.status(2), "left");
  stage.runFor(1000);
  assert.ok(stage.sentMessages("left").every(({ isForgotten }) => isForgotten));
});

Deno.test("who believes a member alive only suspects it when it is said to be forgotten", () => {
  const stage = Stage.among(2, 3);
  stage.packet(THREE.endpoint, encodeLeft(10, TWO.id, TWO.instance, true));
  assert.equal(stage.status(2), "suspect");
  stage.packet(TWO.endpoint, encodeAlive({ ...TWO, incarnation: 11 }));
  assert.equal(stage.status(2), "alive");
  assert.deepEqual(stage.eventWords(), ["member-suspected h2", "member-recovered h2"]);
});

Deno.test("a host that is said to be forgotten says that it is here", () => {
  const stage = Stage.among(2);
  stage.packet(TWO.endpoint, encodeLeft(10, ONE.id, ONE.instance, true));
  assert.equal(stage.swim.self().status, "alive");
  assert.equal(stage.swim.self().incarnation, 11);
});

Deno.test("alive and suspect members are forgotten by force alone, and come back by themselves", () => {
  for (const accusation of [[], [encodeSuspect(10, TWO.id, THREE.id)]]) {
    const stage = Stage.among(2, 3);
    for (const bytes of accusation) stage.packet(THREE.endpoint, bytes);
    const before = stage.status(2);
    forget(stage, 2);
    assert.equal(stage.status(2), before);
    forget(stage, 2, true);
    assert.equal(stage.status(2), "left");
    stage.packet(TWO.endpoint, encodeAlive({ ...TWO, incarnation: 11 }));
    assert.equal(stage.status(2), "alive");
  }
});

Deno.test("this host itself and strangers are not forgotten", () => {
  const stage = Stage.among(2);
  forget(stage, 1, true);
  forget(stage, 9, true);
  assert.equal(stage.swim.self().status, "alive");
  assert.deepEqual(stage.take().filter(({ kind }) => kind === "event"), []);
});

Deno.test("a member known from the disk alone is forgotten too", () => {
  const stage = new Stage({ remembered: [TWO, THREE] });
  assert.equal(stage.swim.snapshot().missing.length, 2);
  forget(stage, 2);
  assert.deepEqual(stage.swim.snapshot().missing.map(({ name }) => name), ["h3"]);
  stage.packet(peer(4).endpoint, encodeLeft(10, THREE.id, THREE.instance, true));
  assert.deepEqual(stage.swim.snapshot().missing, []);
});

Deno.test("members that left go out of the table after a day, and old news do not bring them back", () => {
  const stage = Stage.among(2, 3, 4);
  stage.packet(TWO.endpoint, encodeLeft(10, TWO.id, TWO.instance));
  stage.packet(THREE.endpoint, encodeDead(10, THREE.id, TWO.id));
  stage.runFor(TOMBSTONE_MS - 2 * 60_000, (packet) => stage.ack(packet));
  assert.equal(stage.status(2), "left");
  stage.runFor(3 * 60_000, (packet) => stage.ack(packet));
  assert.equal(stage.status(2), "unknown");
  assert.equal(stage.status(3), "dead", "the dead stay");
  stage.packet(peer(4).endpoint, encodeLeft(10, TWO.id, TWO.instance));
  stage.packet(peer(4).endpoint, encodeDead(10, TWO.id, peer(4).id));
  assert.equal(stage.status(2), "unknown");
});

Deno.test("a member that came back is not dropped for having left once", () => {
  const stage = Stage.among(2, 3);
  stage.packet(TWO.endpoint, encodeLeft(10, TWO.id, TWO.instance));
  stage.runFor(HOUR_MS, (packet) => stage.ack(packet));
  stage.packet(TWO.endpoint, encodeAlive({ ...TWO, incarnation: 11 }));
  stage.runFor(TOMBSTONE_MS, (packet) => stage.ack(packet));
  assert.equal(stage.status(2), "alive");
});

Deno.test("a host that slept for two days has kept its tombstones", () => {
  const stage = Stage.among(2, 3);
  stage.packet(TWO.endpoint, encodeLeft(10, TWO.id, TWO.instance));
  stage.runFor(HOUR_MS, (packet) => stage.ack(packet));
  stage.nowMs += 2 * TOMBSTONE_MS;
  stage.runFor(HOUR_MS, (packet) => stage.ack(packet));
  assert.equal(stage.status(2), "left");
});
