/** A member: a host as gossip sees it. Who a host is, where it is, and what is believed of it. */
import type { Endpoint } from "../base/core.ts";
import type { MemberRecord } from "../wire/member_record.ts";

/** 32 lower-case hexadecimal digits, drawn at random on a host's first start and kept on its disk. */
export type MemberId = string;

/** `suspect` members still count as reachable; `left` means announced by the member itself. */
export type MemberStatus = "alive" | "suspect" | "dead" | "left";

export interface Member extends MemberRecord {
  readonly id: MemberId;
  /** Unique in the cluster by intent; conflicts are reported, identity is the id. 1 to 63 characters. */
  readonly name: string;
  readonly endpoint: Endpoint;
  /** Raised only by the member itself, to refute what others say of it; whole, below 2^53. */
  readonly incarnation: number;
  /** 16 hexadecimal digits, drawn at each start: tells a restart, or a clone, from the process known before. */
  readonly instance: string;
  readonly status: MemberStatus;
  /** Of the software, `0.1.0`. */
  readonly version: string;
  /** When the present status was first seen, on the core's own clock. */
  readonly statusSinceMs: number;
  /** Left, but not by its own word: somebody had it forgotten. */
  readonly isForgotten?: boolean;
}

/** What happened to a member. */
export type MemberEvent =
  | { readonly kind: "member-joined"; readonly member: Member }
  | { readonly kind: "member-suspected"; readonly member: Member }
  /** Suspect or dead, and now alive again. */
  | { readonly kind: "member-recovered"; readonly member: Member }
  | { readonly kind: "member-failed"; readonly member: Member }
  | { readonly kind: "member-left"; readonly member: Member }
  /** Address, name, version, protocols or features changed. */
  | { readonly kind: "member-updated"; readonly member: Member; readonly previous: Member };

/** Whether the member says something else of itself than before. */
export function isUpdate(member: Member, previous: Member): boolean {
  return member.endpoint !== previous.endpoint || member.name !== previous.name ||
    member.version !== previous.version || member.features !== previous.features ||
    member.protocolMin !== previous.protocolMin || member.protocolMax !== previous.protocolMax;
}
