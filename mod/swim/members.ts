/** The table of members: by id, in a fixed order, and counted by status. Holds, decides nothing. */
import { assert } from "../base/assert.ts";
import type { Random } from "../base/random.ts";
import { BucketDigest } from "../wire/bucket_digest.ts";
import type { Member, MemberId, MemberStatus } from "./member.ts";
import { newsVersion } from "./news.ts";

export class MemberTable {
  /** What is known of members as a few bytes; see {@linkcode inDigest}. */
  readonly digest = new BucketDigest();
  readonly #byId = new Map<MemberId, Member>();
  /** By id; changed in place, never copied by a step. */
  readonly #sorted: Member[] = [];
  readonly #counts: Record<MemberStatus, number> = { alive: 0, suspect: 0, dead: 0, left: 0 };

  get size(): number {
    return this.#sorted.length;
  }

  /** Alive or suspect, this host included. */
  get reachableCount(): number {
    return this.#counts.alive + this.#counts.suspect;
  }

  count(status: MemberStatus): number {
    return this.#counts[status];
  }

  get(id: MemberId): Member | undefined {
    return this.#byId.get(id);
  }

  /** All members by id; valid until the next change. */
  list(): readonly Member[] {
    return this.#sorted;
  }

  /** Inserts or replaces. */
  put(member: Member): void {
    const previous = this.#byId.get(member.id);
    const index = this.#indexOf(member.id);
    this.#updateDigest(previous, member);
    if (previous === undefined) this.#sorted.splice(index, 0, member);
    else {
      this.#sorted[index] = member;
      this.#counts[previous.status]--;
    }
    this.#byId.set(member.id, member);
    this.#counts[member.status]++;
  }

  remove(id: MemberId): void {
    const member = this.#byId.get(id);
    assert(member !== undefined, "only a known member is removed");
    this.#updateDigest(member, undefined);
    this.#byId.delete(id);
    this.#sorted.splice(this.#indexOf(id), 1);
    this.#counts[member.status]--;
  }

  /** Up to `count` distinct members that are acceptable, each as likely as the others. */
  pick(random: Random, count: number, accepts: (member: Member) => boolean): Member[] {
    const picked = new Set<Member>();
    // Few tries find enough in a large table; in a small or unwilling one, look at everybody.
    for (let tries = 0; tries < 3 * count && this.size > 4 * count; tries++) {
      const member = this.#sorted[random.below(this.size)];
      if (member !== undefined && accepts(member)) picked.add(member);
      if (picked.size === count) return [...picked];
    }
    const rest = this.#sorted.filter((member) => !picked.has(member) && accepts(member));
    return [...picked, ...random.sample(rest, count - picked.size)];
  }

  #updateDigest(previous: Member | undefined, member: Member | undefined): void {
    const before = previous === undefined ? null : inDigest(previous);
    const after = member === undefined ? null : inDigest(member);
    if (before === after) return;
    if (previous !== undefined && before !== null) this.digest.remove(previous.id, before);
    if (member !== undefined && after !== null) this.digest.add(member.id, after);
  }

  /** Where the id stands, or would stand. */
  #indexOf(id: MemberId): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const member = this.#sorted[middle];
      if (member !== undefined && member.id < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * What of a member counts in digests: what decides whether a sync would change anything. Null for members that left:
 * hosts that never met them take no notice of them, so they must count as much as unknown ones.
 */
function inDigest({ incarnation, status }: Member): number | null {
  return status === "left" ? null : newsVersion(incarnation, status);
}
