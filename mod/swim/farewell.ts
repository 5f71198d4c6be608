/**
 * Leaving: the goodbye goes to everybody alive directly, three times, and by gossip as well, and is over
 * when gossip has carried it often enough, or after a while. Afterwards nothing said about this host is refuted.
 *
 * Who does not hear it takes this host for failed. Gossip alone leaves one of 100 hosts out in every eighth
 * goodbye when 30 % of packets are lost; with three rounds each host misses all its own with 0.3^3 besides.
 */
import type { MemberTable } from "./members.ts";
import type { Post } from "./post.ts";
import type { Self } from "./self.ts";
import type { SwimTimings } from "./timings.ts";

/** Members told directly: one datagram each, sent in one step (256 * 100 B = 25 kB); gossip reaches the rest. */
const TOLD_DIRECTLY_MAX = 256;
/** How often they are told, spread over the time that a goodbye may take. */
const ROUNDS = 3;

export class Farewell {
  readonly #self: Self;
  readonly #table: MemberTable;
  readonly #timings: SwimTimings;
  readonly #post: Post;
  #state: "here" | "leaving" | "gone" = "here";
  #deadlineMs = Infinity;
  #roundsLeft = 0;
  #nextRoundAtMs = Infinity;
  #isCarried = false;

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
    this.#roundsLeft = ROUNDS;
    this.#isCarried = false;
    this.#self.leave(nowMs, () => this.#carried());
    if (this.#table.reachableCount === 0) return this.#end();
    this.#tell(nowMs);
  }

  advance(nowMs: number): void {
    if (nowMs >= this.#nextRoundAtMs) this.#tell(nowMs);
    if (nowMs >= this.#deadlineMs) this.#end();
  }

  wakeAtMs(): number {
    return Math.min(this.#deadlineMs, this.#nextRoundAtMs);
  }

  /** The host stays after all. */
  cancel(): void {
    this.#state = "here";
    this.#deadlineMs = Infinity;
    this.#nextRoundAtMs = Infinity;
  }

  #tell(nowMs: number): void {
    this.#roundsLeft--;
    this.#nextRoundAtMs = this.#roundsLeft === 0
      ? Infinity
      : nowMs + this.#timings.leaveTimeoutMs / ROUNDS;
    let told = 0;
    for (const member of this.#table.list()) {
      if (member.status !== "alive" && member.status !== "suspect") continue;
      if (told++ === TOLD_DIRECTLY_MAX) break;
      this.#post.send(member.endpoint, [this.#self.encoded]);
    }
    if (this.#isCarried && this.#roundsLeft === 0) this.#end();
  }

  /** Gossip has carried the goodbye often enough. */
  #carried(): void {
    this.#isCarried = true;
    if (this.#roundsLeft === 0) this.#end();
  }

  #end(): void {
    if (this.#state !== "leaving") return;
    this.#state = "gone";
    this.#deadlineMs = Infinity;
    this.#nextRoundAtMs = Infinity;
    this.#post.event({ kind: "left" });
  }
}
