/**
 * Whether packets that the guard dropped were strangers'. A host whose address changed sends from the new one before the
 * others have heard of it: what was dropped within some seconds of a change of members, before or after, was a member's.
 */

/** Dropped packets are a problem for as long after the last one. */
const SHOWN_MS = 600_000;
/** Who moves is heard of so soon, or is taken for dead. */
const MEMBER_MS = 5_000;

export class DroppedStrangers {
  #count = 0;
  #membersChangedAtMs = -Infinity;
  /** When packets were dropped that a change of members may still explain; null without. */
  #openSinceMs: number | null = null;
  #lastAtMs = -Infinity;

  /** Packets dropped since the table was made. */
  get count(): number {
    return this.#count;
  }

  /** Takes what a look at the table found; `isChanged` when other members than before are wanted in it. */
  look(nowMs: number, count: number, isChanged: boolean): void {
    this.#judge(nowMs);
    if (isChanged) {
      this.#membersChangedAtMs = nowMs;
      this.#openSinceMs = null;
    }
    const isExplained = nowMs - this.#membersChangedAtMs < MEMBER_MS;
    if (count > this.#count && !isExplained) this.#openSinceMs ??= nowMs;
    this.#count = count;
  }

  /** Whether they are to be told of. */
  areProblem(nowMs: number): boolean {
    this.#judge(nowMs);
    return nowMs - this.#lastAtMs < SHOWN_MS;
  }

  #judge(nowMs: number): void {
    if (this.#openSinceMs === null || nowMs - this.#openSinceMs < MEMBER_MS) return;
    this.#lastAtMs = this.#openSinceMs;
    this.#openSinceMs = null;
  }
}
