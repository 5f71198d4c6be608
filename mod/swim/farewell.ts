/**
 * Leaving: the goodbye goes to everybody alive at once and by gossip as well, and is over when gossip
 * has carried it often enough, or after a while. Afterwards nothing said about this host is refuted.
 */
import type { MemberTable } from "./members.ts";
import type { Post } from "./post.ts";
import type { Self } from "./self.ts";
import type { SwimTimings } from "./timings.ts";

/** Members told directly: one datagram each, sent in one step; gossip reaches the rest. */
const TOLD_DIRECTLY_MAX = 64;

export class Farewell {
  readonly #self: Self;
  readonly #table: MemberTable;
  readonly #timings: SwimTimings;
  readonly #post: Post;
  #state: "here" | "leaving" | "gone" = "here";
  #deadlineMs = Infinity;

  constructor(parts: { self: Self; table: MemberTable; timings: SwimTimings; post: Post }) {
    this.#self = parts.self;
    this.#table = parts.table;
    this.#timings = parts.timings;
    this.#post = parts.post;
  }

  /** Nothing more will be sent. */
  get isOver(): boolean {
    return this.#state === "gone";
  }

  begin(nowMs: number): void {
    if (this.#state !== "here") return;
    this.#state = "leaving";
    this.#deadlineMs = nowMs + this.#timings.leaveTimeoutMs;
    this.#self.leave(nowMs, () => this.#end());
    if (this.#table.reachableCount === 0) return this.#end();
    let told = 0;
    for (const member of this.#table.list()) {
      if (member.status !== "alive" && member.status !== "suspect") continue;
      if (told++ === TOLD_DIRECTLY_MAX) break;
      this.#post.send(member.endpoint, [this.#self.encoded]);
    }
  }

  advance(nowMs: number): void {
    if (nowMs >= this.#deadlineMs) this.#end();
  }

  wakeAtMs(): number {
    return this.#deadlineMs;
  }

  /** The host stays after all. */
  cancel(): void {
    this.#state = "here";
    this.#deadlineMs = Infinity;
  }

  #end(): void {
    if (this.#state !== "leaving") return;
    this.#state = "gone";
    this.#deadlineMs = Infinity;
    this.#post.event({ kind: "left" });
  }
}
