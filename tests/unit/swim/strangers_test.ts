/** Strangers that knock: a few are remembered with their reason, however many there are. */
import assert from "node:assert/strict";
import { Random } from "../../../mod/base/random.ts";
import { STRANGER_MS, Strangers, STRANGERS_MAX } from "../../../mod/swim/strangers.ts";
import { Envelope } from "../../../mod/wire/envelope.ts";
import { joinParts } from "../../../mod/wire/parts.ts";
import { encodePing, encodeReach } from "../../../mod/wire/probe_messages.ts";
import { testKeyring } from "../../support/test_cipher.ts";
import { peer, sealedFor, Stage } from "./stage.ts";

const random = new Random(1);
const [ONE, TWO] = [peer(1), peer(2)];

Deno.test("who knocks with another key, or for another cluster, is remembered by its address", () => {
  const stage = new Stage({ keys: testKeyring(random, 1) });
  const stranger = new Envelope("test", { keys: testKeyring(random, 2), instance: TWO.instance });
  const path = sealedFor(ONE.instance);
  const ping = stranger.seal(joinParts([encodePing(1, ONE.id, TWO.id)]), path);
  stage.step({ kind: "packet", from: "10.0.0.2:7947", bytes: ping });
  stage.nowMs += 5;
  const { frame } = stranger.ask(encodeReach(1, ONE.id, TWO.id), path);
  stage.step({ kind: "request", id: 1, from: "10.0.0.2:40001", bytes: frame });
  const plain = new Envelope("elsewhere", null).seal(new Uint8Array([1]));
  const bare = new Envelope("test", null).seal(new Uint8Array([1]));
  stage.step({ kind: "packet", from: "[2001:db8::1]:1", bytes: bare });
  stage.step({ kind: "packet", from: "10.0.0.3:1", bytes: new Uint8Array([9]) });
  const keyless = new Stage();
  keyless.step({ kind: "packet", from: "10.0.0.4:1", bytes: plain });
  const { nowMs } = stage;
  assert.deepEqual(stage.swim.snapshot().strangers(nowMs), [
    { address: "10.0.0.2", reason: "other-key", count: 2, firstAtMs: nowMs - 5, lastAtMs: nowMs },
    {
      address: "2001:db8::1",
      reason: "other-key",
      count: 1,
      firstAtMs: nowMs,
      lastAtMs: nowMs,
    },
  ]);
  const reasons = keyless.swim.snapshot().strangers(keyless.nowMs).map(({ reason }) => reason);
  assert.deepEqual(reasons, ["other-cluster"]);
});

Deno.test("of many strangers the last few are kept, and one that falls silent begins anew", () => {
  const strangers = new Strangers();
  for (let knock = 0; knock < 1_000; knock++) {
    strangers.refused(knock, `10.0.${knock >> 8}.${knock & 255}:1`, "other-key");
  }
  const kept = strangers.recent(1_000);
  assert.equal(kept.length, STRANGERS_MAX);
  assert.equal(kept.at(-1)?.address, "10.0.3.231");
  assert.deepEqual(strangers.recent(1_000 + STRANGER_MS), []);
  strangers.refused(2_000 + STRANGER_MS, "10.0.3.231:2", "other-key");
  assert.deepEqual(strangers.recent(2_000 + STRANGER_MS).map(({ count }) => count), [1]);
});
