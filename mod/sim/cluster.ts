/**
 * A cluster in virtual time: drives any cores over a simulated network, from one seed.
 *
 * Nothing here knows what the cores do. A test adds hosts, breaks the network, stops, kills and restarts hosts, and asks
 * for snapshots; the same seed gives the same run, step by step.
 */
import type { Action, Core, Endpoint, Input, PersistedDocument } from "../base/core.ts";
import { assert } from "../base/assert.ts";
import { Random } from "../base/random.ts";
import { EventQueue } from "./event_queue.ts";
import { LAN, Network, type NetworkOptions } from "./network.ts";
import { type Boot, SimHost, type Waiting } from "./sim_host.ts";
import { Streams } from "./streams.ts";
import { Trace } from "./trace.ts";

export interface ClusterOptions<Command, Event, Snapshot> {
  readonly seed: number;
  /** Makes the core of a host that starts. */
  readonly start: (boot: Boot) => Core<Command, Event, Snapshot>;
  /** Differences from {@linkcode LAN}. */
  readonly network?: Partial<NetworkOptions>;
  /** How long a durable write takes; 1 ms is an fsync on a good disk. */
  readonly persistDelayMs?: number;
  /** Of the datagram socket of a host that does not read; {@linkcode SOCKET_BUFFER_BYTES} unless said. */
  readonly socketBufferBytes?: number;
  /** Whether hosts keep all their events; thousands of hosts that meet each other would make millions. */
  readonly keepEvents?: boolean;
  /** Whether all that was ever on a host's disk is kept, so that a disk can be set back. */
  readonly keepWrites?: boolean;
  /** Called after each step, with what came in and what the core asked for: the place for invariants. */
  readonly afterStep?: (
    host: SimHost<Command, Event, Snapshot>,
    actions: readonly Action<Event>[],
    input: Input<Command>,
  ) => void;
}

/** Steps at one moment after which a core is taken to spin: a real one needs a few per packet. */
const STEPS_AT_ONE_MOMENT_MAX = 100_000;

/** The default of Linux, net.core.rmem_default. */
export const SOCKET_BUFFER_BYTES = 212_992;
/** What Linux counts for a small datagram besides its payload: an skb and the smallest data area. */
const SOCKET_OVERHEAD_BYTES = 768;

/** A wake-up that is early by less than this is rounding of a host's clock. */
const CLOCK_ROUNDING_MS = 0.001;

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
  readonly #streams: Streams<Command, Event, Snapshot>;
  readonly #persistDelayMs: number;
  readonly #socketBufferBytes: number;
  readonly #keepsEvents: boolean;
  readonly #keepsWrites: boolean;
  #nowMs = 0;
  #stepsAtNow = 0;

  constructor(options: ClusterOptions<Command, Event, Snapshot>) {
    this.#options = options;
    this.#persistDelayMs = options.persistDelayMs ?? 1;
    this.#socketBufferBytes = options.socketBufferBytes ?? SOCKET_BUFFER_BYTES;
    this.#keepsEvents = options.keepEvents ?? true;
    this.#keepsWrites = options.keepWrites ?? false;
    this.random = new Random(options.seed);
    this.network = new Network(new Random(this.random.uint32()), { ...LAN, ...options.network });
    this.#streams = new Streams({
      network: this.network,
      find: (endpoint) => this.#byEndpoint.get(endpoint),
      after: (delayMs, action) => this.after(delayMs, action),
      sendNow: (host, action) => this.#sendNow(host, action),
      arrive: (host, through, input) => this.#arrive(host, through, 0, input),
    });
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
    const host = new SimHost<Command, Event, Snapshot>(name, endpoint, number - 1);
    this.#hosts.push(host);
    this.#byEndpoint.set(endpoint, host);
    return host;
  }

  /** Starts a host, or starts it again. */
  boot(host: SimHost<Command, Event, Snapshot>): void {
    assert(host.core === null, `${host.name} is already running`);
    host.startedAtMs = this.#nowMs;
    host.core = this.#options.start({
      name: host.name,
      endpoint: host.endpoint,
      bootNumber: host.boots++,
      nowMs: host.clock.read(this.#nowMs),
      documents: new Map(host.documents),
      random: new Random(this.random.uint32()),
    });
    this.#queueWake(host);
  }

  /** Stops a host at once and silently, as `kill -9` does; its disk stays. */
  kill(host: SimHost<Command, Event, Snapshot>): void {
    host.core = null;
    host.gait = "running";
    host.inbox.length = 0;
    host.outbox.length = 0;
    host.bufferedBytes = 0;
    host.writtenAtMs = 0;
    host.wakeQueuedAtMs = Infinity;
  }

  /** Lets the process stand still, as SIGSTOP does: no steps, what arrives waits, timers come late. */
  pause(host: SimHost<Command, Event, Snapshot>): void {
    assert(host.isRunning && host.gait === "running", `${host.name} runs, so it can be paused`);
    host.gait = "paused";
  }

  resume(host: SimHost<Command, Event, Snapshot>): void {
    assert(host.gait === "paused", `${host.name} is paused`);
    host.gait = "running";
    // Whether a process looks at its timers or at its sockets first is up to its event loop.
    const areTimersFirst = this.random.unit() < 0.5;
    if (areTimersFirst) this.#wake(host);
    this.#catchUp(host, host.inbox);
    this.#queueWake(host);
  }

  /**
   * Blocks a host wherever it sends or receives while its timers run on: the anomaly that the Lifeguard paper
   * (arXiv 1707.00788, section V) is measured with.
   */
  freeze(host: SimHost<Command, Event, Snapshot>): void {
    assert(host.isRunning && host.gait === "running", `${host.name} runs, so it can be frozen`);
    host.gait = "frozen";
  }

  /** Everything that was held up leaves and arrives now. */
  thaw(host: SimHost<Command, Event, Snapshot>): void {
    assert(host.gait === "frozen", `${host.name} is frozen`);
    host.gait = "running";
    this.#catchUp(host, host.outbox);
    this.#catchUp(host, host.inbox);
  }

  /** Gives a host another address; whoever had it is not reached there any more. The host must be told. */
  move(host: SimHost<Command, Event, Snapshot>, endpoint: Endpoint): void {
    if (this.#byEndpoint.get(host.endpoint) === host) this.#byEndpoint.delete(host.endpoint);
    host.endpoint = endpoint;
    this.#byEndpoint.set(endpoint, host);
  }

  /** Changes what is on a host's disk: null removes the document. */
  write(
    host: SimHost<Command, Event, Snapshot>,
    document: PersistedDocument,
    bytes: Uint8Array | null,
  ): void {
    if (bytes === null) host.documents.delete(document);
    else host.documents.set(document, bytes);
    if (this.#keepsWrites) host.writes.push({ atMs: this.#nowMs, document, bytes });
  }

  /** Moves a host's monotonic clock ahead, as a suspend does on systems that count it. */
  jumpClock(host: SimHost<Command, Event, Snapshot>, byMs: number): void {
    host.clock.jump(byMs);
    this.#queueWake(host);
  }

  /** From now on the host's clock runs at that rate; 1.02 is 2 % fast. */
  driftClock(host: SimHost<Command, Event, Snapshot>, rate: number): void {
    host.clock.drift(this.#nowMs, rate);
    host.wakeQueuedAtMs = Infinity;
    this.#queueWake(host);
  }

  /** Gives a command to a running host, now; one that stands still takes it later. */
  command(host: SimHost<Command, Event, Snapshot>, command: Command): void {
    this.#arrive(host, "timer", 0, () => ({ kind: "command", command }));
  }

  /** Lets anything arrive at a host, now, as if from that endpoint. */
  inject(host: SimHost<Command, Event, Snapshot>, from: Endpoint, bytes: Uint8Array): void {
    this.#receive(host, from, bytes);
  }

  /** Does something later, in the cluster's time. */
  after(delayMs: number, action: () => void): void {
    this.#queue.push(this.#nowMs + delayMs, action);
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

  #feed(host: SimHost<Command, Event, Snapshot>, input: Input<Command>): void {
    const { core } = host;
    if (core === null) return;
    const bytes = "bytes" in input ? input.bytes : undefined;
    this.trace.note(this.#nowMs, host.index, input.kind, bytes);
    let localMs = host.clock.read(this.#nowMs);
    const early = core.wakeAtMs() - localMs;
    if (input.kind === "wake" && early > 0 && early < CLOCK_ROUNDING_MS) localMs += early;
    const actions = core.step(localMs, input);
    for (const action of actions) this.#perform(host, action);
    this.#queueWake(host);
    this.#options.afterStep?.(host, actions, input);
  }

  #queueWake(host: SimHost<Command, Event, Snapshot>): void {
    if (host.core === null || host.gait === "paused") return;
    const localMs = host.core.wakeAtMs();
    if (localMs === Infinity) return;
    const atMs = Math.max(this.#nowMs, host.clock.whenMs(localMs));
    if (atMs >= host.wakeQueuedAtMs) return;
    host.wakeQueuedAtMs = atMs;
    const boot = host.boots;
    this.#queue.push(atMs, () => {
      if (host.boots !== boot || host.wakeQueuedAtMs !== atMs) return;
      host.wakeQueuedAtMs = Infinity;
      if (host.gait !== "paused") this.#wake(host);
    });
  }

  #wake(host: SimHost<Command, Event, Snapshot>): void {
    if (host.core === null) return;
    const isDue = host.core.wakeAtMs() <= host.clock.read(this.#nowMs) + CLOCK_ROUNDING_MS;
    if (isDue) this.#feed(host, { kind: "wake" });
    else this.#queueWake(host);
  }

  #perform(host: SimHost<Command, Event, Snapshot>, action: Action<Event>): void {
    switch (action.kind) {
      case "send":
        return this.#sendNow(host, () => this.#send(host, action.to, action.bytes));
      case "request":
        return this.#streams.ask(host, action);
      case "answer":
        return this.#streams.answer(host, action.id, action.bytes);
      case "resolve": {
        const { seed } = action;
        const endpoints = this.names.get(seed) ?? [seed];
        return this.#afterInBoot(host, 0, () => ({ kind: "resolved", seed, endpoints }));
      }
      case "persist": {
        const { id, document, bytes } = action;
        const copy = bytes.slice();
        const doneAtMs = this.#nowMs + this.#persistDelayMs + host.diskDelayMs;
        host.writtenAtMs = Math.max(host.writtenAtMs, doneAtMs);
        return this.#afterInBoot(host, host.writtenAtMs - this.#nowMs, () => {
          const error = host.diskError;
          if (error === null) this.write(host, document, copy);
          return { kind: "persisted", id, ...(error === null ? {} : { error }) };
        });
      }
      case "event":
        if (this.#keepsEvents) host.events.push({ atMs: this.#nowMs, event: action.event });
    }
  }

  #send(host: SimHost<Command, Event, Snapshot>, to: Endpoint, bytes: Uint8Array): void {
    host.traffic.datagramsSent++;
    host.traffic.datagramBytesSent += bytes.length;
    const target = this.#byEndpoint.get(to);
    const from = host.endpoint;
    const end = target?.home ?? to;
    for (const delayMs of this.network.datagramDelaysMs(host.home, end, bytes.length)) {
      if (target === undefined) continue;
      // Both sides share the bytes: no core writes into what it has sent or received.
      this.after(delayMs, () => this.#receive(target, from, bytes));
    }
  }

  #receive(host: SimHost<Command, Event, Snapshot>, from: Endpoint, bytes: Uint8Array): void {
    this.#arrive(host, "socket", bytes.length + SOCKET_OVERHEAD_BYTES, () => {
      host.traffic.datagramsReceived++;
      host.traffic.datagramBytesReceived += bytes.length;
      return { kind: "packet", from, bytes };
    });
  }

  /** Something that this life of the host waits for; the next one does not. */
  #afterInBoot(
    host: SimHost<Command, Event, Snapshot>,
    delayMs: number,
    input: () => Input<Command>,
  ): void {
    const boot = host.boots;
    this.after(delayMs, () => {
      if (host.boots === boot) this.#arrive(host, "timer", 0, input);
    });
  }

  #sendNow(host: SimHost<Command, Event, Snapshot>, action: () => void): void {
    if (host.gait === "frozen") host.outbox.push({ bufferBytes: 0, act: action });
    else action();
  }

  /** Gives an input to a host, now or when it moves again; `bufferBytes` above 0 may find no room. */
  #arrive(
    host: SimHost<Command, Event, Snapshot>,
    through: "socket" | "timer",
    bufferBytes: number,
    makeInput: () => Input<Command> | null,
  ): void {
    if (host.core === null) return;
    const act = () => {
      const input = makeInput();
      if (input !== null) this.#feed(host, input);
    };
    const waits = host.gait === "paused" || (host.gait === "frozen" && through === "socket");
    if (!waits) return act();
    if (bufferBytes > 0 && host.bufferedBytes + bufferBytes > this.#socketBufferBytes) {
      host.traffic.datagramsDropped++;
      return;
    }
    host.bufferedBytes += bufferBytes;
    host.inbox.push({ bufferBytes, act });
  }

  #catchUp(host: SimHost<Command, Event, Snapshot>, waiting: Waiting[]): void {
    for (const { bufferBytes, act } of waiting.splice(0)) {
      host.bufferedBytes -= bufferBytes;
      act();
    }
  }
}
