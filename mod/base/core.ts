/**
 * The shape of every protocol engine: bytes and time in, actions out.
 *
 * A core never does I/O, never reads a clock and never throws on anything that came from the network. The agent and the
 * simulator are two drivers of the same core, so one seed replays a whole cluster exactly.
 */

/** An underlay address and port: `"192.168.100.1:7947"`, IPv6 as `"[2001:db8::1]:7947"`. */
export type Endpoint = string;

/** What the outside world tells a core. */
export type Input<Command> =
  /** A datagram arrived. */
  | { readonly kind: "packet"; readonly from: Endpoint; readonly bytes: Uint8Array }
  /** A peer opened a stream and sent one frame; answer it with an `answer` action of the same id. */
  | {
    readonly kind: "request";
    readonly id: number;
    readonly from: Endpoint;
    readonly bytes: Uint8Array;
  }
  /** The answer to our own `request` action of that id. */
  | { readonly kind: "answer"; readonly id: number; readonly bytes: Uint8Array }
  /** Our `request` action of that id came to nothing: refused, timed out, malformed frame. */
  | { readonly kind: "failed"; readonly id: number; readonly reason: string }
  /** The outcome of a `resolve` action: no endpoints when the name could not be resolved. */
  | {
    readonly kind: "resolved";
    readonly seed: string;
    readonly endpoints: readonly Endpoint[];
    readonly reason?: string;
  }
  /** The document of a `persist` action is safe on disk (`error` absent), or the disk refused. */
  | { readonly kind: "persisted"; readonly id: number; readonly error?: string }
  /** Nothing arrived, but the time asked for by {@linkcode Core.wakeAtMs} has come. */
  | { readonly kind: "wake" }
  /** The operator, or the agent on their behalf, asks for something. */
  | { readonly kind: "command"; readonly command: Command };

/** What a core asks of the outside world. Order matters: the driver performs actions in sequence. */
export type Action<Event> =
  /** Send one datagram; it may be lost. */
  | { readonly kind: "send"; readonly to: Endpoint; readonly bytes: Uint8Array }
  /** Open a stream, send one frame, wait for one frame: ends in an `answer` or `failed` input. */
  | {
    readonly kind: "request";
    readonly id: number;
    readonly to: Endpoint;
    readonly bytes: Uint8Array;
    readonly timeoutMs: number;
  }
  /** Answer the `request` input of that id and close its stream. */
  | { readonly kind: "answer"; readonly id: number; readonly bytes: Uint8Array }
  /** Turn a seed (`host[:port]`, names allowed) into endpoints: ends in a `resolved` input. */
  | { readonly kind: "resolve"; readonly seed: string }
  /** Write a document durably (write, fsync, rename, fsync folder): ends in a `persisted` input. */
  | {
    readonly kind: "persist";
    readonly id: number;
    readonly document: PersistedDocument;
    readonly bytes: Uint8Array;
  }
  /** Something happened that people, logs, metrics or the overlay want to know. */
  | { readonly kind: "event"; readonly event: Event };

/**
 * Documents a host keeps: `claim` guards its identity and subnet, `members` lets it rejoin without seeds, `keys` are the lines
 * of its key file, the primary first.
 */
export type PersistedDocument = "claim" | "members" | "keys";

/** A sans-I/O state machine. */
export interface Core<Command, Event, Snapshot> {
  /**
   * Takes one input at a time `nowMs` (monotonic milliseconds, any origin, never falling) and returns what to do.
   * Never throws on network input.
   */
  step(nowMs: number, input: Input<Command>): Action<Event>[];
  /** When `step` must next be called with `wake` if nothing else arrives; Infinity for never. */
  wakeAtMs(): number;
  /** A read-only view for status pages, the overlay and invariants; not to be modified. */
  snapshot(): Snapshot;
}
