/**
 * How long gossip needs to reach everybody, and hence how long a host waits for objections when it could not ask
 * everybody by letter.
 */

/**
 * The bound on spreading one item to `members` hosts, in milliseconds: with three gossip targets an interval the item
 * reaches four times as many hosts each time, log4 n intervals; then ln n + 14 further chances to be a target, three an
 * interval, leave some host without it with a probability of at most n * e^-(ln n + 14) = e^-14 = 8e-7.
 */
export function disseminationMs(members: number, gossipIntervalMs: number): number {
  const count = Math.max(1, members);
  const growth = Math.ceil(Math.log(count) / Math.log(4));
  const tail = Math.ceil((Math.log(count) + 14) / 3);
  return (growth + tail) * gossipIntervalMs;
}

/** The shortest slow-path wait: below this the interval counts round badly in very small clusters. */
const WAIT_MS_MIN = 3_000;

/**
 * The slow path's wait: twice the dissemination time (there and back, as RFC 7695's flooding delay), stretched by
 * Lifeguard's health score (0 healthy to 7), since what an unhealthy host does not hear proves nothing.
 */
export function objectionWaitMs(
  members: number,
  gossipIntervalMs: number,
  healthScore: number,
): number {
  const waitMs = Math.max(WAIT_MS_MIN, 2 * disseminationMs(members, gossipIntervalMs));
  return waitMs * (healthScore + 1);
}
