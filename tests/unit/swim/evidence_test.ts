/** What is believed of members, and what is not. */
import assert from "node:assert/strict";
import { AES_GCM } from "../../../mod/host/aes_gcm.ts";
import { INCARNATION_JUMP_MAX } from "../../../mod/swim/evidence.ts";
import { Feature, hasFeature } from "../../../mod/wire/features.ts";
import { Keyring } from "../../../mod/wire/keyring.ts";
import {
  encodeAlive,
  encodeDead,
  encodeLeft,
  encodeSuspect,
} from "../../../mod/wire/news_messages.ts";
import { encodeAck, encodePing } from "../../../mod/wire/probe_messages.ts";
import { peer, Stage } from "./stage.ts";

const [ONE, TWO, THREE, FOUR] = [peer(1), peer(2), peer(3), peer(4)];

Deno.test("the first alive message makes a member, which is announced and passed on", () => {
  const stage = new Stage();
  stage.packet(TWO.endpoint, encodeAlive(TWO));
  assert.equal(stage.status(2), "alive");
  assert.deepEqual(stage.rider.calls, ["h2 unknown > alive"]);
  assert.equal(stage.sentMessages("alive").some(({ record }) => record.id === TWO.id), true);
  assert.deepEqual(stage.eventWords(), ["member-joined h2"]);
});

Deno.test("nothing but an alive message makes a member", () => {
  const stage = new Stage();
  stage.packet(
    TWO.endpoint,
    encodePing(1, ONE.id, TWO.id),
    encodeAck(1),
    encodeSuspect(1, TWO.id, THREE.id),
    encodeDead(1, TWO.id, THREE.id),
    encodeLeft(1, TWO.id, TWO.instance),
  );
  assert.equal(stage.swim.members().length, 1);
});

Deno.test("the same alive message again is no news", () => {
  const stage = Stage.among(2);
  stage.packet(TWO.endpoint, encodeAlive(TWO));
  assert.deepEqual(stage.sent(), []);
  assert.deepEqual(stage.eventWords(), []);
  assert.equal(stage.swim.snapshot().queueLength, 0);
});

Deno.test("a higher incarnation cures a suspect, the same does not", () => {
  const stage = Stage.among(2, 3);
  stage.packet(THREE.endpoint, encodeSuspect(10, TWO.id, THREE.id));
  stage.packet(TWO.endpoint, encodeAlive(TWO));
  assert.equal(stage.status(2), "suspect");
  stage.packet(TWO.endpoint, encodeAlive({ ...TWO, incarnation: 11 }));
  assert.equal(stage.status(2), "alive");
  assert.deepEqual(stage.eventWords(), ["member-suspected h2", "member-recovered h2"]);
});

Deno.test("a newer incarnation may bear another address, name and version", () => {
  const stage = Stage.among(2);
  const moved = {
    ...TWO,
    incarnation: 11,
    endpoint: "10.9.9.9:7947",
    name: "two",
    version: "0.2.0",
  };
  stage.packet(moved.endpoint, encodeAlive(moved));
  assert.equal(stage.known(2).endpoint, "10.9.9.9:7947");
  const [event] = stage.events();
  assert(event?.kind === "member-updated");
  assert.equal(event.previous.name, "h2");
  assert.equal(event.member.name, "two");
});

Deno.test("an older incarnation with another address changes nothing", () => {
  const stage = Stage.among(2);
  stage.packet(THREE.endpoint, encodeAlive({ ...TWO, incarnation: 9, endpoint: "10.9.9.9:7947" }));
  assert.equal(stage.known(2).endpoint, TWO.endpoint);
  assert.deepEqual(stage.eventWords(), []);
});

Deno.test("suspicions of older incarnations are ignored", () => {
  const stage = Stage.among(2, 3);
  stage.packet(THREE.endpoint, encodeSuspect(9, TWO.id, THREE.id));
  assert.equal(stage.status(2), "alive");
});

Deno.test("verdicts and goodbyes of older incarnations are ignored", () => {
  const stage = Stage.among(2, 3);
  stage.packet(THREE.endpoint, encodeDead(9, TWO.id, THREE.id));
  stage.packet(THREE.endpoint, encodeLeft(9, TWO.id, TWO.instance));
  assert.equal(stage.status(2), "alive");
  assert.deepEqual(stage.eventWords(), []);
  assert.equal(stage.swim.snapshot().queueLength, 0);
});

Deno.test("a second suspicion is no second event", () => {
  const stage = Stage.among(2, 3, 4);
  stage.packet(THREE.endpoint, encodeSuspect(10, TWO.id, THREE.id));
  stage.packet(FOUR.endpoint, encodeSuspect(10, TWO.id, FOUR.id));
  assert.deepEqual(stage.eventWords(), ["member-suspected h2"]);
});

Deno.test("a suspicion that nobody refutes ends in death, after the least time among few", () => {
  const stage = Stage.among(2, 3);
  stage.packet(THREE.endpoint, encodeSuspect(10, TWO.id, THREE.id));
  const answer = (packet: Parameters<Stage["ack"]>[0]) => stage.ack(packet);
  stage.runFor(3999, answer);
  assert.equal(stage.status(2), "suspect");
  stage.runFor(2, answer);
  assert.equal(stage.status(2), "dead");
  assert.deepEqual(stage.eventWords(), ["member-suspected h2", "member-failed h2"]);
});

Deno.test("a refuted suspicion is over for good", () => {
  const stage = Stage.among(2, 3);
  stage.packet(THREE.endpoint, encodeSuspect(10, TWO.id, THREE.id));
  stage.packet(TWO.endpoint, encodeAlive({ ...TWO, incarnation: 11 }));
  stage.runFor(60_000, (packet) => stage.ack(packet));
  assert.deepEqual(stage.eventWords(), ["member-suspected h2", "member-recovered h2"]);
});

Deno.test("further accusers are news to the others, but none twice", () => {
  const stage = Stage.among(2, 3, 4, 5, 6);
  const accuse = (accuser: number) => {
    stage.packet(peer(accuser).endpoint, encodeSuspect(10, TWO.id, peer(accuser).id));
    const { queueLength } = stage.swim.snapshot();
    const accusers = stage.sentMessages("suspect").map((message) => Number(message.accuser));
    stage.quieten();
    return [queueLength, ...new Set(accusers)];
  };
  assert.deepEqual(accuse(3), [1, 3]);
  assert.deepEqual(accuse(4), [1, 4]);
  assert.deepEqual(accuse(4), [0]);
});

Deno.test("among many a suspicion is long, and each further accuser shortens it", () => {
  const numbers = [2, 3, 4, 5, 6, 7, 8];
  const diesAfterMs = (accusers: number[]) => {
    const stage = Stage.among(...numbers);
    const sinceMs = stage.nowMs;
    for (const accuser of accusers) {
      stage.packet(peer(accuser).endpoint, encodeSuspect(10, TWO.id, peer(accuser).id));
    }
    while (stage.status(2) === "suspect") stage.runFor(10, (packet) => stage.ack(packet));
    return Math.round((stage.nowMs - sinceMs) / 100) / 10;
  };
  assert.equal(diesAfterMs([3]), 24);
  assert.equal(diesAfterMs([3, 3, 3]), 24);
  assert.equal(diesAfterMs([3, 4]), 11.4); // 24 - log 2 / log 3 * 20
  assert.equal(diesAfterMs([3, 4, 5]), 4);
  assert.equal(diesAfterMs([3, 4, 5, 6, 7]), 4);
});

Deno.test("an old alive message does not bring the dead back", () => {
  const stage = Stage.among(2, 3);
  // The verdict is on incarnation 12, which we had not heard of: 11 must not undo it.
  stage.packet(THREE.endpoint, encodeDead(12, TWO.id, THREE.id));
  stage.packet(THREE.endpoint, encodeAlive({ ...TWO, incarnation: 12 }));
  stage.packet(THREE.endpoint, encodeAlive({ ...TWO, incarnation: 11 }));
  assert.equal(stage.status(2), "dead");
  stage.packet(TWO.endpoint, encodeAlive({ ...TWO, incarnation: 13 }));
  assert.equal(stage.status(2), "alive");
  assert.deepEqual(stage.eventWords(), ["member-failed h2", "member-recovered h2"]);
});

Deno.test("a second death is no event, but raises what must be outlived", () => {
  const stage = Stage.among(2, 3);
  stage.packet(THREE.endpoint, encodeDead(10, TWO.id, THREE.id));
  stage.packet(THREE.endpoint, encodeDead(15, TWO.id, THREE.id));
  stage.packet(THREE.endpoint, encodeAlive({ ...TWO, incarnation: 14 }));
  assert.equal(stage.status(2), "dead");
  assert.deepEqual(stage.eventWords(), ["member-failed h2"]);
});

for (const [verdict, encode] of [["suspect", encodeSuspect], ["dead", encodeDead]] as const) {
  Deno.test(`this host refutes being ${verdict}, at once, and takes it as a bad sign`, () => {
    const stage = Stage.among(2);
    stage.packet(TWO.endpoint, encode(13, ONE.id, TWO.id));
    assert.equal(stage.swim.self().incarnation, 14);
    assert.equal(stage.swim.self().status, "alive");
    assert.equal(stage.swim.healthScore(), 1);
    const [refutation] = stage.sentMessages("alive");
    assert.equal(refutation?.record.incarnation, 14);
  });

  Deno.test(`who still believes this host ${verdict} hears of the refutation, and only they`, () => {
    const stage = Stage.among(2, 3);
    stage.packet(TWO.endpoint, encode(9, ONE.id, THREE.id));
    assert.equal(stage.swim.self().incarnation, 10);
    assert.equal(stage.swim.healthScore(), 0);
    assert.deepEqual(stage.sent(), [{
      to: TWO.endpoint,
      messages: [{ kind: "alive", record: ONE }],
    }]);
  });
}

Deno.test("news of another process with this host's id are outlived, its echoes are not", () => {
  const stage = Stage.among(2);
  stage.packet(TWO.endpoint, encodeAlive({ ...ONE, incarnation: 10 }));
  stage.packet(TWO.endpoint, encodeAlive({ ...ONE, incarnation: 9, instance: "ff".repeat(8) }));
  assert.equal(stage.swim.self().incarnation, 10);
  stage.packet(TWO.endpoint, encodeAlive({ ...ONE, incarnation: 10, instance: "ff".repeat(8) }));
  assert.equal(stage.swim.self().incarnation, 11);
  assert.equal(stage.swim.healthScore(), 0); // a restart is no bad sign
});

Deno.test("incarnations that jump are refused for everybody, with one warning", () => {
  const stage = Stage.among(2);
  const absurd = 10 + INCARNATION_JUMP_MAX + 1;
  stage.packet(TWO.endpoint, encodeAlive({ ...TWO, incarnation: absurd }));
  stage.packet(TWO.endpoint, encodeSuspect(absurd, TWO.id, ONE.id));
  stage.packet(TWO.endpoint, encodeDead(absurd, TWO.id, ONE.id));
  stage.packet(TWO.endpoint, encodeLeft(absurd, TWO.id, TWO.instance));
  assert.equal(stage.known(2).incarnation, 10);
  assert.equal(stage.status(2), "alive");
  assert.deepEqual(stage.eventWords(), ["incarnation-jump"]);
  stage.packet(TWO.endpoint, encodeDead(absurd, ONE.id, TWO.id));
  assert.equal(stage.swim.self().incarnation, 10);
  assert.equal(stage.swim.snapshot().counters.incarnationJumps, 5);
  stage.packet(TWO.endpoint, encodeAlive({ ...TWO, incarnation: absurd - 1 }));
  assert.equal(stage.known(2).incarnation, absurd - 1);
});

Deno.test("a goodbye is believed only with the member's own instance", () => {
  const stage = Stage.among(2);
  stage.packet(TWO.endpoint, encodeLeft(10, TWO.id, THREE.instance));
  assert.equal(stage.status(2), "alive");
  stage.packet(TWO.endpoint, encodeLeft(10, TWO.id, TWO.instance));
  assert.equal(stage.status(2), "left");
  assert.deepEqual(stage.eventWords(), ["member-left h2"]);
});

Deno.test("who left is not suspected, not declared dead, and comes back with a newer incarnation", () => {
  const stage = Stage.among(2, 3);
  stage.packet(TWO.endpoint, encodeLeft(10, TWO.id, TWO.instance));
  stage.packet(THREE.endpoint, encodeSuspect(10, TWO.id, THREE.id));
  stage.packet(THREE.endpoint, encodeDead(10, TWO.id, THREE.id));
  stage.packet(THREE.endpoint, encodeAlive(TWO));
  assert.equal(stage.status(2), "left");
  stage.packet(TWO.endpoint, encodeAlive({ ...TWO, incarnation: 11 }));
  assert.equal(stage.status(2), "alive");
  assert.deepEqual(stage.eventWords(), ["member-left h2", "member-joined h2"]);
});

Deno.test("who left and was seen again since is not taken for gone when it fails", () => {
  const stage = Stage.among(2, 3);
  stage.packet(TWO.endpoint, encodeLeft(10, TWO.id, TWO.instance));
  stage.packet(THREE.endpoint, encodeSuspect(11, TWO.id, THREE.id));
  assert.equal(stage.status(2), "suspect");
  stage.packet(TWO.endpoint, encodeLeft(11, TWO.id, TWO.instance));
  stage.packet(THREE.endpoint, encodeDead(12, TWO.id, THREE.id));
  assert.equal(stage.status(2), "dead"); // and the reconnector looks for it
});

Deno.test("a suspicion of a newer incarnation begins anew", () => {
  const stage = Stage.among(2, 3, 4, 5, 6);
  stage.packet(THREE.endpoint, encodeSuspect(10, TWO.id, THREE.id));
  const sinceMs = stage.known(2).statusSinceMs;
  stage.runFor(20_000, (packet) => stage.ack(packet)); // of 24
  // It refuted; this host did not hear that, but hears of the next suspicion.
  stage.packet(THREE.endpoint, encodeSuspect(11, TWO.id, THREE.id));
  stage.runFor(20_000, (packet) => stage.ack(packet));
  assert.equal(stage.status(2), "suspect");
  assert.equal(stage.known(2).statusSinceMs, sinceMs);
  assert.deepEqual(stage.eventWords(), ["member-suspected h2"]);
  stage.runFor(4_100, (packet) => stage.ack(packet));
  assert.equal(stage.status(2), "dead");
});

Deno.test("the dead can still turn out to have left", () => {
  const stage = Stage.among(2, 3);
  stage.packet(THREE.endpoint, encodeDead(10, TWO.id, THREE.id));
  stage.packet(THREE.endpoint, encodeLeft(10, TWO.id, TWO.instance));
  assert.equal(stage.status(2), "left");
});

Deno.test("a forged goodbye of this host is refuted", () => {
  const stage = Stage.among(2);
  stage.packet(TWO.endpoint, encodeLeft(10, ONE.id, ONE.instance));
  assert.equal(stage.swim.self().status, "alive");
  assert.equal(stage.swim.self().incarnation, 11);
});

Deno.test("a restarted member hears from us what is known of it, once a second", () => {
  const stage = Stage.among(2, 3);
  stage.packet(THREE.endpoint, encodeDead(10, TWO.id, THREE.id));
  stage.quieten();
  const restarted = { ...TWO, incarnation: 0, instance: "ff".repeat(8) };
  stage.packet(TWO.endpoint, encodeAlive(restarted));
  stage.packet(TWO.endpoint, encodeAlive(restarted));
  const answers = stage.sent();
  assert.equal(answers.length, 1);
  assert.equal(answers[0]?.to, TWO.endpoint);
  assert.deepEqual(answers[0]?.messages, [
    { kind: "dead", incarnation: 10, id: TWO.id, accuser: ONE.id },
  ]);
  stage.packet(TWO.endpoint, encodeAlive({ ...restarted, incarnation: 11 }));
  assert.equal(stage.status(2), "alive");
  assert.equal(stage.known(2).instance, restarted.instance);
});

Deno.test("a restarted member that nobody missed hears of its earlier process as well", () => {
  const stage = Stage.among(2);
  stage.packet(TWO.endpoint, encodeAlive({ ...TWO, instance: "ff".repeat(8) }));
  assert.deepEqual(stage.sent().map(({ messages }) => messages), [[{
    kind: "alive",
    record: TWO,
  }]]);
});

Deno.test("outdated news that somebody else passes on are not answered", () => {
  const stage = Stage.among(2, 3);
  stage.packet(THREE.endpoint, encodeDead(10, TWO.id, THREE.id));
  stage.quieten();
  stage.packet(THREE.endpoint, encodeAlive({ ...TWO, incarnation: 9 }));
  assert.deepEqual(stage.sent(), []);
});

Deno.test("who passes on bad news that were refuted since hears the refutation, once a second", () => {
  const stage = Stage.among(2, 3, 4);
  stage.packet(TWO.endpoint, encodeAlive({ ...TWO, incarnation: 11 }));
  stage.quieten();
  for (const news of [encodeSuspect(10, TWO.id, THREE.id), encodeDead(10, TWO.id, THREE.id)]) {
    stage.packet(THREE.endpoint, news);
  }
  const answers = stage.sent();
  assert.deepEqual(answers.map(({ to }) => to), [THREE.endpoint]);
  assert.deepEqual(answers[0]?.messages, [
    { kind: "alive", record: { ...TWO, incarnation: 11 } },
  ]);
  stage.packet(peer(4).endpoint, encodeSuspect(10, TWO.id, THREE.id));
  assert.deepEqual(stage.sent().map(({ to }) => to), [peer(4).endpoint]);
  assert.equal(stage.status(2), "alive");
});

Deno.test("who passes on bad news of a member that is not there hears nothing", () => {
  const stage = Stage.among(2, 3, 4);
  stage.packet(peer(4).endpoint, encodeDead(11, TWO.id, peer(4).id));
  stage.quieten();
  stage.packet(THREE.endpoint, encodeSuspect(10, TWO.id, THREE.id));
  assert.deepEqual(stage.sent(), []);
});

Deno.test("two living hosts of one name are warned of once", () => {
  const stage = Stage.among(2);
  const double = peer(3, { name: "h2" });
  stage.packet(double.endpoint, encodeAlive(double));
  stage.packet(double.endpoint, encodeAlive({ ...double, incarnation: 11 }));
  stage.packet(TWO.endpoint, encodeAlive({ ...TWO, incarnation: 11 }));
  assert.deepEqual(stage.eventWords(), ["name-conflict", "member-joined h2"]);
  const own = peer(4, { name: "h1" });
  stage.packet(own.endpoint, encodeAlive(own));
  assert.deepEqual(stage.eventWords(), ["name-conflict", "member-joined h1"]);
});

Deno.test("a name that its bearer gave up is free for others", () => {
  const stage = Stage.among(2);
  stage.packet(TWO.endpoint, encodeAlive({ ...TWO, name: "renamed", incarnation: 11 }));
  stage.quieten();
  const heir = peer(3, { name: "h2" });
  stage.packet(heir.endpoint, encodeAlive(heir));
  assert.deepEqual(stage.eventWords(), ["member-joined h2"]);
});

Deno.test("a host that was set up anew at the same address is no conflict of names", () => {
  const stage = Stage.among(2);
  const anew = peer(3, { name: "h2", endpoint: TWO.endpoint });
  stage.packet(anew.endpoint, encodeAlive(anew));
  assert.deepEqual(stage.eventWords(), ["member-joined h2"]);
});

Deno.test("other features or protocols with a higher incarnation are an update", () => {
  const stage = Stage.among(2);
  const changes = { incarnation: 11, features: 0x8000_0001 };
  stage.packet(TWO.endpoint, encodeAlive(peer(2, changes)));
  assert.deepEqual(stage.eventWords(), ["member-updated h2"]);
  assert.equal(stage.known(2).features, 0x8000_0001);

  stage.packet(TWO.endpoint, encodeAlive(peer(2, { ...changes, incarnation: 12, protocolMax: 3 })));
  assert.deepEqual(stage.eventWords(), ["member-updated h2"]);
  assert.equal(stage.known(2).protocolMax, 3);
});

Deno.test("unknown features of a member are passed on as they came", () => {
  const stage = Stage.among(2, 3);
  const features = 0xffff_fffe;
  stage.packet(TWO.endpoint, encodeAlive(peer(2, { incarnation: 11, features })));
  stage.runFor(1000);
  const passedOn = stage.sentMessages("alive").filter(({ record }) => record.id === TWO.id);
  assert.ok(passedOn.length > 0);
  for (const { record } of passedOn) assert.equal(record.features, features);
});

Deno.test("a host with keys says that it opens sealed packets", () => {
  const keys = new Keyring([new Uint8Array(32).fill(1)], AES_GCM);
  assert.ok(hasFeature(new Stage({ keys }).known(1).features, Feature.opensSealed));
  assert.ok(!hasFeature(new Stage().known(1).features, Feature.opensSealed));
});
