/**
 * Spreads news: while any are queued, packets of them go to a few random members each interval.
 *
 * The first tick after idle comes at once, so that a single piece of news leaves without delay;
 * without news there is no tick at all.
 */
import type { Random } from "../base/random.ts";
import type { Member, MemberId } from "./member.ts";
import type { MemberTable } from "./members.ts";
import type { Post } from "./post.ts";
import type { GossipQueue } from "./queue.ts";
import type { SwimTimings } from "./timings.ts";

export class Gossiper {
  readonly #selfId: MemberId;
  readonly #table: MemberTable;
  readonly #queue: GossipQueue;
  readonly #timings: SwimTimings;
  readonly #random: Random;
  readonly #post: Post;
  #nextTickAtMs = -Infinity;

  constructor(parts: {
    selfId: MemberId;
    table: MemberTable;
    queue: GossipQueue;
    timings: SwimTimings;
    random: Random;
    post: Post;
  }) {
    this.#selfId = parts.selfId;
    this.#table = parts.table;
    this.#queue = parts.queue;
    this.#timings = parts.timings;
    this.#random = parts.random;
    this.#post = parts.post;
  }

  advance(nowMs: number): void {
    if (nowMs < this.#nextTickAtMs || !this.#hasWork()) return;
    const { gossipNodes, gossipIntervalMs } = this.#timings;
    // A tenth of jitter keeps hosts that heard the same news from speaking in chorus.
    this.#nextTickAtMs = nowMs + gossipIntervalMs * (0.9 + 0.2 * this.#random.unit());
    const targets = this.#table.pick(
      this.#random,
      gossipNodes,
      (member) => this.#hears(nowMs, member),
    );
    for (const target of targets) this.#post.sendGossip(target.endpoint);
  }

  wakeAtMs(): number {
    return this.#hasWork() ? this.#nextTickAtMs : Infinity;
  }

  /** Dead ones get news only beside others: alone with them, reconnecting is the way. */
  #hasWork(): boolean {
    return this.#queue.length > 0 && this.#table.reachableCount > (this.#isOut() ? 0 : 1);
  }

  /** After its goodbye this host is not among the reachable ones itself. */
  #isOut(): boolean {
    return this.#table.get(this.#selfId)?.status === "left";
  }

  #hears(nowMs: number, member: Member): boolean {
    if (member.id === this.#selfId) return false;
    switch (member.status) {
      case "alive":
      case "suspect":
        return true;
      case "dead":
        return nowMs - member.statusSinceMs < this.#timings.gossipToTheDeadMs;
      case "left":
        return false;
    }
  }
}
