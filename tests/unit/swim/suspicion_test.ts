/** How long a host stays suspect, by who accuses it and when: one suspicion alone, and within a living swim. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Suspicion } from "../../../mod/swim/suspicion.ts";
import { LAN_TIMINGS, type SwimTimings } from "../../../mod/swim/timings.ts";
import { encodeAlive, encodeSuspect } from "../../../mod/wire/news_messages.ts";
import { peer, Stage } from "./stage.ts";

/** Half a second at least, a second at most, three confirmations in between. */
const QUICK: SwimTimings = {
  ...LAN_TIMINGS,
  probeIntervalMs: 100,
  suspicionMultiplier: 5,
  suspicionMaxMultiplier: 2,
};

const ACCUSERS = [3, 4, 5, 6, 7, 8];
const TWO = peer(2);

/** Confirmations of the first accusation, and how long the suspicion lasts in all. */
const DOGPILE: readonly (readonly [confirmations: number, durationMs: number])[] = [
  [0, 1000],
  [1, 750],
  [2, 603],
  [3, 500],
  [4, 500],
  [5, 500],
];

for (const [confirmations, durationMs] of DOGPILE) {
  Deno.test(`a suspicion with ${confirmations} confirmations lasts ${durationMs} ms`, () => {
    const suspicion = new Suspicion(0, "accuser", QUICK, 10);
    for (let number = 0; number < confirmations; number++) suspicion.confirm(0, `other ${number}`);
    assert.equal(suspicion.deadlineMs, durationMs);
  });

  Deno.test(`a host that ${1 + confirmations} others accuse is dead after ${durationMs} ms`, () => {
    const stage = new Stage({ timings: QUICK });
    for (const number of [2, ...ACCUSERS]) {
      stage.packet(peer(number).endpoint, encodeAlive(peer(number)));
    }
    stage.quieten();
    for (const number of ACCUSERS.slice(0, 1 + confirmations)) {
      const accuser = peer(number);
      stage.packet(accuser.endpoint, encodeSuspect(TWO.incarnation, TWO.id, accuser.id));
      // Said again, by anybody: it counts once.
      stage.packet(peer(3).endpoint, encodeSuspect(TWO.incarnation, TWO.id, accuser.id));
    }
    const answer = stage.ack.bind(stage);
    stage.runFor(durationMs - 1, answer);
    assert.equal(stage.status(2), "suspect");
    stage.runFor(1, answer);
    assert.equal(stage.status(2), "dead");
  });
}

Deno.test("no order of confirmations makes a suspicion shorter than its least or longer than its most", () => {
  const accusations = fc.array(fc.record({ who: fc.nat(8), afterMs: fc.nat(400) }));
  fc.assert(fc.property(accusations, fc.integer({ min: 2, max: 5000 }), (list, members) => {
    const suspicion = new Suspicion(0, "0", LAN_TIMINGS, members);
    const unconfirmedMs = suspicion.deadlineMs;
    const leastMs = 4000 * Math.max(1, Math.log10(members));
    let nowMs = 0;
    let lastMs = unconfirmedMs;
    for (const { who, afterMs } of list) {
      nowMs += afterMs;
      const isNews = suspicion.confirm(nowMs, String(who));
      assert.ok(suspicion.deadlineMs <= lastMs || isNews, "only news change it");
      // Whoever is accused late still has the time to answer.
      assert.ok(suspicion.deadlineMs >= Math.min(unconfirmedMs, Math.floor(leastMs)));
      assert.ok(suspicion.deadlineMs <= Math.max(unconfirmedMs, nowMs + 2000));
      lastMs = suspicion.deadlineMs;
    }
  }));
});
