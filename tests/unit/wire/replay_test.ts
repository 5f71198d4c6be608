/** What was here before: windows of counters, sessions and their bounds, nonces that never repeat. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Aead, NONCE_BYTES } from "../../../mod/wire/aead.ts";
import type { GossipKey } from "../../../mod/wire/keyring.ts";
import { Nonces } from "../../../mod/wire/nonces.ts";
import { ReplayWindow, WINDOW_COUNTERS } from "../../../mod/wire/replay_window.ts";
import { Sessions } from "../../../mod/wire/sessions.ts";

const KEY: GossipKey = { bytes: new Uint8Array(32), fingerprint: "00000000" };

function take(window: ReplayWindow, counter: number): boolean {
  const isNew = window.isNew(counter);
  if (isNew) window.mark(counter);
  return isNew;
}

Deno.test("each counter counts once, in any order within the window", () => {
  const window = new ReplayWindow();
  for (const counter of [5, 3, 4, 900, 0, 6]) assert.equal(take(window, counter), true);
  for (const counter of [5, 3, 4, 900, 0, 6]) assert.equal(take(window, counter), false);
});

Deno.test("what is older than the window counts as a replay", () => {
  const window = new ReplayWindow();
  take(window, 5000);
  assert.equal(window.isNew(5000 - WINDOW_COUNTERS), false);
  assert.equal(window.isNew(5000 - WINDOW_COUNTERS + 1), true);
  take(window, 2 ** 32 - 1);
  assert.equal(window.isNew(2 ** 32 - 1), false);
  assert.equal(window.isNew(2 ** 32 - 2), true);
});

Deno.test("the window agrees with a list of everything that was there", () => {
  // Forward by up to half a window, then back by up to more than one: the ring goes round many times.
  const step = fc.tuple(fc.nat(WINDOW_COUNTERS / 2), fc.nat(WINDOW_COUNTERS + 50));
  fc.assert(fc.property(fc.array(step, { minLength: 100, maxLength: 200 }), (steps) => {
    let front = 0;
    const counters = steps.flatMap(([ahead, behind]) => {
      front += ahead;
      return [front, Math.max(0, front - behind)];
    });
    const window = new ReplayWindow();
    const seen = new Set<number>();
    let highest = -1;
    for (const counter of counters) {
      const isNew = counter > highest - WINDOW_COUNTERS && !seen.has(counter);
      assert.equal(take(window, counter), isNew);
      if (isNew) seen.add(counter);
      highest = Math.max(highest, counter);
    }
  }));
});

Deno.test("sessions are bounded: who was not heard for longest goes, and stays shut", () => {
  const sessions = new Sessions(2, 2);
  for (const session of [1n, 2n, 1n, 3n]) sessions.heard(session, 7, KEY);
  assert.equal(sessions.size, 2);
  assert.equal(sessions.get(2n), undefined);
  assert.equal(sessions.isReplay(2n, 8), true);
  assert.equal(sessions.isReplay(1n, 7), true);
  assert.equal(sessions.isReplay(1n, 8), false);
  assert.equal(sessions.isReplay(9n, 0), false);
});

Deno.test("the list of shut sessions is bounded as well", () => {
  const sessions = new Sessions(1, 2);
  for (let session = 1n; session <= 5n; session++) sessions.heard(session, 0, KEY);
  // 5 is heard, 3 and 4 are shut, 1 and 2 forgotten.
  const shut = [1n, 2n, 3n, 4n].filter((session) => sessions.isReplay(session, 1));
  assert.deepEqual(shut, [3n, 4n]);
});

/** Draws 1, 1, 1 ... then 2, 2, 2 ... */
function countingAead(): Pick<Aead, "draw"> {
  let draws = 0;
  return { draw: (count) => new Uint8Array(count).fill(++draws) };
}

Deno.test("a nonce is a session and a counter; the session ends before the counter does", () => {
  const nonces = new Nonces(countingAead() as Aead, 2);
  const drawn = Array.from({ length: 5 }, () => nonces.next());
  assert.equal(drawn.every((nonce) => nonce.length === NONCE_BYTES), true);
  assert.deepEqual(drawn.map((nonce) => nonce.toHex()), [
    "010101010101010100000000",
    "010101010101010100000001",
    "010101010101010100000002",
    "020202020202020200000000",
    "020202020202020200000001",
  ]);
});

Deno.test("answers to the last few sessions are still known as ours", () => {
  const nonces = new Nonces(countingAead() as Aead);
  for (let renewals = 0; renewals < 5; renewals++) nonces.renew();
  const sessions = [1, 2, 3, 4, 5, 6].map((byte) => BigInt(`0x${`0${byte}`.repeat(8)}`));
  assert.deepEqual(sessions.map((session) => nonces.has(session)), [
    false,
    false,
    true,
    true,
    true,
    true,
  ]);
});
