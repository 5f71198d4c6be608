/** Who is asked through the overlay after its agent died, and what becomes of who does not answer. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  DeadPeers,
  HOLD_MS,
  PROBE_INTERVAL_MS,
  PROBES_APART_MS,
  PROBES_AT_ONCE,
  SLOW_PROBE_INTERVAL_MS,
} from "../../../mod/overlay/dead_peers.ts";

/** Plays time in steps to the next thing to do; `answers` says who answers when asked. */
function play(
  peers: DeadPeers,
  fromMs: number,
  untilMs: number,
  answers: (nowMs: number) => boolean,
): { asked: number[]; changes: number[] } {
  const asked: number[] = [];
  const changes: number[] = [];
  for (let nowMs = fromMs; nowMs < untilMs; nowMs = Math.max(nowMs, peers.wakeAtMs())) {
    if (peers.advance(nowMs).length > 0) changes.push(nowMs);
    for (const hostId of peers.due(nowMs)) {
      asked.push(nowMs);
      if (answers(nowMs) && peers.answered(nowMs, hostId)) changes.push(nowMs);
    }
    ok(peers.wakeAtMs() > nowMs, "time goes on");
  }
  return { asked, changes };
}

Deno.test("a peer whose agent died is asked at once, and again every two seconds until it is given up", () => {
  const peers = new DeadPeers();
  strictEqual(peers.wakeAtMs(), Infinity);
  ok(peers.follow(1_000, new Set(["a"])));
  strictEqual(peers.states().get("a"), "checking");
  strictEqual(peers.wakeAtMs(), 1_000);
  const { asked, changes } = play(peers, 1_000, 1_000 + HOLD_MS + 1, () => false);
  strictEqual(asked[0], 1_000);
  strictEqual(asked.length, HOLD_MS / PROBE_INTERVAL_MS + 1);
  deepStrictEqual(changes, [1_000 + HOLD_MS]);
  strictEqual(peers.states().get("a"), "silent");
  deepStrictEqual([...peers.silent()], ["a"]);
});

Deno.test("a peer that answers stays, and is asked less often", () => {
  const peers = new DeadPeers();
  peers.follow(0, new Set(["a"]));
  const { asked, changes } = play(peers, 0, 10 * SLOW_PROBE_INTERVAL_MS, () => true);
  strictEqual(asked.length, 10);
  deepStrictEqual(changes, [0]);
  strictEqual(peers.states().get("a"), "answers");
  strictEqual(peers.silent().size, 0);
});

Deno.test("a peer that stops to answer is given up after the hold time, and returns with its first answer", () => {
  const peers = new DeadPeers();
  peers.follow(0, new Set(["a"]));
  play(peers, 0, 20_000, (nowMs) => nowMs < 10_000); // answered at 0 only
  strictEqual(peers.states().get("a"), "answers");
  const { changes } = play(peers, 20_000, 60_000, () => false);
  deepStrictEqual(changes, [HOLD_MS]);
  const { asked } = play(peers, 60_000, 100_000, () => false);
  ok(asked.length >= 3 && asked.length <= 5, `it is asked on, slowly: ${asked}`);
  play(peers, 100_000, 100_000 + SLOW_PROBE_INTERVAL_MS + 1, () => true);
  strictEqual(peers.states().get("a"), "answers");
  strictEqual(peers.silent().size, 0);
});

Deno.test("an agent that returns ends it all", () => {
  const peers = new DeadPeers();
  peers.follow(0, new Set(["a", "b"]));
  play(peers, 0, HOLD_MS + 1, () => false);
  deepStrictEqual([...peers.silent()], ["a", "b"]);
  ok(peers.follow(40_000, new Set(["b"])));
  deepStrictEqual([...peers.silent()], ["b"]);
  strictEqual(peers.states().get("a"), undefined);
  ok(!peers.answered(40_000, "a"), "a late answer means nothing");
  ok(!peers.follow(41_000, new Set(["b"])), "nothing new");
  strictEqual(peers.states().get("b"), "silent");
});

Deno.test("nobody is given up who could not be asked", () => {
  const peers = new DeadPeers();
  peers.follow(0, new Set(["a"]));
  strictEqual(peers.due(0).length, 1);
  // The host slept, or its loop was busy: no further question went out.
  deepStrictEqual(peers.advance(10 * HOLD_MS), []);
  strictEqual(peers.states().get("a"), "checking");
});

Deno.test("thousands are asked over some seconds, everybody in turn", () => {
  const peers = new DeadPeers();
  const hosts = Array.from({ length: 2_500 }, (_, index) => `host ${index}`);
  peers.follow(0, new Set(hosts));
  const asked: string[] = [];
  for (let nowMs = 0; asked.length < hosts.length; nowMs = peers.wakeAtMs()) {
    const due = peers.due(nowMs);
    ok(due.length <= PROBES_AT_ONCE);
    asked.push(...due);
    ok(nowMs <= (hosts.length / PROBES_AT_ONCE) * PROBES_APART_MS);
    deepStrictEqual(peers.due(nowMs), [], "not more at that moment");
  }
});
