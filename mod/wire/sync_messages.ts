/**
 * Syncs over a stream: two hosts compare digests of what they know, then tell each other what differs.
 *
 * Asker          peer
 *   compare  ->           a summary of all that the asker knows
 *            <-  compared nothing more when it is the same; else digests of buckets, or everything
 *   update   ->           the asker's entries of the buckets that differ, or what the peer lacks
 *            <-  updated  the peer's entries of those buckets, as far as they say something else
 */
import { unreachable } from "../base/assert.ts";
import { FRAME_BYTES_MAX, MEMBERS_MAX } from "../base/limits.ts";
import { checkDigests, checkSummary, type Summary } from "./bucket_digest.ts";
import { BucketSet } from "./bucket_set.ts";
import { encode, type WireValue } from "./codec.ts";
import {
  type MemberRecord,
  RECORD_FIELDS,
  recordFromFields,
  recordToFields,
} from "./member_record.ts";
import { MessageType } from "./message_type.ts";
import { checkArray, checkBlob, checkList, checkUint } from "./shape.ts";

/** In the order of their codes on the wire. */
const STATUSES = ["alive", "suspect", "dead", "left"] as const;
/** The code after those: left, but not by its own word. */
const FORGOTTEN = STATUSES.length;

/** A member as its teller sees it. */
export interface SyncEntry {
  readonly record: MemberRecord;
  readonly status: typeof STATUSES[number];
  /** Left, but not by its own word. */
  readonly isForgotten?: boolean;
}

interface SyncMessage {
  readonly sender: SyncEntry;
  /** What rides on membership, opaque here; empty when it has no part in this message. */
  readonly rider: Uint8Array;
}

/** Opens a sync. */
export interface Compare extends SyncMessage {
  readonly kind: "compare";
  readonly members: Summary;
}

/** Answers it; see {@linkcode MembersAnswer}. */
export interface Compared extends SyncMessage {
  readonly kind: "compared";
  readonly members: MembersAnswer;
}

/** Digests of buckets, none when both know the same; or every other member that the sender knows. */
export type MembersAnswer =
  | { readonly kind: "digests"; readonly digests: Uint8Array }
  | { readonly kind: "everything"; readonly entries: readonly SyncEntry[] };

export interface Update extends SyncMessage {
  readonly kind: "update";
  /** Buckets of which the sender wants to know what the receiver has. */
  readonly buckets: BucketSet;
  readonly entries: readonly SyncEntry[];
}

export interface Updated extends SyncMessage {
  readonly kind: "updated";
  readonly entries: readonly SyncEntry[];
}

export type Sync = Compare | Compared | Update | Updated;

export function encodeSync(sync: Sync): Uint8Array {
  const sender = entryToFields(sync.sender);
  switch (sync.kind) {
    case "compare": {
      const { count, digest } = sync.members;
      return encode([MessageType.compare, sender, count, digest, sync.rider]);
    }
    case "compared":
      return encode([MessageType.compared, sender, answerToField(sync.members), sync.rider]);
    case "update": {
      const entries = sync.entries.map(entryToFields);
      return encode([MessageType.update, sender, sync.buckets.bytes, entries, sync.rider]);
    }
    case "updated":
      return encode([MessageType.updated, sender, sync.entries.map(entryToFields), sync.rider]);
    default:
      return unreachable(sync);
  }
}

export function decodeCompare(value: WireValue): Compare {
  const fields = checkArray(value, 5, "compare");
  return {
    kind: "compare",
    sender: entryFromFields(fields[1], "compare sender"),
    members: checkSummary(fields[2], fields[3], MEMBERS_MAX, "compare"),
    rider: checkRider(fields[4], "compare"),
  };
}

export function decodeCompared(value: WireValue): Compared {
  const fields = checkArray(value, 4, "compared");
  return {
    kind: "compared",
    sender: entryFromFields(fields[1], "compared sender"),
    members: fields[2] instanceof Uint8Array
      ? { kind: "digests", digests: checkDigests(fields[2], "compared") }
      : { kind: "everything", entries: entriesFromField(fields[2], "compared") },
    rider: checkRider(fields[3], "compared"),
  };
}

export function decodeUpdate(value: WireValue): Update {
  const fields = checkArray(value, 5, "update");
  return {
    kind: "update",
    sender: entryFromFields(fields[1], "update sender"),
    buckets: BucketSet.check(fields[2], "update"),
    entries: entriesFromField(fields[3], "update"),
    rider: checkRider(fields[4], "update"),
  };
}

export function decodeUpdated(value: WireValue): Updated {
  const fields = checkArray(value, 4, "updated");
  return {
    kind: "updated",
    sender: entryFromFields(fields[1], "updated sender"),
    entries: entriesFromField(fields[2], "updated"),
    rider: checkRider(fields[3], "updated"),
  };
}

function answerToField(answer: MembersAnswer): WireValue {
  return answer.kind === "digests" ? answer.digests : answer.entries.map(entryToFields);
}

function checkRider(value: WireValue | undefined, where: string): Uint8Array {
  return checkBlob(value, FRAME_BYTES_MAX, `${where} rider`);
}

function entryToFields(entry: SyncEntry): WireValue {
  const code = entry.isForgotten === true ? FORGOTTEN : STATUSES.indexOf(entry.status);
  return [code, ...recordToFields(entry.record)];
}

function entriesFromField(value: WireValue | undefined, where: string): SyncEntry[] {
  return checkList(value, MEMBERS_MAX, `${where} members`)
    .map((entry) => entryFromFields(entry, `${where} member`));
}

function entryFromFields(value: WireValue | undefined, where: string): SyncEntry {
  const fields = checkArray(value, 1 + RECORD_FIELDS, where);
  const code = checkUint(fields[0], FORGOTTEN, `${where} status`);
  const record = recordFromFields(fields, 1, where);
  if (code === FORGOTTEN) return { record, status: "left", isForgotten: true };
  return { record, status: STATUSES[code] ?? "dead" };
}
