/** Each part of Lifeguard can be left out; without any of them what remains is SWIM with suspicion. */
import assert from "node:assert/strict";
import { LIFEGUARD, type Lifeguard } from "../../../mod/swim/lifeguard.ts";
import { encodeAlive, encodeSuspect } from "../../../mod/wire/news_messages.ts";
import { encodeIndirectPing, encodePing } from "../../../mod/wire/probe_messages.ts";
import { peer, Stage } from "./stage.ts";

const [ONE, TWO, THREE] = [peer(1), peer(2), peer(3)];
const MANY = [2, 3, 4, 5, 6, 7];

function without(changes: Partial<Lifeguard>): Stage {
  const stage = new Stage({ lifeguard: { ...LIFEGUARD, ...changes } });
  for (const number of MANY) stage.packet(peer(number).endpoint, encodeAlive(peer(number)));
  stage.quieten();
  return stage;
}

/** Time from a ping that nobody answers to the question to others, and to the verdict. */
function waits(stage: Stage): { askedMs: number; suspectedMs: number } {
  let target = 0;
  let pingAtMs = 0;
  let askedAtMs = 0;
  for (let tries = 0; tries < 20_000; tries++) {
    stage.runFor(1);
    for (const { to, messages } of stage.sent()) {
      for (const { kind } of messages) {
        if (kind === "ping" && target === 0) {
          target = Number(to.split(/[.:]/)[3]);
          pingAtMs = stage.nowMs;
        }
        if (kind === "indirect-ping" && askedAtMs === 0) askedAtMs = stage.nowMs;
      }
    }
    if (target !== 0 && stage.status(target) === "suspect") {
      return { askedMs: askedAtMs - pingAtMs, suspectedMs: stage.nowMs - pingAtMs };
    }
  }
  throw new Error("nobody is suspected");
}

/** A bad sign: two accusations that this host has to refute. */
function sicken(stage: Stage): void {
  stage.packet(TWO.endpoint, encodeSuspect(10, ONE.id, TWO.id));
  stage.packet(TWO.endpoint, encodeSuspect(11, ONE.id, TWO.id));
}

const PATIENCE: [string, Partial<Lifeguard>, number, number][] = [
  ["in bad health both waits of a probe stretch, as in the paper", {}, 1500, 3000],
  ["or only the second, as in memberlist", { stretchesTimeout: false }, 500, 3000],
  ["or neither beyond the worst score", { healthScoreMax: 1 }, 1000, 2000],
  ["or neither at all", { lhaProbe: false }, 500, 1000],
];

for (const [what, changes, askedMs, suspectedMs] of PATIENCE) {
  Deno.test(what, () => {
    const stage = without(changes);
    sicken(stage);
    assert.deepEqual(waits(stage), { askedMs, suspectedMs });
  });
}

Deno.test("without awareness of health nobody says that it heard nothing", () => {
  for (const lhaProbe of [true, false]) {
    const stage = without({ lhaProbe });
    stage.packet(TWO.endpoint, encodeIndirectPing(1234, THREE.id));
    stage.runFor(600);
    assert.equal(stage.sentMessages("nack").length, lhaProbe ? 1 : 0);
  }
});

Deno.test("without dynamic suspicion the shortest time is the only one, and accusers are no news", () => {
  const stage = without({ lhaSuspicion: false });
  stage.packet(TWO.endpoint, encodeSuspect(10, THREE.id, TWO.id));
  stage.sent();
  stage.runFor(3999);
  assert.equal(stage.status(3), "suspect");
  stage.runFor(1);
  assert.equal(stage.status(3), "dead");
});

Deno.test("with the buddy system a suspect hears it with pings and acks, without it does not", () => {
  for (const buddy of [true, false]) {
    const stage = without({ buddy });
    stage.packet(TWO.endpoint, encodeSuspect(10, THREE.id, TWO.id));
    stage.quieten();
    stage.packet(THREE.endpoint, encodePing(7, ONE.id, THREE.id));
    const [answer] = stage.sent();
    assert.deepEqual(
      answer?.messages.map(({ kind }) => kind),
      buddy ? ["ack", "suspect"] : ["ack"],
    );
    const pings = [];
    for (let tries = 0; pings.length === 0 && tries < 10_000; tries++) {
      stage.runFor(1);
      for (const packet of stage.sent()) {
        if (packet.to === THREE.endpoint) pings.push(packet);
        else stage.ack(packet);
      }
    }
    assert.equal(pings[0]?.messages.some(({ kind }) => kind === "suspect"), buddy);
  }
});
