/** Members as messages: what is gossiped of them, under which key and version. */
import { encodeAlive, encodeDead, encodeLeft, encodeSuspect } from "../wire/news_messages.ts";
import type { SyncEntry } from "../wire/sync_messages.ts";
import type { Member, MemberId, MemberStatus } from "./member.ts";

/** At equal incarnation the higher rank is believed. */
const RANK: Readonly<Record<MemberStatus, number>> = { alive: 0, suspect: 1, dead: 2, left: 3 };
const RANKS = 4;

/** News of one member share a key, so that later ones push out earlier ones. */
export function newsKey(id: MemberId): string {
  return `member ${id}`;
}

/** Orders news of one member: by incarnation, then by rank. Below 2^52, as incarnations are below 2^50. */
export function newsVersion(incarnation: number, status: MemberStatus): number {
  return incarnation * RANKS + RANK[status];
}

/** What `witness` has to say of a member. */
export function encodeNews(member: Member, witness: MemberId): Uint8Array {
  switch (member.status) {
    case "alive":
      return encodeAlive(member);
    case "suspect":
      return encodeSuspect(member.incarnation, member.id, witness);
    case "dead":
      return encodeDead(member.incarnation, member.id, witness);
    case "left":
      return encodeLeft(member.incarnation, member.id, member.instance, member.isForgotten);
  }
}

/** The member as an entry of a full sync. */
export function syncEntry(member: Member): SyncEntry {
  const { status, isForgotten } = member;
  return isForgotten === true
    ? { record: member, status, isForgotten }
    : { record: member, status };
}
