/**
 * What to expect of gossip and of failure detection on paper, to set measured figures against. All
 * for a cluster without losses whose members are all well.
 */
import { LAN_TIMINGS, suspicionBoundsMs, type SwimTimings } from "../swim/timings.ts";

/**
 * Share of members that heard a piece of news after that time, 0 to 1: the formula behind serf's
 * convergence simulator, `1 / (1 + (n + 1) e^(-c n x))` after x rounds with `c n = fanout / 2`.
 */
export function convergence(members: number, timeMs: number, timings = LAN_TIMINGS): number {
  const rounds = timeMs / timings.gossipIntervalMs;
  return 1 / (1 + (members + 1) * Math.exp(-timings.gossipNodes / 2 * rounds));
}

/** When that share of members has heard by {@linkcode convergence}; milliseconds. */
export function convergenceTimeMs(members: number, share: number, timings = LAN_TIMINGS): number {
  const rounds = Math.log((members + 1) * share / (1 - share)) / (timings.gossipNodes / 2);
  return rounds * timings.gossipIntervalMs;
}

/**
 * Share of members that heard after that many rounds, in each of which everybody who knows tells
 * `fanout` others drawn at random (mean field: the paper on SWIM, section 4.1, with our fanout).
 */
export function meanField(members: number, rounds: number, fanout: number): number {
  let share = 1 / members;
  for (let round = 0; round < rounds; round++) share += (1 - share) * -Math.expm1(-fanout * share);
  return share;
}

/**
 * The same when whoever hears the news while idle passes them on at once instead of at its next
 * round: the share reached by that first wave, the solution of `r = 1 - e^(-fanout r)`.
 */
export function firstWave(fanout: number): number {
  let share = 1;
  // Contracts by fanout * e^(-fanout * share) each time, 0.18 for a fanout of 3: far below a float's last bit.
  for (let iteration = 0; iteration < 100; iteration++) share = -Math.expm1(-fanout * share);
  return share;
}

/**
 * When a crash counts as dead with that probability. All others probe the victim once a lap, at
 * moments that have nothing to do with each other, so the first attempt comes after an exponential
 * time of one interval; the probe and the shortest suspicion follow.
 */
export function detectionTimeMs(
  members: number,
  probability: number,
  timings: SwimTimings = LAN_TIMINGS,
): number {
  const waitMs = -Math.log1p(-probability) * timings.probeIntervalMs;
  return waitMs + timings.probeIntervalMs + suspicionBoundsMs(timings, members).minMs;
}
