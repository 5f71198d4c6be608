/** The keeper of who is asked through the overlay, on invented kernels and with time played by hand. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { Log } from "../../../mod/base/log.ts";
import { DeadPeerKeeper, type GonePeer } from "../../../mod/agent/dead_peer_keeper.ts";
import { HOLD_MS } from "../../../mod/overlay/dead_peers.ts";

const PEER: GonePeer = { name: "h2", subnet: "10.244.2.0/24", address: "10.244.2.0" };

class Bench {
  nowMs = 0;
  /** Addresses whose kernels answer. */
  readonly answering = new Set<string>();
  readonly sent: string[] = [];
  readonly lines: string[] = [];
  changes = 0;
  open = 0;
  isForbidden = false;
  readonly keeper: DeadPeerKeeper;
  #timer: { atMs: number; callback: () => void } | null = null;

  constructor() {
    this.keeper = new DeadPeerKeeper({
      nowMs: () => this.nowMs,
      startTimer: (callback, delayMs) => {
        const timer = { atMs: this.nowMs + delayMs, callback };
        this.#timer = timer;
        return () => {
          if (this.#timer === timer) this.#timer = null;
        };
      },
      log: new Log({
        level: "info",
        format: "text",
        write: (line) => void this.lines.push(line),
        now: () => "",
      }),
      openEcho: () => this.#echo(),
      changed: () => this.changes++,
    });
  }

  gone(...peers: readonly (readonly [string, GonePeer])[]): void {
    this.keeper.follow(new Map(peers));
  }

  runFor(ms: number): void {
    const endMs = this.nowMs + ms;
    while (this.#timer !== null && this.#timer.atMs <= endMs) {
      const { atMs, callback } = this.#timer;
      this.#timer = null;
      this.nowMs = Math.max(this.nowMs, atMs);
      callback();
    }
    this.nowMs = endMs;
  }

  get isAsleep(): boolean {
    return this.#timer === null;
  }

  #echo() {
    if (this.isForbidden) throw new Error("Operation not permitted");
    this.open++;
    const arrived: { from: string }[] = [];
    return {
      send: (destination: string) => {
        this.sent.push(destination);
        if (this.answering.has(destination)) arrived.push({ from: destination });
        return true;
      },
      receive: () => arrived.splice(0),
      close: () => void this.open--,
    };
  }
}

Deno.test("a kernel that answers is told apart from one that does not", () => {
  const bench = new Bench();
  bench.answering.add("10.244.2.0");
  bench.gone(["a", PEER], ["b", { ...PEER, name: "h3", address: "10.244.3.0" }]);
  bench.runFor(1_000);
  strictEqual(bench.keeper.states.get("a"), "answers");
  strictEqual(bench.keeper.states.get("b"), "checking");
  bench.runFor(HOLD_MS);
  deepStrictEqual([...bench.keeper.silent()], ["b"]);
  strictEqual(bench.changes, 3, "both are asked; one answers; one is given up");
  match(bench.lines.join("\n"), /still carries packets.*h2[^]*withdrawn.*h3/);
});

Deno.test("a withdrawn host returns when its kernel answers again", () => {
  const bench = new Bench();
  bench.gone(["a", PEER]);
  bench.runFor(HOLD_MS + 5_000);
  deepStrictEqual([...bench.keeper.silent()], ["a"]);
  bench.answering.add(PEER.address);
  bench.runFor(11_000);
  strictEqual(bench.keeper.states.get("a"), "answers");
});

Deno.test("with everybody's agent there nothing is sent, nothing open and nothing to wake for", () => {
  const bench = new Bench();
  bench.gone();
  ok(bench.isAsleep);
  bench.gone(["a", PEER]);
  bench.runFor(3_000);
  strictEqual(bench.open, 1);
  bench.gone();
  deepStrictEqual([bench.open, bench.isAsleep], [0, true]);
  const sent = bench.sent.length;
  bench.runFor(60_000);
  strictEqual(bench.sent.length, sent);
  strictEqual(bench.keeper.states.get("a"), undefined);
});

Deno.test("who may not ask withdraws nobody, and says so", () => {
  const bench = new Bench();
  bench.isForbidden = true;
  bench.gone(["a", PEER]);
  bench.runFor(10 * HOLD_MS);
  strictEqual(bench.keeper.silent().size, 0);
  deepStrictEqual(bench.keeper.problems().map(({ code }) => code), ["overlay-not-asked"]);
  match(bench.lines.join("\n"), /CAP_NET_RAW/);
  bench.gone();
  deepStrictEqual(bench.keeper.problems(), []);
});

Deno.test("after a stop nothing is asked", () => {
  const bench = new Bench();
  bench.gone(["a", PEER]);
  bench.keeper.stop();
  bench.gone(["a", PEER]);
  bench.runFor(60_000);
  deepStrictEqual([bench.sent.length, bench.open], [1, 0]);
});
