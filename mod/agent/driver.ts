/**
 * Drives a core against the real world: feeds it what arrives, performs what it asks, wakes it when it wants.
 *
 * Inputs are handled strictly one after another, also those that an action causes at once (a document persisted), so the
 * core never sees itself re-entered.
 */
import { reasonOf } from "../base/errors.ts";
import type { Action, Core, Endpoint, Input, PersistedDocument } from "../base/core.ts";
import { isStarting, startTimer } from "../host/timer.ts";

/** What a driver needs of the outside; `mod/host` has the real ones. */
export interface DriverPorts<Event> {
  /** Monotonic milliseconds. */
  nowMs(): number;
  send(to: Endpoint, bytes: Uint8Array): void;
  request(id: number, to: Endpoint, bytes: Uint8Array, timeoutMs: number): void;
  answer(id: number, bytes: Uint8Array): void;
  /** Endpoints at once for a literal seed, later for a name. */
  resolve(seed: string): readonly Endpoint[] | Promise<readonly Endpoint[]>;
  /** Durable when it returns; throws what the disk says. */
  persist(document: PersistedDocument, bytes: Uint8Array): void;
  event(event: Event): void;
  /** The core threw over something that arrived. That is a fault of ours; the input is dropped. */
  fault(input: "packet" | "request" | "answer", error: unknown): void;
  /** After each batch of inputs, when all actions were performed. */
  settled(): void;
}

/** Longest sleep between wake-ups: a timer cannot wait longer than 2^31 - 1 ms, and an hour costs nothing. */
const SLEEP_MS_MAX = 3_600_000;

/** How much too early a timer may be; more would be a wake-up in vain at each probe, less a new timer at each packet. */
const WAKE_EARLY_MS_MAX = 100;

export class Driver<Command, Event, Snapshot> {
  readonly #core: Core<Command, Event, Snapshot>;
  readonly #ports: DriverPorts<Event>;
  readonly #inputs: Input<Command>[] = [];
  #running = false;
  #stopped = false;
  #cancelTimer: () => void = () => {};
  #timerAtMs = Infinity;

  constructor(core: Core<Command, Event, Snapshot>, ports: DriverPorts<Event>) {
    this.#core = core;
    this.#ports = ports;
  }

  /** Hands one input to the core and performs everything that follows from it. */
  feed(input: Input<Command>): void {
    this.#inputs.push(input);
    if (this.#running || this.#stopped) return;
    this.#running = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        for (const action of this.#step(next)) this.#perform(action);
      }
    } finally {
      this.#running = false;
    }
    this.#scheduleWake();
    this.#ports.settled();
  }

  snapshot(): Snapshot {
    return this.#core.snapshot();
  }

  /** No further input is taken and no timer is left. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
  }

  /**
   * What others send must not end the agent, not even by an assertion that it trips: anybody could end all agents so. An
   * assertion over our own inputs does.
   */
  #step(input: Input<Command>): readonly Action<Event>[] {
    try {
      return this.#core.step(this.#ports.nowMs(), input);
    } catch (error) {
      const { kind } = input;
      if (kind !== "packet" && kind !== "request" && kind !== "answer") throw error;
      this.#ports.fault(kind, error);
      return [];
    }
  }

  #perform(action: Action<Event>): void {
    switch (action.kind) {
      case "send":
        return this.#ports.send(action.to, action.bytes);
      case "request":
        return this.#ports.request(action.id, action.to, action.bytes, action.timeoutMs);
      case "answer":
        return this.#ports.answer(action.id, action.bytes);
      case "resolve":
        return this.#resolve(action.seed);
      case "persist":
        return this.#persist(action.id, action.document, action.bytes);
      case "event":
        return this.#ports.event(action.event);
    }
  }

  #resolve(seed: string): void {
    const endpoints = this.#ports.resolve(seed);
    if (!(endpoints instanceof Promise)) return this.feed({ kind: "resolved", seed, endpoints });
    endpoints.then(
      (found) => this.feed({ kind: "resolved", seed, endpoints: found }),
      (error) => this.feed({ kind: "resolved", seed, endpoints: [], reason: reasonOf(error) }),
    );
  }

  #persist(id: number, document: PersistedDocument, bytes: Uint8Array): void {
    try {
      this.#ports.persist(document, bytes);
      this.feed({ kind: "persisted", id });
    } catch (error) {
      this.feed({ kind: "persisted", id, error: reasonOf(error) });
    }
  }

  /**
   * An earlier timer is kept when the core now wants to be woken a little later: it finds nothing to do and sleeps on. When
   * it is much later, as after each ack, a new timer costs less than a wake-up in vain.
   */
  #scheduleWake(): void {
    if (this.#stopped) return;
    const atMs = this.#core.wakeAtMs();
    const isSoonEnough = isStarting() || atMs - this.#timerAtMs < WAKE_EARLY_MS_MAX;
    if (atMs === this.#timerAtMs || (atMs > this.#timerAtMs && isSoonEnough)) return;
    this.#cancelTimer();
    const delayMs = Math.min(Math.max(0, atMs - this.#ports.nowMs()), SLEEP_MS_MAX);
    this.#timerAtMs = atMs;
    this.#cancelTimer = startTimer(() => this.#wake(), Math.ceil(delayMs));
  }

  #wake(): void {
    this.#timerAtMs = Infinity;
    if (this.#core.wakeAtMs() <= this.#ports.nowMs()) this.feed({ kind: "wake" });
    else this.#scheduleWake();
  }
}
