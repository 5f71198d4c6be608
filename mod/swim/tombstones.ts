/**
 * Members that left stay in the table for a day, so that old news of them find them there and change
 * nothing; then they go. Only they do: the dead are looked for until somebody has them forgotten.
 *
 * A day is counted in ticks while this host is awake: one that slept through it has missed what
 * happened meanwhile, and its neighbours may still speak of the member.
 */
import type { MemberId } from "./member.ts";
import type { MemberTable } from "./members.ts";

/** Serf's TombstoneTimeout. */
export const TOMBSTONE_MS = 24 * 3_600_000;

/** Between ticks: a member that left costs nothing, so a minute more or less does not matter. */
const TICK_MS = 60_000;

export class Tombstones {
  readonly #table: MemberTable;
  readonly #dropped: (id: MemberId) => void;
  /** Ticks since each member left. */
  readonly #ticks = new Map<MemberId, number>();
  #nextTickAtMs = Infinity;

  /** @param dropped is called after a member went out of the table. */
  constructor(table: MemberTable, dropped: (id: MemberId) => void) {
    this.#table = table;
    this.#dropped = dropped;
  }

  /** A member left: from now on there is something to count. */
  left(nowMs: number, id: MemberId): void {
    this.#ticks.set(id, 0);
    if (this.#nextTickAtMs === Infinity) this.#nextTickAtMs = nowMs + TICK_MS;
  }

  advance(nowMs: number): void {
    if (nowMs < this.#nextTickAtMs) return;
    this.#nextTickAtMs = nowMs + TICK_MS;
    for (const [id, ticks] of this.#ticks) {
      if (this.#table.get(id)?.status !== "left") this.#ticks.delete(id); // came back
      else if ((ticks + 1) * TICK_MS < TOMBSTONE_MS) this.#ticks.set(id, ticks + 1);
      else {
        this.#ticks.delete(id);
        this.#table.remove(id);
        this.#dropped(id);
      }
    }
    if (this.#ticks.size === 0) this.#nextTickAtMs = Infinity;
  }

  wakeAtMs(): number {
    return this.#nextTickAtMs;
  }
}
