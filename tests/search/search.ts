/**
 * The search over all hosts: breadth first over tuples of small numbers, so that a counter-example is a shortest one.
 *
 * What is on its way is delivered in the order of sending unless a deviation is spent on it; time passes only when nothing
 * is on its way. Each deviation (a message overtakes, is lost, doubled or delayed, a host crashes, ...) costs from a budget,
 * and within the budget nothing is left out.
 */
import type { Action, ActionKind, Successor } from "./actions.ts";
import { Deliveries } from "./deliveries.ts";
import { Environment } from "./environment.ts";
import { settledBreach, stateBreach, transitionBreach } from "./global_rules.ts";
import type { Hosts } from "./hosts.ts";
import { startsOf } from "./member_code.ts";
import { Quiet } from "./quiet.ts";
import {
  type Configuration,
  copyOf,
  decode,
  type Deviation,
  DEVIATIONS,
  encode,
  type State,
} from "./state.ts";
import { Traffic } from "./traffic.ts";

export interface Found {
  readonly breach: string;
  readonly path: readonly Action[];
}

export interface Outcome {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  readonly localStates: number;
  readonly localSteps: number;
  readonly ends: number;
  readonly isExhausted: boolean;
  readonly seconds: number;
  readonly found: Found | null;
}

const STATES_MAX = 3_000_000;

/** After these an acknowledgement may be missing. */
const ASTRAY: ReadonlySet<Deviation | undefined> = new Set(["lose", "delay", "pause"] as const);

export class Search {
  readonly hosts: Hosts;
  readonly configuration: Configuration;
  readonly #traffic: Traffic;
  readonly #deliveries: Deliveries;
  readonly #quiet: Quiet;
  readonly #environment: Environment;
  #ends = 0;

  constructor(hosts: Hosts, configuration: Configuration) {
    this.hosts = hosts;
    this.configuration = configuration;
    this.#traffic = new Traffic(hosts);
    this.#deliveries = new Deliveries(this.#traffic, configuration);
    this.#quiet = new Quiet(this.#traffic, configuration);
    this.#environment = new Environment(this.#traffic, configuration);
  }

  /** Searches until everything was seen, a rule was broken, or the time is over. */
  run(secondsMax: number): Outcome {
    const started = performance.now();
    const keys: string[] = [encode(this.initial())];
    const seen = new Set<string>(keys);
    const parents: number[] = [-1];
    const actions: (Action | null)[] = [null];
    let transitions = 0;
    let depth = 0;
    let levelEnd = 1;
    let found: Found | null = null;
    let isExhausted = true;
    const pathTo = (at: number): Action[] => {
      const path: Action[] = [];
      for (let index = at; index > 0; index = parents[index] ?? 0) {
        const action = actions[index];
        if (action) path.unshift(action);
      }
      return path;
    };
    search: for (let at = 0; at < keys.length; at++) {
      if (at === levelEnd) {
        depth++;
        levelEnd = keys.length;
      }
      const isOver = at % 64 === 0 && performance.now() - started > secondsMax * 1000;
      if (isOver || keys.length > (this.configuration.statesMax ?? STATES_MAX)) {
        isExhausted = false;
        break;
      }
      const state = this.decode(keys[at] ?? "");
      const successors = this.successors(state);
      for (const { action, state: next, breach } of successors) {
        transitions++;
        if (breach !== null) {
          found = { breach, path: [...pathTo(at), action] };
          break search;
        }
        const key = encode(next);
        if (seen.has(key)) continue;
        seen.add(key);
        keys.push(key);
        parents.push(at);
        actions.push(action);
      }
      if (successors.length === 0) {
        this.#ends++;
        const breach = settledBreach(this.hosts, state);
        if (breach !== null) {
          found = { breach, path: pathTo(at) };
          break;
        }
      }
    }
    return {
      states: keys.length,
      transitions,
      depth,
      localStates: this.hosts.locals.length,
      localSteps: this.hosts.stepCount,
      ends: this.#ends,
      isExhausted: isExhausted && found === null,
      seconds: (performance.now() - started) / 1000,
      found,
    };
  }

  initial(): State {
    const { hosts, subnets } = this.configuration;
    const all = Array.from({ length: hosts }, (_, host) => host);
    return {
      locals: all.map((host) => this.hosts.initial(host)),
      side: this.configuration.side ?? 0,
      paused: 0,
      passes: 0,
      rounds: 0,
      lost: this.configuration.side === undefined ? 0 : 1,
      backed: 0,
      used: DEVIATIONS.map(() => 0),
      images: all.map(() => -1),
      given: Array.from({ length: hosts * subnets }, () => 0),
      queue: (this.configuration.starts ?? all).map((host) =>
        this.#traffic.item("start", host, host, 0, 0)
      ),
      late: [],
    };
  }

  decode(key: string): State {
    const { hosts, subnets } = this.configuration;
    return decode(key, hosts, subnets);
  }

  /** Everything that may happen next. */
  successors(state: State): Successor[] {
    const successors: Successor[] = [];
    const go = (kind: ActionKind, argument: number, change: (next: State) => void) => {
      const next = copyOf(state);
      this.#traffic.breach = null;
      change(next);
      const breach = this.#traffic.breach ?? stateBreach(this.hosts, next) ??
        transitionBreach(this.hosts, state, next);
      this.#noteBacked(state, next);
      successors.push({ action: { kind, argument }, state: next, breach });
    };
    const isQuiet = this.#deliveries.due(state).length === 0;
    this.#deliveries.offer(state, go);
    if (isQuiet) this.#quiet.offer(state, go);
    if (isQuiet || this.configuration.midway) this.#environment.offer(state, go);
    return successors;
  }

  /** Notes whether a claim that begins to be held was put to a majority of all hosts, and no answer went astray. */
  #noteBacked(before: State, after: State): void {
    for (const host of after.locals.keys()) {
      const [was, is] = [
        this.#traffic.local(before, host).view,
        this.#traffic.local(after, host).view,
      ];
      if (was.held === is.held) continue;
      after.backed &= ~(1 << host);
      if (is.held < 0 || was.stage !== "tentative") continue;
      const isSure = after.used.every((count, at) => count === 0 || !ASTRAY.has(DEVIATIONS[at]));
      const knowing = after.locals.filter((id, other) => {
        const known = this.hosts.local(id).view.records[host]?.record;
        return other === host ||
          known?.subnet === is.subnet && this.#traffic.isConnected(after, host, other);
      }).length;
      const begun = [...after.locals.keys()]
        .filter((other) => startsOf(this.#traffic.codeOf(after, other)) > 0).length;
      if (isSure && knowing > 1 && 2 * knowing > begun) after.backed |= 1 << host;
    }
  }
}
