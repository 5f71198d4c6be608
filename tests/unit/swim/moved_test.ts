/** A host whose network changes: what it tells, whom it dials, and who may say where somebody is. */
import assert from "node:assert/strict";
import { Random } from "../../../mod/base/random.ts";
import { encodeAlive, encodeDead } from "../../../mod/wire/news_messages.ts";
import { joinParts } from "../../../mod/wire/parts.ts";
import { testKeyring } from "../../support/test_cipher.ts";
import { peer, Stage } from "./stage.ts";

const [ONE, TWO, THREE] = [peer(1), peer(2), peer(3)];
const ELSEWHERE = "10.3.3.3:7947";

function move(stage: Stage, endpoint: string): void {
  stage.step({ kind: "command", command: { kind: "move", endpoint } });
}

/** Where questions over streams went since the last call. */
function dialled(stage: Stage): string[] {
  return stage.take().flatMap((action) => action.kind === "request" ? [action.to] : []);
}

/** A stage on which host 2 is dead, and dialled in vain for so long that the pauses have grown. */
function withLost(): Stage {
  const stage = Stage.among(2);
  stage.packet(TWO.endpoint, encodeDead(10, TWO.id, THREE.id));
  stage.runFor(600_000);
  dialled(stage);
  return stage;
}

Deno.test("while nothing changes, the lost are dialled after a pause", () => {
  const stage = withLost();
  stage.runFor(1_000);
  assert.deepEqual(dialled(stage), []);
});

Deno.test("whose network is back dials the lost in the same step, at the address it had as well", () => {
  for (const endpoint of [ONE.endpoint, ELSEWHERE]) {
    const stage = withLost();
    move(stage, endpoint);
    assert.deepEqual(dialled(stage), [TWO.endpoint]);
  }
});

Deno.test("whose network is back asks two of those that should be there what it missed", () => {
  const stage = Stage.among(2, 3, 4);
  move(stage, ONE.endpoint);
  const asked = new Set(dialled(stage));
  assert.equal(asked.size, 2);
  const there = [2, 3, 4].map((number) => peer(number).endpoint);
  assert.ok([...asked].every((endpoint) => there.includes(endpoint)));
});

Deno.test("who left asks nobody, wherever its network is", () => {
  const stage = Stage.among(2, 3);
  stage.step({ kind: "command", command: { kind: "leave" } });
  stage.runFor(5_000);
  dialled(stage);
  move(stage, ELSEWHERE);
  stage.runFor(60_000);
  assert.deepEqual(dialled(stage), []);
});

Deno.test("of many lost ones some are dialled at once, though others are there", () => {
  const numbers = Array.from({ length: 30 }, (_, index) => index + 2);
  const stage = Stage.among(...numbers);
  for (const number of numbers.slice(2)) {
    stage.packet(TWO.endpoint, encodeDead(10, peer(number).id, TWO.id));
  }
  dialled(stage);
  move(stage, ELSEWHERE);
  const reachable = [TWO.endpoint, THREE.endpoint];
  assert.equal(dialled(stage).filter((endpoint) => !reachable.includes(endpoint)).length, 3);
});

Deno.test("a seed that was given up for a while is asked again at once", () => {
  const stage = new Stage({ seeds: ["seed.example"] });
  const isAsked = () => stage.take().some(({ kind }) => kind === "resolve");
  assert.ok(isAsked());
  for (let attempt = 0; attempt < 10; attempt++) {
    stage.step({ kind: "resolved", seed: "seed.example", endpoints: [], reason: "no network" });
    stage.runFor(40_000);
    stage.take();
  }
  stage.step({ kind: "resolved", seed: "seed.example", endpoints: [], reason: "no network" });
  stage.runFor(10);
  assert.equal(isAsked(), false);
  move(stage, ONE.endpoint);
  assert.ok(isAsked());
});

Deno.test("who moves to where another one is believed to be looks for that one where it was itself", () => {
  const stage = Stage.among(2, 3);
  move(stage, TWO.endpoint);
  assert.deepEqual(dialled(stage), [ONE.endpoint, THREE.endpoint]);
  // And goes on when the other one is taken for dead: it moved later.
  stage.packet(THREE.endpoint, encodeDead(10, TWO.id, THREE.id));
  stage.runFor(600_000);
  const tried = new Set(dialled(stage));
  assert.ok(tried.has(ONE.endpoint));
  assert.equal(tried.has(TWO.endpoint), false, "it is here itself");
});

Deno.test("only news that are newer than all known ones move a member", () => {
  const stage = Stage.among(2);
  for (const incarnation of [9, 10]) {
    stage.packet(ELSEWHERE, encodeAlive({ ...TWO, endpoint: ELSEWHERE, incarnation }));
    assert.equal(stage.known(2).endpoint, TWO.endpoint);
  }
  stage.packet(THREE.endpoint, encodeAlive({ ...TWO, endpoint: ELSEWHERE, incarnation: 11 }));
  assert.equal(stage.known(2).endpoint, ELSEWHERE);
});

Deno.test("where a packet comes from moves nobody", () => {
  const stage = Stage.among(2);
  stage.packet(ELSEWHERE, encodeAlive(TWO));
  assert.equal(stage.known(2).endpoint, TWO.endpoint);
});

Deno.test("a host of which others say that it moved says where it is, and is believed", () => {
  const stage = Stage.among(2);
  stage.packet(TWO.endpoint, encodeAlive({ ...ONE, endpoint: ELSEWHERE, incarnation: 15 }));
  assert.equal(stage.swim.self().endpoint, ONE.endpoint);
  stage.runFor(1_000);
  const [refuted] = stage.sentMessages("alive").filter(({ record }) => record.id === ONE.id);
  assert.deepEqual(refuted?.record, { ...ONE, incarnation: 16 });
});

Deno.test("without a key nobody moves a member of a cluster that has one", () => {
  const stage = new Stage({ keys: testKeyring(new Random(7), 1) });
  stage.packet(TWO.endpoint, encodeAlive(TWO));
  const moved = encodeAlive({ ...TWO, endpoint: ELSEWHERE, incarnation: 11 });
  const stranger = new Stage();
  const others = new Stage({ keys: testKeyring(new Random(8), 2) });
  for (const forger of [stranger, others]) {
    stage.step({ kind: "packet", from: ELSEWHERE, bytes: forger.seal(joinParts([moved])) });
    assert.equal(stage.known(2).endpoint, TWO.endpoint);
  }
  stage.packet(TWO.endpoint, moved);
  assert.equal(stage.known(2).endpoint, ELSEWHERE);
});

Deno.test("who is dropped as a seed is dialled no more, and stays a member", () => {
  const stage = Stage.among(2);
  const silent = "10.9.9.9:7947";
  const seeds = (kind: "join" | "drop-seeds") =>
    stage.step({ kind: "command", command: { kind, seeds: [silent, TWO.endpoint] } });
  const resolved = () =>
    stage.take().filter((action) => action.kind === "resolve").map(({ seed }) => seed);
  seeds("join");
  assert.deepEqual(resolved(), [silent, TWO.endpoint]);
  stage.step({ kind: "resolved", seed: silent, endpoints: [], reason: "no address" });
  stage.runFor(60_000);
  assert.ok(resolved().includes(silent), "it is tried again");
  seeds("drop-seeds");
  stage.runFor(600_000);
  assert.deepEqual(resolved(), []);
  assert.deepEqual(stage.swim.snapshot().seeds, []);
  assert.equal(stage.swim.snapshot().members.length, 2);
});
