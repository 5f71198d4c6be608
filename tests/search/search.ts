/**
 * The search over all hosts: breadth first over tuples of small numbers, so that a counter-example is a shortest one.
 *
 * What is on its way is delivered in the order of sending unless a deviation is spent on it; time passes only when nothing
 * is on its way. Each deviation (a message overtakes, is lost, doubled or delayed, a host crashes, ...) costs from a budget,
 * and within the budget nothing is left out.
 */
import assert from "node:assert/strict";
import {
  ALIVE,
  DEAD,
  type Hosts,
  type Item,
  LEFT,
  type Local,
  memberCode,
  startsOf,
  statusOf,
  type Step,
  UNKNOWN,
} from "./hosts.ts";
import {
  type Configuration,
  copyOf,
  decode,
  type Deviation,
  DEVIATIONS,
  encode,
  type State,
} from "./state.ts";
import { settledBreach, stateBreach, transitionBreach } from "./global_rules.ts";

export type ActionKind =
  | "deliver"
  | "deliver-late"
  | "lose"
  | "double"
  | "delay"
  | "refuse"
  | "pass"
  | "dial"
  | "final-sync"
  | "heal"
  | "restart"
  | "crash"
  | "crash-written"
  | "crash-restart"
  | "image"
  | "rollback"
  | "partition"
  | "release"
  | "pause"
  | "resume"
  | "resume-last"
  | "forget";

export interface Action {
  readonly kind: ActionKind;
  /** A place in a list, a host, milliseconds or a side, by kind. */
  readonly argument: number;
}

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

const HORIZON_MS = 3_600_000;
const ROUNDS_MAX = 3;
/** A host stands still for so many waits of others at most: more than there are tries in a claim by the slow path. */
const PASSES_MAX = 12;
const STATES_MAX = 3_000_000;

/** After these an acknowledgement may be missing. */
const ASTRAY: ReadonlySet<Deviation | undefined> = new Set(["lose", "delay", "pause"] as const);

interface Successor {
  readonly action: Action;
  readonly state: State;
  readonly breach: string | null;
}

export class Search {
  readonly hosts: Hosts;
  readonly configuration: Configuration;
  readonly #recordBlobs = new Map<number, readonly { host: number; payload: number }[]>();
  #breach: string | null = null;
  #ends = 0;
  /** The way to the state found last. */
  deepest: () => readonly Action[] = () => [];

  constructor(hosts: Hosts, configuration: Configuration) {
    this.hosts = hosts;
    this.configuration = configuration;
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
    this.deepest = () => pathTo(keys.length - 1);
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
        this.#item("start", host, host, 0, 0)
      ),
      late: [],
    };
  }

  decode(key: string): State {
    const { hosts, subnets } = this.configuration;
    return decode(key, hosts, subnets);
  }

  local(state: State, host: number): Local {
    return this.hosts.local(state.locals[host] ?? -1);
  }

  /** Everything that may happen next. */
  successors(state: State): Successor[] {
    const successors: Successor[] = [];
    const go = (kind: ActionKind, argument: number, change: (next: State) => void) => {
      const next = copyOf(state);
      this.#breach = null;
      change(next);
      const breach = this.#breach ?? stateBreach(this.hosts, next) ??
        transitionBreach(this.hosts, state, next);
      this.#noteBacked(state, next);
      successors.push({ action: { kind, argument }, state: next, breach });
    };
    const blocked = new Set(state.late.map((id) => laneOf(this.hosts.item(id))));
    const due = state.queue.map((id) => this.hosts.item(id))
      .filter((item) => item.to !== state.paused - 1 && !isBlocked(item, blocked));
    this.#deliveries(state, go);
    if (due.length === 0) this.#quiet(state, go);
    if (due.length === 0 || this.configuration.midway) this.#environment(state, go);
    return successors;
  }

  /** Notes whether a claim that begins to be held was put to a majority of all hosts, and no answer went astray. */
  #noteBacked(before: State, after: State): void {
    for (const host of after.locals.keys()) {
      const [was, is] = [this.local(before, host).view, this.local(after, host).view];
      if (was.held === is.held) continue;
      after.backed &= ~(1 << host);
      if (is.held < 0 || was.stage !== "tentative") continue;
      const isSure = after.used.every((count, at) => count === 0 || !ASTRAY.has(DEVIATIONS[at]));
      const knowing = after.locals.filter((id, other) => {
        const known = this.hosts.local(id).view.records[host]?.record;
        return other === host ||
          known?.subnet === is.subnet && this.#isConnected(after, host, other);
      }).length;
      const begun = [...after.locals.keys()]
        .filter((other) => startsOf(this.#codeOf(after, other)) > 0).length;
      if (isSure && knowing > 1 && 2 * knowing > begun) after.backed |= 1 << host;
    }
  }

  #may(state: State, deviation: Deviation): boolean {
    const { budget } = this.configuration;
    const at = DEVIATIONS.indexOf(deviation);
    const sum = state.used.reduce((total, count) => total + count, 0);
    return (state.used[at] ?? 0) < (budget[deviation] ?? 0) && sum < budget.total;
  }

  #deliveries(state: State, go: Go): void {
    let isFirst = true;
    const held = new Set(state.late.map((id) => laneOf(this.hosts.item(id))));
    const may = {
      overtake: this.#may(state, "overtake"),
      lose: this.#may(state, "lose"),
      double: this.#may(state, "double"),
      delay: this.#may(state, "delay"),
      refuse: this.#may(state, "refuse"),
    };
    for (const [at, id] of state.queue.entries()) {
      const item = this.hosts.item(id);
      if (item.to === state.paused - 1) continue;
      const lane = laneOf(item);
      const isBehind = isBlocked(item, held);
      held.add(lane);
      const without = (next: State) => next.queue.splice(at, 1);
      if (!isBehind && (isFirst || may.overtake)) {
        const isOvertaking = !isFirst;
        go("deliver", at, (next) => {
          if (isOvertaking) this.#spend(next, "overtake");
          without(next);
          this.#deliver(next, item);
        });
      }
      isFirst &&= isBehind;
      const isPacket = item.kind === "letter" || item.kind === "gossip";
      const isStream = item.kind === "ask" || item.kind === "answer";
      if (may.lose && (isPacket || isStream)) {
        go("lose", at, (next) => {
          this.#spend(next, "lose");
          without(next);
        });
      }
      if (may.double && isPacket) {
        go("double", at, (next) => {
          this.#spend(next, "double");
          without(next);
          next.late.push(id);
          this.#deliver(next, item);
        });
      }
      if (may.delay && !isBehind && (isPacket || item.kind === "disk" || item.kind === "start")) {
        go("delay", at, (next) => {
          this.#spend(next, "delay");
          without(next);
          next.late.push(id);
        });
      }
      if (may.refuse && item.kind === "disk" && !isBehind) {
        go("refuse", at, (next) => {
          this.#spend(next, "refuse");
          without(next);
          this.#step(next, item.to, { kind: "refused", id: item.about });
        });
      }
    }
    for (const [at, id] of state.late.entries()) {
      const item = this.hosts.item(id);
      if (item.to === state.paused - 1) continue;
      go("deliver-late", at, (next) => {
        next.late.splice(at, 1);
        this.#deliver(next, item);
      });
    }
  }

  /** Nothing is on its way: contacts are made, time passes, and at last all tell each other everything. */
  #quiet(state: State, go: Go): void {
    const all = [...state.locals.keys()];
    const calls = this.#calls(state);
    if (calls.length > 0) {
      return go("dial", 0, (next) => {
        for (const [from, to] of calls) this.#ask(next, from, to);
      });
    }
    const waits = all.filter((host) => host !== state.paused - 1)
      .map((host) => this.local(state, host).wakeInMs);
    const ms = Math.min(...waits);
    if (ms <= (this.configuration.horizonMs ?? HORIZON_MS) && state.passes < PASSES_MAX) {
      go("pass", ms, (next) => {
        if (state.paused > 0) next.passes++;
        for (const host of all) {
          if (!this.local(next, host).view.isUp) continue;
          this.#step(next, host, { kind: host === next.paused - 1 ? "sleep" : "pass", ms });
        }
      });
    }
    if (state.paused > 0) {
      const wake = this.#item("wake", state.paused - 1, state.paused - 1, 0, 0);
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
      const { view, members } = this.local(state, host);
      const hasLeft = statusOf(members[host] ?? UNKNOWN) === LEFT;
      if (view.isUp || hasLeft || state.late.some((id) => this.hosts.item(id).kind === "start")) {
        continue;
      }
      go("restart", host, (next) => next.queue.push(this.#item("start", host, host, 0, 0)));
    }
    const isEnd = ms > (this.configuration.horizonMs ?? HORIZON_MS) && state.side === 0 &&
      state.paused === 0 && state.late.length === 0 && state.rounds < ROUNDS_MAX;
    if (!isEnd) return;
    const up = all.filter((host) => this.local(state, host).view.isUp);
    const knowledge = new Set(up.map((host) => this.local(state, host).view.knowledge));
    if (knowledge.size < 2) return;
    go("final-sync", 0, (next) => {
      next.rounds++;
      for (const from of up) for (const to of up) if (from < to) this.#ask(next, from, to);
    });
  }

  /** Who has to call whom, since they could know of each other and do not. */
  #calls(state: State): [number, number][] {
    const calls: [number, number][] = [];
    for (const to of state.locals.keys()) {
      for (let from = to + 1; from < state.locals.length; from++) {
        if (!this.#isConnected(state, from, to)) continue;
        if (to === state.paused - 1 || from === state.paused - 1) continue;
        if (this.#sees(state, from, to) && this.#sees(state, to, from)) continue;
        calls.push([from, to]);
      }
    }
    return calls;
  }

  #sees(state: State, host: number, other: number): boolean {
    const code = this.local(state, host).members[other] ?? UNKNOWN;
    return statusOf(code) === ALIVE && code === this.#codeOf(state, other);
  }

  #codeOf(state: State, host: number): number {
    return this.local(state, host).members[host] ?? UNKNOWN;
  }

  #isConnected(state: State, one: number, other: number): boolean {
    return this.local(state, one).view.isUp && this.local(state, other).view.isUp &&
      !isCut(state.side, one, other);
  }

  /** What the world does to hosts. */
  #environment(state: State, go: Go): void {
    const all = [...state.locals.keys()];
    const may = (deviation: Deviation) => this.#may(state, deviation);
    const up = all.filter((host) => this.local(state, host).view.isUp);
    if (may("crash")) {
      for (const host of up) {
        go("crash", host, (next) => this.#crash(next, host, true, "crash"));
        go("crash-restart", host, (next) => {
          this.#crash(next, host, false, "crash");
          next.queue.push(this.#item("start", host, host, 0, 0));
        });
        const writes = state.queue.map((id) => this.hosts.item(id))
          .filter(({ kind, to }) => kind === "disk" && to === host);
        const last = writes.at(-1);
        if (last === undefined) continue;
        go("crash-written", host, (next) => {
          this.#crash(next, host, false, "crash");
          this.#step(next, host, { kind: "swap", payload: last.payload });
          next.queue.push(this.#item("start", host, host, 0, 0));
        });
      }
    }
    if (may("rollback")) {
      for (const host of up) {
        const { view, disk } = this.local(state, host);
        const image = state.images[host] ?? -1;
        if (view.stage === "held" && state.images.every((other) => other < 0)) {
          go("image", host, (next) => next.images[host] = disk);
        }
        if (image < 0 || image === disk) continue;
        go("rollback", host, (next) => {
          this.#crash(next, host, false, "rollback");
          this.#step(next, host, { kind: "swap", payload: image });
          next.queue.push(this.#item("start", host, host, 0, 0));
        });
      }
    }
    if (may("partition") && state.side === 0) {
      for (const side of this.configuration.sides ?? sidesOf(all.length)) {
        go("partition", side, (next) => this.#partition(next, side));
      }
    }
    if (may("release")) {
      for (const host of up) {
        if (this.local(state, host).view.stage !== "held") continue;
        go("release", host, (next) => {
          this.#spend(next, "release");
          this.#step(next, host, { kind: "release" });
        });
      }
    }
    if (may("forget")) {
      for (const host of up) {
        for (const about of all) {
          const known = this.local(state, host).view.records[about] ?? null;
          if (about === host || known === null || known.record.state === "released") continue;
          go("forget", host * all.length + about, (next) => {
            this.#spend(next, "forget");
            this.#step(next, host, { kind: "forget", about });
          });
        }
      }
    }
    if (may("pause") && state.paused === 0) {
      for (const host of up) {
        go("pause", host, (next) => {
          this.#spend(next, "pause");
          next.paused = host + 1;
        });
      }
    }
  }

  #spend(state: State, deviation: Deviation): void {
    const at = DEVIATIONS.indexOf(deviation);
    state.used[at] = (state.used[at] ?? 0) + 1;
  }

  /** A process ends without a word. `isNoticed` tells the others, who would else first hear of its next start. */
  #crash(state: State, host: number, isNoticed: boolean, deviation: Deviation): void {
    this.#spend(state, deviation);
    if (this.#isSecret(state, host)) state.lost = 1;
    const code = memberCode(startsOf(this.#codeOf(state, host)), DEAD);
    this.#step(state, host, { kind: "crash" });
    this.#end(state, host);
    if (isNoticed) this.#tellOfMember(state, host, code);
  }

  /** Whether nobody else that is up knows of the hold that the host's disk remembers. */
  #isSecret(state: State, host: number): boolean {
    const record = this.hosts.memory(this.local(state, host).disk)?.record ?? null;
    if (record === null || record.state !== "held") return false;
    return !state.locals.some((id, other) => {
      const known = this.hosts.local(id).view.records[host]?.record;
      return other !== host && known !== undefined && known.state === "held" &&
        known.subnet === record.subnet;
    });
  }

  /** What was under way with a process ends with it; its packets may still arrive. */
  #end(state: State, host: number): void {
    const isOver = (id: number) => {
      const { kind, from, to } = this.hosts.item(id);
      if (kind === "letter" || kind === "gossip" || kind === "member") return to === host;
      return kind !== "start" && (from === host || to === host);
    };
    state.queue = state.queue.filter((id) => !isOver(id));
    state.late = state.late.filter((id) => !isOver(id));
    if (state.paused - 1 === host) state.paused = state.passes = 0;
  }

  #partition(state: State, side: number): void {
    this.#spend(state, "partition");
    state.side = side;
    const isCutOff = (id: number) => {
      const { from, to } = this.hosts.item(id);
      return isCut(side, from, to);
    };
    state.queue = state.queue.filter((id) => !isCutOff(id));
    state.late = state.late.filter((id) => !isCutOff(id));
    for (const host of state.locals.keys()) {
      const code = memberCode(startsOf(this.#codeOf(state, host)), DEAD);
      for (const other of state.locals.keys()) {
        const known = this.local(state, other).members[host] ?? UNKNOWN;
        if (!isCut(side, host, other) || statusOf(known) !== ALIVE) continue;
        this.#push(state, this.#item("member", other, other, code, host));
      }
    }
  }

  #tellOfMember(state: State, about: number, code: number): void {
    for (const other of state.locals.keys()) {
      if (other === about || isCut(state.side, about, other)) continue;
      if ((this.local(state, other).members[about] ?? UNKNOWN) === UNKNOWN) continue;
      this.#push(state, this.#item("member", other, other, code, about));
    }
  }

  #ask(state: State, from: number, to: number): void {
    const local = this.local(state, from);
    assert(local.claimant !== null, "who calls is up");
    // Opening a sync changes nothing, so it needs no step.
    const payload = this.#compare(local);
    this.#push(state, this.#item("ask", from, to, payload, local.members[from] ?? UNKNOWN));
  }

  readonly #compares = new Map<number, number>();

  #compare(local: Local): number {
    let payload = this.#compares.get(local.id);
    if (payload === undefined) {
      assert(local.claimant !== null, "who calls is up");
      payload = this.hosts.blobId(local.claimant.compare(1e9));
      this.#compares.set(local.id, payload);
    }
    return payload;
  }

  #deliver(state: State, item: Item): void {
    const { kind, from, to, payload, about } = item;
    const { view } = this.local(state, to);
    if (kind === "start") {
      if (!view.isUp) this.#step(state, to, { kind: "start" });
      return;
    }
    if (!view.isUp) return;
    switch (kind) {
      case "letter":
      case "gossip":
        this.#step(state, to, { kind, from, payload });
        return;
      case "member":
        if (this.#isTrue(state, about, payload)) {
          this.#step(state, to, { kind: "member", about, code: payload });
        }
        return;
      case "disk":
        this.#step(state, to, { kind: "persisted", id: about, payload });
        return;
      case "ask": {
        if (!this.#isConnected(state, from, to)) return;
        const input = { kind: "compared", from, payload, code: about } as const;
        const { answer } = this.#step(state, to, input);
        this.#push(state, this.#item("answer", to, from, answer, 0));
        return;
      }
      case "answer":
        return this.#finishSync(state, from, to, payload);
      case "leave": {
        if (view.stage !== "released") return;
        const code = memberCode(startsOf(this.#codeOf(state, to)), LEFT);
        this.#step(state, to, { kind: "left" });
        this.#end(state, to);
        return this.#tellOfMember(state, to, code);
      }
      case "wake":
        this.#step(state, to, { kind: "wake" });
        return;
    }
  }

  /** Whether news of a member are not overtaken by events: a detector that is perfect says nothing wrong. */
  #isTrue(state: State, about: number, code: number): boolean {
    return startsOf(code) >= startsOf(this.#codeOf(state, about)) || statusOf(code) === ALIVE;
  }

  #finishSync(state: State, from: number, to: number, payload: number): void {
    const { answer } = this.#step(state, to, { kind: "update", from, payload });
    let rest = -1;
    if (answer >= 0) {
      if (!this.#isConnected(state, from, to)) return;
      rest = this.#step(state, from, { kind: "updated", payload: answer }).answer;
    }
    this.#step(state, to, { kind: "merged", from, payload: rest });
  }

  #step(state: State, host: number, input: Parameters<Hosts["inputId"]>[0]): Step {
    const step = this.hosts.step(state.locals[host] ?? -1, this.hosts.inputId(input));
    state.locals[host] = step.to;
    if (step.breach !== null) this.#breach ??= `${this.hosts.label(host)}: ${step.breach}`;
    for (const id of step.items) this.#push(state, id);
    return step;
  }

  /** On its way, if it can arrive and has anything to say. */
  #push(state: State, id: number): void {
    const item = this.hosts.item(id);
    const { kind, from, to } = item;
    if (from !== to && !this.#isConnected(state, from, to)) return;
    if (kind !== "disk" && state.queue.includes(id)) return;
    if (kind === "gossip" && this.#isSuperfluous(state, id, item)) return;
    if (kind === "member" && !this.#isMemberNews(state, item)) return;
    if (kind === "ask" && state.queue.some((other) => isAsk(this.hosts.item(other), from, to))) {
      return;
    }
    state.queue.push(id);
  }

  #isMemberNews(state: State, { to, payload, about }: Item): boolean {
    const known = this.local(state, to).members[about] ?? UNKNOWN;
    return known !== payload && startsOf(payload) >= startsOf(known);
  }

  /** Gossip of what the host knows, or will be told by a letter that is under way. */
  #isSuperfluous(state: State, id: number, { from, to }: Item): boolean {
    const { records } = this.local(state, to).view;
    const letters = state.queue.filter((other) => {
      const { kind, from: sender, to: receiver } = this.hosts.item(other);
      return kind === "letter" && sender === from && receiver === to;
    });
    return this.#told(id).every(({ host, payload }) => {
      if (records[host]?.payload === payload) return true;
      return letters.some((letter) => this.#told(letter).some((told) => told.payload === payload));
    });
  }

  /** The records that an item tells, as payloads. */
  #told(id: number): readonly { host: number; payload: number }[] {
    let told = this.#recordBlobs.get(id);
    if (told === undefined) {
      told = this.hosts.told(this.hosts.item(id).payload).map((record) => ({
        host: this.hosts.ids.indexOf(record.hostId),
        payload: this.hosts.blobId(this.hosts.tree.encodeRecord(record)),
      }));
      this.#recordBlobs.set(id, told);
    }
    return told;
  }

  #item(kind: Item["kind"], from: number, to: number, payload: number, about: number): number {
    return this.hosts.itemId({ kind, from, to, payload, about });
  }
}

type Go = (kind: ActionKind, argument: number, change: (next: State) => void) => void;

function isAsk({ kind, from, to }: Item, one: number, other: number): boolean {
  return kind === "ask" && from === one && to === other;
}

/** Things that cannot overtake each other: writes to one disk, and news of one member. */
function laneOf({ kind, to, about }: Item): string | null {
  if (kind === "disk") return `disk ${to}`;
  return kind === "member" ? `member ${to} ${about}` : null;
}

function isBlocked(item: Item, lanes: ReadonlySet<string | null>): boolean {
  const lane = laneOf(item);
  return lane !== null && lanes.has(lane);
}

function isCut(side: number, one: number, other: number): boolean {
  return (side >> one & 1) !== (side >> other & 1);
}

function sidesOf(hosts: number): number[] {
  return Array.from({ length: 2 ** (hosts - 1) - 1 }, (_, index) => index + 1);
}
