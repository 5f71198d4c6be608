/**
 * How long a suspicion lasts (Lifeguard, "LHA-Suspicion"): long at first, shorter with each further
 * accuser, so that one slow host cannot have others declared dead.
 *
 * Beyond the paper: an accusation never ends a suspicion at once. Slow hosts that come back together
 * tell each other of everybody they missed, and would find the shortened time long over.
 */
import type { MemberId } from "./member.ts";
import { refutationGraceMs, suspicionBoundsMs, type SwimTimings } from "./timings.ts";

/**
 * Milliseconds left of a suspicion; negative when it should have ended already.
 * `max(min, max - log(c + 1) / log(k + 1) * (max - min)) - elapsed`, c confirmations of k expected.
 */
export function remainingSuspicionMs(
  confirmations: number,
  expected: number,
  elapsedMs: number,
  minMs: number,
  maxMs: number,
): number {
  const share = Math.log(confirmations + 1) / Math.log(expected + 1);
  const totalMs = Math.floor(maxMs - share * (maxMs - minMs));
  return Math.max(minMs, totalMs) - elapsedMs;
}

export class Suspicion {
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #expected: number;
  readonly #accusers: Set<MemberId>;
  /** From the last accusation that counts: time for the accused to hear it and to refute. */
  readonly #graceMs: number;
  #startMs: number;
  #notBeforeMs = -Infinity;

  /**
   * @param members alive and suspect ones, this host included: too few cannot confirm each other.
   * @param isDynamic whether there is a longer time than the shortest, and confirmations count.
   */
  constructor(
    startMs: number,
    accuser: MemberId,
    timings: SwimTimings,
    members: number,
    isDynamic = true,
  ) {
    const { minMs, maxMs } = suspicionBoundsMs(timings, members);
    const expected = isDynamic ? timings.suspicionMultiplier - 2 : 0;
    this.#startMs = startMs;
    this.#graceMs = refutationGraceMs(timings);
    this.#minMs = minMs;
    this.#maxMs = maxMs;
    // All but the accused and the accuser could confirm.
    this.#expected = members - 2 < expected ? 0 : expected;
    this.#accusers = new Set([accuser]);
  }

  /** Counts another accuser; true if it is a new one that still shortens the suspicion, and so is news. */
  confirm(nowMs: number, accuser: MemberId): boolean {
    if (this.#accusers.size > this.#expected || this.#accusers.has(accuser)) return false;
    this.#accusers.add(accuser);
    this.#notBeforeMs = nowMs + this.#graceMs;
    return true;
  }

  /** When the accused counts as dead unless it refutes before. */
  get deadlineMs(): number {
    if (this.#expected === 0) return Math.max(this.#startMs + this.#minMs, this.#notBeforeMs);
    const confirmations = this.#accusers.size - 1;
    const durationMs = remainingSuspicionMs(
      confirmations,
      this.#expected,
      0,
      this.#minMs,
      this.#maxMs,
    );
    return Math.max(this.#startMs + durationMs, this.#notBeforeMs);
  }

  /**
   * Moves the deadline: time in which this host itself stood still does not count. What the accused had to say meanwhile may
   * still wait in a socket.
   */
  postpone(nowMs: number, byMs: number): void {
    this.#startMs += byMs;
    this.#notBeforeMs = Math.max(this.#notBeforeMs + byMs, nowMs + this.#graceMs);
  }
}
