/** Nothing is on its way: contacts are made, time passes, and at last all tell each other everything. */
import type { Go } from "./actions.ts";
import { LEFT, statusOf, UNKNOWN } from "./member_code.ts";
import type { Configuration, State } from "./state.ts";
import type { Traffic } from "./traffic.ts";

const HORIZON_MS = 3_600_000;
const ROUNDS_MAX = 3;
/** A host stands still for so many waits of others at most: more than there are tries in a claim by the slow path. */
const PASSES_MAX = 12;

export class Quiet {
  readonly #traffic: Traffic;
  readonly #configuration: Configuration;

  constructor(traffic: Traffic, configuration: Configuration) {
    this.#traffic = traffic;
    this.#configuration = configuration;
  }

  offer(state: State, go: Go): void {
    const all = [...state.locals.keys()];
    const calls = this.#calls(state);
    if (calls.length > 0) {
      return go("dial", 0, (next) => {
        for (const [from, to] of calls) this.#traffic.ask(next, from, to);
      });
    }
    const waits = all.filter((host) => host !== state.paused - 1)
      .map((host) => this.#traffic.local(state, host).wakeInMs);
    const ms = Math.min(...waits);
    if (ms <= (this.#configuration.horizonMs ?? HORIZON_MS) && state.passes < PASSES_MAX) {
      go("pass", ms, (next) => {
        if (state.paused > 0) next.passes++;
        for (const host of all) {
          if (!this.#traffic.local(next, host).view.isUp) continue;
          this.#traffic.step(next, host, { kind: host === next.paused - 1 ? "sleep" : "pass", ms });
        }
      });
    }
    if (state.paused > 0) {
      const wake = this.#traffic.item("wake", state.paused - 1, state.paused - 1, 0, 0);
      go("resume", 0, (next) => {
        next.paused = next.passes = 0;
        next.queue.unshift(wake);
      });
      go("resume-last", 0, (next) => {
        next.paused = next.passes = 0;
        next.queue.push(wake);
      });
    }
    if (state.side !== 0) go("heal", 0, (next) => next.side = 0);
    for (const host of all) {
      const { view, members } = this.#traffic.local(state, host);
      const hasLeft = statusOf(members[host] ?? UNKNOWN) === LEFT;
      if (
        view.isUp || hasLeft ||
        state.late.some((id) => this.#traffic.hosts.item(id).kind === "start")
      ) {
        continue;
      }
      go("restart", host, (next) => next.queue.push(this.#traffic.item("start", host, host, 0, 0)));
    }
    const isEnd = ms > (this.#configuration.horizonMs ?? HORIZON_MS) && state.side === 0 &&
      state.paused === 0 && state.late.length === 0 && state.rounds < ROUNDS_MAX;
    if (!isEnd) return;
    const up = all.filter((host) => this.#traffic.local(state, host).view.isUp);
    const knowledge = new Set(up.map((host) => this.#traffic.local(state, host).view.knowledge));
    if (knowledge.size < 2) return;
    go("final-sync", 0, (next) => {
      next.rounds++;
      for (const from of up) for (const to of up) if (from < to) this.#traffic.ask(next, from, to);
    });
  }

  /** Who has to call whom, since they could know of each other and do not. */
  #calls(state: State): [number, number][] {
    const calls: [number, number][] = [];
    for (const to of state.locals.keys()) {
      for (let from = to + 1; from < state.locals.length; from++) {
        if (!this.#traffic.isConnected(state, from, to)) continue;
        if (to === state.paused - 1 || from === state.paused - 1) continue;
        if (this.#traffic.sees(state, from, to) && this.#traffic.sees(state, to, from)) continue;
        calls.push([from, to]);
      }
    }
    return calls;
  }
}
