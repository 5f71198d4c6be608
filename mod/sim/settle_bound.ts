/** How long a cluster may take to be of one mind again. */
import type { SwimTimings } from "../swim/timings.ts";

/** Laps in which somebody surely comes by: e^-15 is below a millionth. */
export const FIRST_PROBE_ROUNDS = 15;
/** News reach everybody within a second or two; a bit more for losses. */
export const SPREAD_MS = 4000;

/**
 * The time in which a cluster is of one mind after the last fault: lost hosts are dialled (one and a half reconnect or seed
 * intervals), those that are gone are probed by somebody, a suspicion may take its longest, and a sync of each host
 * evens out what gossip missed.
 */
export function settleBoundMs(timings: SwimTimings, hosts: number): number {
  const contactMs = 1.5 * Math.max(timings.reconnectIntervalMs, timings.seedRetryMaxMs);
  const probeMs = (Math.min(2 * hosts, FIRST_PROBE_ROUNDS) + 8) * timings.probeIntervalMs;
  const scale = Math.max(1, Math.log10(hosts));
  const suspicionMs = timings.suspicionMultiplier * timings.suspicionMaxMultiplier * scale *
    timings.probeIntervalMs;
  return 2 * contactMs + probeMs + suspicionMs + 3 * timings.syncIntervalMs + SPREAD_MS;
}
