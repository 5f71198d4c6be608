/** What pings through the overlay say of a peer. */

export type OverlayState = "answers" | "silent" | "unknown";

/** What is known of the way to a peer's VTEP by one family. */
export interface WayHealth {
  readonly state: OverlayState;
  /** Of the last answer, in milliseconds; null before the first. */
  readonly rttMs: number | null;
  /** When that was, on the agent's clock; null before. */
  readonly answeredAtMs: number | null;
}

/** What is known of the way to a peer's VTEP; of the cluster's only family, or of IPv4 with dual stack. */
export interface OverlayHealth extends WayHealth {
  /** With dual stack, where the peer takes IPv6 packets. */
  readonly ipv6?: WayHealth;
}

/** The worse of the families says whether packets get there. */
export function isSilent({ state, ipv6 }: OverlayHealth): boolean {
  return state === "silent" || ipv6?.state === "silent";
}
