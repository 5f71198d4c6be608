/**
 * The timings of membership, and how they grow with the cluster.
 *
 * The figures are those of hashicorp/memberlist (config.go), tuned by years of use; reconnecting and
 * seeds follow serf. All times are milliseconds.
 */

export interface SwimTimings {
  /** One member is probed per interval. */
  readonly probeIntervalMs: number;
  /** Without an ack in this time, other members are asked to try. */
  readonly probeTimeoutMs: number;
  /** How many others are asked (k of the SWIM paper). */
  readonly indirectChecks: number;
  readonly suspicionMultiplier: number;
  /** Longest suspicion over shortest. */
  readonly suspicionMaxMultiplier: number;
  /** Time between packets of news, while there are any. */
  readonly gossipIntervalMs: number;
  /** Members that get such a packet at a time. */
  readonly gossipNodes: number;
  /** How long a dead member still gets news, so that one that is not dead can say so. */
  readonly gossipToTheDeadMs: number;
  readonly retransmitMultiplier: number;
  /** Never fewer than this: in a small cluster the multiplier alone leaves some who hear nothing. */
  readonly retransmitMinimum: number;
  /**
   * Time between syncs. Does not grow with the cluster as memberlist's does, since a sync that finds no difference is as
   * small in a large cluster as in a small one: some 300 bytes both ways.
   */
  readonly syncIntervalMs: number;
  /** Of a stream, from dialling to the answer. */
  readonly streamTimeoutMs: number;
  /** Between attempts to reach a dead or remembered member again. */
  readonly reconnectIntervalMs: number;
  /**
   * Between attempts to reach a seed: doubles from the first to the second. The first is short because hosts that start
   * together find a seed that does not listen yet, and would all wait for it.
   */
  readonly seedRetryMs: number;
  readonly seedRetryMaxMs: number;
  /** A goodbye ends after this, heard or not. */
  readonly leaveTimeoutMs: number;
}

/** One site, round trips below some milliseconds. */
export const LAN_TIMINGS: SwimTimings = {
  probeIntervalMs: 1000,
  probeTimeoutMs: 500,
  indirectChecks: 3,
  suspicionMultiplier: 4,
  suspicionMaxMultiplier: 6,
  gossipIntervalMs: 200,
  gossipNodes: 3,
  gossipToTheDeadMs: 30_000,
  retransmitMultiplier: 4,
  retransmitMinimum: 8,
  syncIntervalMs: 30_000,
  streamTimeoutMs: 10_000,
  reconnectIntervalMs: 30_000,
  seedRetryMs: 200,
  seedRetryMaxMs: 30_000,
  leaveTimeoutMs: 1000,
};

/** Several sites, round trips up to a second. */
export const WAN_TIMINGS: SwimTimings = {
  ...LAN_TIMINGS,
  probeIntervalMs: 5000,
  probeTimeoutMs: 3000,
  suspicionMultiplier: 6,
  gossipIntervalMs: 500,
  gossipNodes: 4,
  gossipToTheDeadMs: 60_000,
  syncIntervalMs: 60_000,
  streamTimeoutMs: 30_000,
  leaveTimeoutMs: 3000,
};

/** One machine: namespaces, demos, tests. */
export const LOCAL_TIMINGS: SwimTimings = {
  ...LAN_TIMINGS,
  probeTimeoutMs: 200,
  indirectChecks: 1,
  suspicionMultiplier: 3,
  gossipIntervalMs: 100,
  gossipToTheDeadMs: 15_000,
  retransmitMultiplier: 2,
  syncIntervalMs: 15_000,
  streamTimeoutMs: 1000,
};

/** One site with up to 64 hosts, where a dead host is to be known in seconds (docs/adr/0017-healing.md has figures). */
export const TIGHT_TIMINGS: SwimTimings = {
  ...LAN_TIMINGS,
  probeIntervalMs: 400,
  probeTimeoutMs: 150, // leaves a stream time for one TCP retry, which takes 200 ms
  suspicionMultiplier: 3,
  retransmitMultiplier: 6, // refutations must not be missed: suspicions are short
  gossipIntervalMs: 100,
  gossipToTheDeadMs: 15_000,
};

/** The presets by the names that people give. */
export const TIMINGS = {
  lan: LAN_TIMINGS,
  wan: WAN_TIMINGS,
  local: LOCAL_TIMINGS,
  tight: TIGHT_TIMINGS,
} as const satisfies Readonly<Record<string, SwimTimings>>;

export type TimingsName = keyof typeof TIMINGS;

/**
 * How often one item of news is sent: `multiplier * ceil(log10(n + 1))`. A member misses it with a
 * probability of about e^-limit: 3e-4 at 10 members (limit 8), 6e-6 at 100 (limit 12). Up to 9 members
 * the formula gives 4: a death was then missed by somebody in 6 of 1,000 simulated crashes among 9.
 */
export function retransmitLimit(timings: SwimTimings, members: number): number {
  const { retransmitMultiplier, retransmitMinimum } = timings;
  return Math.max(retransmitMinimum, retransmitMultiplier * Math.ceil(Math.log10(members + 1)));
}

/**
 * Time for an accusation to reach the accused, and for the refutation to come back: gossip takes about
 * a second each way in a cluster of a thousand.
 */
export function refutationGraceMs(timings: SwimTimings): number {
  return 2 * timings.probeIntervalMs;
}

/** A nack must be back before the asker's deadline: part of the time that is left then. */
const NACK_SHARE = 0.8;

/**
 * How long a helper waits for an ack before it says that it heard nothing. The asker may be less
 * patient than we are at present, so this never stretches (Lifeguard, footnote 5).
 */
export function nackWaitMs(timings: SwimTimings): number {
  const { probeIntervalMs, probeTimeoutMs } = timings;
  return NACK_SHARE * Math.min(probeTimeoutMs, probeIntervalMs - probeTimeoutMs);
}

/** Shortest and longest suspicion: `multiplier * max(1, log10 n) * interval`, and a multiple of it. */
export function suspicionBoundsMs(
  timings: SwimTimings,
  members: number,
): { minMs: number; maxMs: number } {
  const scale = Math.max(1, Math.log10(Math.max(1, members)));
  const minMs = timings.suspicionMultiplier * scale * timings.probeIntervalMs;
  return { minMs, maxMs: minMs * timings.suspicionMaxMultiplier };
}
