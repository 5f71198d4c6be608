/** This host's own member: only its owner raises its incarnation, to refute what others say of it. */
import { assert } from "../base/assert.ts";
import type { Endpoint } from "../base/core.ts";
import { INCARNATION_MAX } from "../wire/member_record.ts";
import { encodeAlive } from "../wire/news_messages.ts";
import type { Member, MemberId } from "./member.ts";
import type { MemberTable } from "./members.ts";
import { encodeNews, newsKey, newsVersion } from "./news.ts";
import type { GossipQueue } from "./queue.ts";

/** Called after a member was put into the table; `previous` is null on first sight. */
export type MemberChanged = (nowMs: number, member: Member, previous: Member | null) => void;

export class Self {
  readonly id: MemberId;
  readonly #table: MemberTable;
  readonly #queue: GossipQueue;
  readonly #changed: MemberChanged;
  /** The alive message in front of every letter, encoded once per change. */
  #encoded: Uint8Array;

  /** @param isNews whether others are still to hear of this host. */
  constructor(
    member: Member,
    table: MemberTable,
    queue: GossipQueue,
    changed: MemberChanged,
    isNews = true,
  ) {
    this.id = member.id;
    this.#table = table;
    this.#queue = queue;
    this.#changed = changed;
    table.put(member);
    this.#encoded = encodeAlive(member);
    if (isNews) this.#announce();
  }

  get member(): Member {
    const member = this.#table.get(this.id);
    assert(member !== undefined, "this host is in its own table");
    return member;
  }

  get hasLeft(): boolean {
    return this.member.status === "left";
  }

  /** What this host says of itself, as a message: alive, or the goodbye. */
  get encoded(): Uint8Array {
    return this.#encoded;
  }

  /** Outlives a verdict of that incarnation: announces this host with a higher one. */
  refute(nowMs: number, incarnation: number): void {
    this.#put(nowMs, { incarnation: next(Math.max(this.member.incarnation, incarnation)) });
  }

  /** This host has another address now. */
  move(nowMs: number, endpoint: Endpoint): void {
    if (endpoint === this.member.endpoint) return;
    this.#put(nowMs, { endpoint, incarnation: next(this.member.incarnation) });
  }

  /** This host can do something more, or less, from now on: bits of `wire/features.ts`. */
  offer(nowMs: number, features: number): void {
    if (features === this.member.features) return;
    this.#put(nowMs, { features, incarnation: next(this.member.incarnation) });
  }

  /** Says goodbye; `finished` is called when gossip has carried it often enough. */
  leave(nowMs: number, finished: () => void): void {
    this.#put(nowMs, { status: "left", statusSinceMs: nowMs }, finished);
  }

  /** Takes the goodbye back. */
  comeBack(nowMs: number): void {
    const incarnation = next(this.member.incarnation);
    this.#put(nowMs, { status: "alive", statusSinceMs: nowMs, incarnation });
  }

  #put(nowMs: number, changes: Partial<Member>, finished?: () => void): void {
    const previous = this.member;
    const member = { ...previous, ...changes };
    this.#table.put(member);
    this.#encoded = encodeNews(member, this.id);
    this.#announce(finished);
    this.#changed(nowMs, member, previous);
  }

  #announce(finished?: () => void): void {
    const { incarnation, status } = this.member;
    const options = finished === undefined ? {} : { finished };
    this.#queue.add(newsKey(this.id), newsVersion(incarnation, status), this.#encoded, options);
  }
}

/** Nobody could read a higher one than the highest; at a refutation each second it is millions of years away. */
function next(incarnation: number): number {
  return Math.min(INCARNATION_MAX, incarnation + 1);
}
