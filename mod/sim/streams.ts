/** Streams between simulated hosts: one question, one answer, and a timeout that the asker keeps. */
import type { Action, Endpoint, Input } from "../base/core.ts";
import type { Network } from "./network.ts";
import type { SimHost } from "./sim_host.ts";

interface PendingRequest<Host> {
  readonly asker: Host;
  readonly askerBoot: number;
  readonly askerId: number;
  readonly answerer: Host | undefined;
}

/** What ends a request for its asker. */
type Ending = Extract<Input<never>, { kind: "answer" | "failed" }>;

export class Streams<Command, Event, Snapshot> {
  readonly #parts: StreamParts<SimHost<Command, Event, Snapshot>>;
  readonly #pending = new Map<number, PendingRequest<SimHost<Command, Event, Snapshot>>>();
  #nextId = 1;

  constructor(parts: StreamParts<SimHost<Command, Event, Snapshot>>) {
    this.#parts = parts;
  }

  /** Opens a stream for a host; what the host may not send yet leaves when it thaws. */
  ask(
    asker: SimHost<Command, Event, Snapshot>,
    action: Extract<Action<never>, { kind: "request" }>,
  ): void {
    const { after, find, sendNow } = this.#parts;
    const id = this.#nextId++;
    const answerer = find(action.to);
    this.#pending.set(id, { asker, askerBoot: asker.boots, askerId: action.id, answerer });
    // A timer is not held up by a socket that is.
    after(action.timeoutMs, () => this.#end(id, "timer", "timed out"));
    sendNow(asker, () => this.#dial(id, action.bytes));
  }

  /** Sends the answer to a question. */
  answer(answerer: SimHost<Command, Event, Snapshot>, id: number, bytes: Uint8Array): void {
    this.#parts.sendNow(answerer, () => {
      const pending = this.#pending.get(id);
      if (pending === undefined || pending.answerer !== answerer) return;
      answerer.traffic.streamBytesSent += bytes.length;
      const { network, after } = this.#parts;
      const delayMs = network.streamDelayMs(
        answerer.home,
        pending.asker.home,
        bytes.length,
      );
      if (delayMs === null) return; // the asker's timeout ends it
      after(delayMs, () => this.#end(id, "socket", bytes));
    });
  }

  #dial(id: number, bytes: Uint8Array): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return; // given up while the asker was frozen
    const { asker, answerer } = pending;
    const { network, after, arrive } = this.#parts;
    asker.traffic.requestsSent++;
    asker.traffic.streamBytesSent += bytes.length;
    if (answerer === undefined) return;
    const delayMs = network.streamDelayMs(asker.home, answerer.home, bytes.length);
    if (delayMs === null) return;
    const from = asker.endpoint;
    after(delayMs, () => {
      if (!answerer.isRunning) return this.#end(id, "socket", "connection refused");
      arrive(answerer, "socket", () => {
        answerer.traffic.requestsReceived++;
        answerer.traffic.streamBytesReceived += bytes.length;
        return { kind: "request", id, from, bytes };
      });
    });
  }

  /** Tells the asker how it ended, when the asker can take it; whatever comes first counts. */
  #end(id: number, through: "socket" | "timer", outcome: Uint8Array | string): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    const { asker, askerBoot, askerId } = pending;
    if (!asker.isRunning || asker.boots !== askerBoot) {
      this.#pending.delete(id);
      return;
    }
    this.#parts.arrive(asker, through, (): Ending | null => {
      if (!this.#pending.delete(id)) return null;
      if (typeof outcome === "string") return { kind: "failed", id: askerId, reason: outcome };
      asker.traffic.streamBytesReceived += outcome.length;
      return { kind: "answer", id: askerId, bytes: outcome };
    });
  }
}

/** What streams need of the cluster. */
export interface StreamParts<Host> {
  readonly network: Network;
  readonly find: (endpoint: Endpoint) => Host | undefined;
  readonly after: (delayMs: number, action: () => void) => void;
  /** Does it at once, or when the host thaws. */
  readonly sendNow: (host: Host, action: () => void) => void;
  /** Gives an input to a host as soon as the host can take it; null when it has become void meanwhile. */
  readonly arrive: (
    host: Host,
    through: "socket" | "timer",
    input: () => Input<never> | null,
  ) => void;
}
