/** What pings through the overlay say of a peer. */

export type OverlayState = "answers" | "silent" | "unknown";

/** What is known of the way to a peer's VTEP. */
export interface OverlayHealth {
  readonly state: OverlayState;
  /** Of the last answer, in milliseconds; null before the first. */
  readonly rttMs: number | null;
  /** When that was, on the agent's clock; null before. */
  readonly answeredAtMs: number | null;
}
