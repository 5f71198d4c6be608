/** What came of a ping that an operator asked for. */

/** How the member answered. */
export interface PingOutcome {
  /** Milliseconds from a datagram to its answer; null when none of several came back. */
  readonly datagramMs: number | null;
  /** Milliseconds from dialling to the answer; null when there was none. */
  readonly streamMs: number | null;
  /** Why there was none over a stream. */
  readonly streamReason: string | null;
}
