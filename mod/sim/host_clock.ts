/**
 * The monotonic clock of one simulated host: its own origin, a drift, and jumps ahead as after a suspend. Its core sees
 * no other time.
 */
import { assert } from "../base/assert.ts";

export class HostClock {
  /** What the clock showed at `#sinceMs` of the cluster's time. */
  #shownMs = 0;
  #sinceMs = 0;
  /** Seconds of this clock per second of the cluster. */
  #rate = 1;
  #lastReadMs = -Infinity;

  /** What the clock shows at that time of the cluster; never less than it has shown before. */
  read(nowMs: number): number {
    const shownMs = this.#shownMs + (nowMs - this.#sinceMs) * this.#rate;
    this.#lastReadMs = Math.max(this.#lastReadMs, shownMs);
    return this.#lastReadMs;
  }

  /** When, in the cluster's time, the clock shows that. */
  whenMs(shownMs: number): number {
    return this.#sinceMs + (shownMs - this.#shownMs) / this.#rate;
  }

  /** Moves the clock ahead. */
  jump(byMs: number): void {
    assert(byMs >= 0, "a monotonic clock only jumps ahead");
    this.#shownMs += byMs;
  }

  /** From now on the clock runs at that rate; 1.02 is 2 % fast. */
  drift(nowMs: number, rate: number): void {
    assert(rate > 0, "the rate of a clock is above zero");
    this.#shownMs = this.read(nowMs);
    this.#sinceMs = nowMs;
    this.#rate = rate;
  }
}
