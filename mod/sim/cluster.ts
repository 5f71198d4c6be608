/**
 * A cluster in virtual time: drives any cores over a simulated network, from one seed.
 *
 * Nothing here knows what the cores do. A test adds hosts, breaks the network, kills and restarts,
 * and asks for snapshots; the same seed gives the same run, step by step.
 */
import type { Action, Core, Endpoint, Input } from "../base/core.ts";
import { assert } from "../base/assert.ts";
import { Random } from "../base/random.ts";
import { EventQueue } from "./event_queue.ts";
import { LAN, Network, type NetworkOptions } from "./network.ts";
import { type Boot, SimHost } from "./sim_host.ts";
import { Trace } from "./trace.ts";

export interface ClusterOptions<Command, Event, Snapshot> {
  readonly seed: number;
  /** Makes the core of a host that starts. */
  readonly start: (boot: Boot) => Core<Command, Event, Snapshot>;
  /** Differences from {@linkcode LAN}. */
  readonly network?: Partial<NetworkOptions>;
  /** How long a durable write takes; 1 ms is an fsync on a good disk. */
  readonly persistDelayMs?: number;
  /** Called after each step, with what the core asked for: the place for invariants. */
  readonly afterStep?: (
    host: SimHost<Command, Event, Snapshot>,
    actions: readonly Action<Event>[],
  ) => void;
}

/** Steps at one moment after which a core is taken to spin: a real one needs a few per packet. */
const STEPS_AT_ONE_MOMENT_MAX = 100_000;

interface PendingRequest<Host> {
  readonly asker: Host;
  readonly askerBoot: number;
  readonly askerId: number;
  readonly answerer: Host;
}

export class Cluster<Command, Event, Snapshot> {
  readonly network: Network;
  readonly trace = new Trace();
  /** For the test's own choices. */
  readonly random: Random;
  /** Seeds that are names: what they resolve to. Other seeds are taken as endpoints. */
  readonly names = new Map<string, readonly Endpoint[]>();
  readonly #options: ClusterOptions<Command, Event, Snapshot>;
  readonly #hosts: SimHost<Command, Event, Snapshot>[] = [];
  readonly #byEndpoint = new Map<Endpoint, SimHost<Command, Event, Snapshot>>();
  readonly #queue = new EventQueue<() => void>();
  readonly #requests = new Map<number, PendingRequest<SimHost<Command, Event, Snapshot>>>();
  #nextRequest = 1;
  #nowMs = 0;
  #stepsAtNow = 0;

  constructor(options: ClusterOptions<Command, Event, Snapshot>) {
    this.#options = options;
    this.random = new Random(options.seed);
    this.network = new Network(new Random(this.random.uint32()), { ...LAN, ...options.network });
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** All hosts ever added, in that order. */
  get hosts(): readonly SimHost<Command, Event, Snapshot>[] {
    return this.#hosts;
  }

  get running(): SimHost<Command, Event, Snapshot>[] {
    return this.#hosts.filter((host) => host.isRunning);
  }

  /** Adds a host at 10.0.x.y:7947 without starting it. */
  add(name = `h${this.#hosts.length + 1}`): SimHost<Command, Event, Snapshot> {
    const number = this.#hosts.length + 1;
    const endpoint = `10.0.${number >> 8}.${number & 255}:7947`;
    const host = new SimHost<Command, Event, Snapshot>(name, endpoint);
    this.#hosts.push(host);
    this.#byEndpoint.set(endpoint, host);
    return host;
  }

  /** Starts a host, or starts it again. */
  boot(host: SimHost<Command, Event, Snapshot>): void {
    assert(host.core === null, `${host.name} is already running`);
    host.core = this.#options.start({
      name: host.name,
      endpoint: host.endpoint,
      bootNumber: host.boots++,
      nowMs: this.#nowMs,
      documents: new Map(host.documents),
      random: new Random(this.random.uint32()),
    });
    this.#queueWake(host);
  }

  /** Stops a host at once and silently, as `kill -9` does; its disk stays. */
  kill(host: SimHost<Command, Event, Snapshot>): void {
    host.core = null;
    host.wakeQueuedAtMs = Infinity;
  }

  /** Gives a command to a running host, now. */
  command(host: SimHost<Command, Event, Snapshot>, command: Command): void {
    this.#feed(host, host.boots, { kind: "command", command });
  }

  /** Lets anything arrive at a host, now, as if from that endpoint. */
  inject(host: SimHost<Command, Event, Snapshot>, from: Endpoint, bytes: Uint8Array): void {
    this.#feed(host, host.boots, { kind: "packet", from, bytes });
  }

  /** Lets virtual time pass. */
  runFor(durationMs: number): void {
    const endMs = this.#nowMs + durationMs;
    while (this.#queue.nextAtMs() <= endMs) this.#runNext();
    this.#nowMs = endMs;
  }

  /** Lets time pass until the condition holds, checked after each event; says how long it took. */
  runUntil(what: string, condition: () => boolean, withinMs: number): number {
    const startMs = this.#nowMs;
    while (!condition()) {
      if (this.#queue.nextAtMs() > startMs + withinMs) {
        throw new Error(`not within ${withinMs} ms (seed ${this.#options.seed}): ${what}`);
      }
      this.#runNext();
    }
    return this.#nowMs - startMs;
  }

  #runNext(): void {
    const atMs = this.#queue.nextAtMs();
    if (atMs > this.#nowMs) this.#stepsAtNow = 0;
    assert(++this.#stepsAtNow < STEPS_AT_ONE_MOMENT_MAX, `a core spins at ${this.#nowMs} ms`);
    this.#nowMs = Math.max(this.#nowMs, atMs);
    this.#queue.pop()?.();
  }

  #after(delayMs: number, action: () => void): void {
    this.#queue.push(this.#nowMs + delayMs, action);
  }

  /** `boot` keeps what was meant for one life of a host from its next. */
  #feed(
    host: SimHost<Command, Event, Snapshot>,
    boot: number,
    input: Input<Command>,
  ): void {
    if (host.core === null || host.boots !== boot) return;
    this.trace.note(this.#nowMs, host.name, input.kind, "bytes" in input ? input.bytes : undefined);
    const actions = host.core.step(this.#nowMs, input);
    for (const action of actions) this.#perform(host, action);
    this.#queueWake(host);
    this.#options.afterStep?.(host, actions);
  }

  #queueWake(host: SimHost<Command, Event, Snapshot>): void {
    if (host.core === null) return;
    const atMs = Math.max(this.#nowMs, host.core.wakeAtMs());
    if (atMs >= host.wakeQueuedAtMs || atMs === Infinity) return;
    host.wakeQueuedAtMs = atMs;
    const boot = host.boots;
    this.#queue.push(atMs, () => {
      if (host.boots !== boot || host.wakeQueuedAtMs !== atMs) return;
      host.wakeQueuedAtMs = Infinity;
      if (host.core !== null && host.core.wakeAtMs() <= this.#nowMs) {
        this.#feed(host, boot, { kind: "wake" });
      } else this.#queueWake(host);
    });
  }

  #perform(host: SimHost<Command, Event, Snapshot>, action: Action<Event>): void {
    const boot = host.boots;
    switch (action.kind) {
      case "send":
        return this.#send(host, action.to, action.bytes);
      case "request":
        return this.#request(host, action.id, action.to, action.bytes, action.timeoutMs);
      case "answer":
        return this.#answer(host, action.id, action.bytes);
      case "resolve": {
        const { seed } = action;
        const endpoints = this.names.get(seed) ?? [seed];
        return this.#after(0, () => this.#feed(host, boot, { kind: "resolved", seed, endpoints }));
      }
      case "persist": {
        const { id, document, bytes } = action;
        const copy = bytes.slice();
        return this.#after(this.#options.persistDelayMs ?? 1, () => {
          if (host.core === null || host.boots !== boot) return;
          const error = host.diskError;
          if (error === null) host.documents.set(document, copy);
          this.#feed(host, boot, { kind: "persisted", id, ...(error === null ? {} : { error }) });
        });
      }
      case "event":
        host.events.push({ atMs: this.#nowMs, event: action.event });
    }
  }

  #send(host: SimHost<Command, Event, Snapshot>, to: Endpoint, bytes: Uint8Array): void {
    for (const delayMs of this.network.datagramDelaysMs(host.endpoint, to)) {
      // Each copy of its own: a receiver that wrote into it would otherwise change the others.
      const copy = bytes.slice();
      this.#after(delayMs, () => {
        const target = this.#byEndpoint.get(to);
        if (target === undefined) return;
        this.#feed(target, target.boots, { kind: "packet", from: host.endpoint, bytes: copy });
      });
    }
  }

  #request(
    host: SimHost<Command, Event, Snapshot>,
    askerId: number,
    to: Endpoint,
    bytes: Uint8Array,
    timeoutMs: number,
  ): void {
    const id = this.#nextRequest++;
    const askerBoot = host.boots;
    const fail = (reason: string) => {
      if (!this.#requests.delete(id)) return;
      this.#feed(host, askerBoot, { kind: "failed", id: askerId, reason });
    };
    const answerer = this.#byEndpoint.get(to);
    const delayMs = this.network.streamDelayMs(host.endpoint, to);
    if (answerer === undefined || delayMs === null) {
      this.#requests.set(id, { asker: host, askerBoot, askerId, answerer: host });
      return this.#after(timeoutMs, () => fail("timed out"));
    }
    this.#requests.set(id, { asker: host, askerBoot, askerId, answerer });
    this.#after(timeoutMs, () => fail("timed out"));
    const copy = bytes.slice();
    this.#after(delayMs, () => {
      if (!answerer.isRunning) return fail("connection refused");
      const input = { kind: "request", id, from: host.endpoint, bytes: copy } as const;
      this.#feed(answerer, answerer.boots, input);
    });
  }

  #answer(host: SimHost<Command, Event, Snapshot>, id: number, bytes: Uint8Array): void {
    const pending = this.#requests.get(id);
    if (pending === undefined || pending.answerer !== host) return;
    const { asker, askerBoot, askerId } = pending;
    const delayMs = this.network.streamDelayMs(host.endpoint, asker.endpoint);
    if (delayMs === null) return; // the asker's timeout ends it
    const copy = bytes.slice();
    this.#after(delayMs, () => {
      if (!this.#requests.delete(id)) return;
      this.#feed(asker, askerBoot, { kind: "answer", id: askerId, bytes: copy });
    });
  }
}
