/** Full state exchange over a stream: each side sends all it knows, the asker first. */
import { FRAME_BYTES_MAX, MEMBERS_MAX } from "../base/limits.ts";
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

/** `sync` asks, `synced` answers; both say the same. */
export interface Sync {
  readonly kind: "sync" | "synced";
  readonly sender: SyncEntry;
  /** Every other member that the sender knows. */
  readonly members: readonly SyncEntry[];
  /** What rides on membership, opaque here. */
  readonly rider: Uint8Array;
}

export function encodeSync(sync: Sync): Uint8Array {
  const type = sync.kind === "sync" ? MessageType.sync : MessageType.synced;
  return encode([type, entryToFields(sync.sender), sync.members.map(entryToFields), sync.rider]);
}

export function decodeSync(value: WireValue): Sync {
  const fields = checkArray(value, 4, "sync");
  const members = checkList(fields[2], MEMBERS_MAX, "sync members");
  return {
    kind: fields[0] === MessageType.sync ? "sync" : "synced",
    sender: entryFromFields(fields[1], "sync sender"),
    members: members.map((member) => entryFromFields(member, "sync member")),
    rider: checkBlob(fields[3], FRAME_BYTES_MAX, "sync rider"),
  };
}

function entryToFields(entry: SyncEntry): WireValue {
  const code = entry.isForgotten === true ? FORGOTTEN : STATUSES.indexOf(entry.status);
  return [code, ...recordToFields(entry.record)];
}

function entryFromFields(value: WireValue | undefined, where: string): SyncEntry {
  const fields = checkArray(value, 1 + RECORD_FIELDS, where);
  const code = checkUint(fields[0], FORGOTTEN, `${where} status`);
  const record = recordFromFields(fields, 1, where);
  if (code === FORGOTTEN) return { record, status: "left", isForgotten: true };
  return { record, status: STATUSES[code] ?? "dead" };
}
