/**
 * The members' part of a sync: what to answer, what to tell, and what is not worth telling.
 *
 * An entry says something new to whoever knows the member by a lower version (incarnation, then status), and to who does
 * not know it, unless it left. All else would change nothing there.
 */
import { BucketSet } from "../wire/bucket_set.ts";
import type { MembersAnswer, SyncEntry, Update } from "../wire/sync_messages.ts";
import type { Summary } from "../wire/bucket_digest.ts";
import type { Member, MemberId } from "./member.ts";
import type { MemberTable } from "./members.ts";
import { newsVersion, syncEntry } from "./news.ts";
import type { Self } from "./self.ts";

/** What the asker of a sync has to tell once it was answered, and what it still has to hear. */
export type MembersUpdate = Pick<Update, "buckets" | "entries">;

export class MemberSync {
  readonly #self: Self;
  readonly #table: MemberTable;

  constructor(parts: { self: Self; table: MemberTable }) {
    this.#self = parts.self;
    this.#table = parts.table;
  }

  summary(): Summary {
    return this.#table.digest.summary();
  }

  /** What is answered to a host that sums up its members so. */
  answer(theirs: Summary): MembersAnswer {
    switch (this.#table.digest.answerTo(theirs)) {
      case "agreed":
        return { kind: "digests", digests: new Uint8Array() };
      case "digests":
        return { kind: "digests", digests: this.#table.digest.digests() };
      case "everything":
        return { kind: "everything", entries: this.#entries(() => true) };
    }
  }

  /** What follows on an answer whose entries were merged already; null for nothing. */
  update(sender: SyncEntry, answer: MembersAnswer): MembersUpdate | null {
    if (answer.kind === "digests") {
      const buckets = answer.digests.length === 0
        ? BucketSet.NONE
        : this.#table.digest.differing(answer.digests);
      if (buckets.isEmpty) return null;
      return { buckets, entries: this.#entries(({ id }) => buckets.has(id)) };
    }
    const known = versionsOf([sender, ...answer.entries]);
    const entries = this.#entries((member) => isNews(member, known));
    if (entries.length === 0 && !isNews(this.#self.member, known)) return null;
    return { buckets: BucketSet.NONE, entries };
  }

  /** What is answered to an update whose entries were merged already. */
  rest(update: Pick<Update, "sender" | "buckets" | "entries">): SyncEntry[] {
    const known = versionsOf([update.sender, ...update.entries]);
    return this.#entries((member) => update.buckets.has(member.id) && isNews(member, known));
  }

  /** Other members that pass; this host's own entry is in each message anyway. */
  #entries(passes: (member: Member) => boolean): SyncEntry[] {
    return this.#table.list()
      .filter((member) => member.id !== this.#self.id && passes(member))
      .map(syncEntry);
  }
}

function versionsOf(entries: readonly SyncEntry[]): Map<MemberId, number> {
  return new Map(
    entries.map(({ record, status }) => [record.id, newsVersion(record.incarnation, status)]),
  );
}

/** Whether a member as it is known here is news to who has told these versions and knows no others. */
function isNews(member: Member, known: ReadonlyMap<MemberId, number>): boolean {
  const version = known.get(member.id);
  if (version === undefined) return member.status !== "left";
  return newsVersion(member.incarnation, member.status) > version;
}
