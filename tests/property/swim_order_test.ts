/**
 * News of one member in any order, with repetitions: gossip promises neither. Whoever has heard all of it believes the
 * newest incarnation, and what is worst of that one.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  encodeAlive,
  encodeDead,
  encodeLeft,
  encodeSuspect,
} from "../../mod/wire/news_messages.ts";
import { peer, Stage } from "../unit/swim/stage.ts";

const TWO = peer(2);
const THREE = peer(3);

interface News {
  readonly kind: "alive" | "suspect" | "dead" | "left";
  readonly incarnation: number;
}

const RANKS = ["alive", "suspect", "dead", "left"] as const;

function encode({ kind, incarnation }: News): Uint8Array {
  switch (kind) {
    case "alive":
      return encodeAlive({ ...TWO, incarnation });
    case "suspect":
      return encodeSuspect(incarnation, TWO.id, THREE.id);
    case "dead":
      return encodeDead(incarnation, TWO.id, THREE.id);
    case "left":
      return encodeLeft(incarnation, TWO.id, TWO.instance);
  }
}

const news = fc.record({
  kind: fc.constantFrom(...RANKS),
  incarnation: fc.integer({ min: 10, max: 14 }),
});

/** The newest incarnation, and the worst news of it: the alive with which the member was met count, too. */
function expected(all: readonly News[]): News {
  const met: News = { kind: "alive", incarnation: TWO.incarnation };
  return [met, ...all].reduce((best, next) => {
    if (next.incarnation !== best.incarnation) {
      return next.incarnation > best.incarnation ? next : best;
    }
    return RANKS.indexOf(next.kind) > RANKS.indexOf(best.kind) ? next : best;
  });
}

Deno.test("joins, goodbyes and verdicts in any order end in the newest", () => {
  fc.assert(
    fc.property(fc.array(news, { minLength: 1, maxLength: 8 }), (all) => {
      const stage = Stage.among(2, 3);
      for (const one of all) stage.packet(THREE.endpoint, encode(one));
      const { kind, incarnation } = expected(all);
      const member = stage.known(2);
      assert.equal(member.incarnation, incarnation);
      // Nothing but its own word brings the dead back: a newer suspicion ends in death anyway.
      const isFirm = member.status === "dead" && kind === "suspect";
      if (!isFirm) assert.equal(member.status, kind);
    }),
    { numRuns: 800 },
  );
});

Deno.test("news heard twice, and again in another order, change nothing more", () => {
  fc.assert(
    fc.property(
      fc.array(news, { minLength: 1, maxLength: 6 }).chain((all) =>
        fc.tuple(fc.constant(all), fc.shuffledSubarray(all))
      ),
      ([all, again]) => {
        const stage = Stage.among(2, 3);
        for (const one of all) stage.packet(THREE.endpoint, encode(one));
        const { status, incarnation } = stage.known(2);
        stage.events();
        for (const one of again) stage.packet(THREE.endpoint, encode(one));
        assert.deepEqual(
          [stage.known(2).status, stage.known(2).incarnation],
          [status, incarnation],
        );
        assert.deepEqual(stage.eventWords(), []);
      },
    ),
    { numRuns: 400 },
  );
});
