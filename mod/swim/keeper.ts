/** Keeps the members document up to date on disk: when something changed, but not often. */
import { MEMBERS_MAX } from "../base/limits.ts";
import type { MemberTable } from "./members.ts";
import { encodeMembers } from "./memory.ts";
import type { Post } from "./post.ts";
import type { Reconnector, RememberedMember } from "./reconnector.ts";
import type { Self } from "./self.ts";

/** The id of the persist actions for the members document; one write is under way at a time. */
export const MEMBERS_PERSIST_ID = 0;

/** Whether a persist action is one of swim's: 0 and below. Other cores in the same host use ids from 1 on. */
export function isOfSwim(persistId: number): boolean {
  return persistId <= 0;
}

/** Shortest time between writes: each is an fsync, and the document is only a help. */
const INTERVAL_MS = 10_000;

/** After the first change: lets a join settle, and leaves the disk to the claim meanwhile. */
const DELAY_MS = 2000;

export class Keeper {
  readonly #self: Self;
  readonly #table: MemberTable;
  readonly #reconnector: Reconnector;
  readonly #post: Post;
  #writeAtMs = Infinity;
  #earliestMs = -Infinity;
  #hasWarned = false;

  constructor(parts: { self: Self; table: MemberTable; reconnector: Reconnector; post: Post }) {
    this.#self = parts.self;
    this.#table = parts.table;
    this.#reconnector = parts.reconnector;
    this.#post = parts.post;
  }

  /** Something changed that the document holds. */
  changed(nowMs: number): void {
    if (this.#writeAtMs < Infinity) return;
    this.#writeAtMs = Math.max(this.#earliestMs, nowMs + DELAY_MS);
  }

  /** This host leaves: its next process may have nothing else to find the others by. */
  flush(nowMs: number): void {
    if (this.#writeAtMs < Infinity) this.#write(nowMs);
  }

  advance(nowMs: number): void {
    if (nowMs >= this.#writeAtMs) this.#write(nowMs);
  }

  #write(nowMs: number): void {
    this.#writeAtMs = Infinity;
    this.#earliestMs = nowMs + INTERVAL_MS;
    const { incarnation } = this.#self.member;
    const bytes = encodeMembers({ incarnation, members: this.#members() });
    this.#post.push({ kind: "persist", id: MEMBERS_PERSIST_ID, document: "members", bytes });
  }

  wakeAtMs(): number {
    return this.#writeAtMs;
  }

  /** Takes the `persisted` input of {@linkcode MEMBERS_PERSIST_ID}; a refused write is tried again. */
  persisted(nowMs: number, error: string | undefined): void {
    if (error === undefined) {
      this.#hasWarned = false;
      return;
    }
    this.#writeAtMs = nowMs + INTERVAL_MS;
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#post.event({
      kind: "warning",
      code: "members-not-saved",
      text: `The list of members cannot be saved: ${error}`,
      remedy: "Free or repair the disk of the state directory; until then a restart needs a seed",
    });
  }

  /**
   * Everybody who has not left, and who was remembered but not met yet. The next process looks for them
   * in this order: those who are there before those lost, and those lost last before the long lost. No
   * more than can be read again.
   */
  #members(): RememberedMember[] {
    const others = this.#table.list().filter(({ id }) => id !== this.#self.id);
    const there = others.filter(({ status }) => status === "alive" || status === "suspect");
    const dead = others.filter(({ status }) => status === "dead")
      .sort((one, other) => other.statusSinceMs - one.statusSinceMs);
    const known = [...there, ...dead].map(({ id, name, endpoint }) => ({ id, name, endpoint }));
    return [...known, ...this.#reconnector.missing].slice(0, MEMBERS_MAX);
  }
}
