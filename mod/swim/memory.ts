/**
 * The document `members`: who was there and our own incarnation, so that a restarted host finds the
 * cluster without seeds and does not begin below what others know of it. Checksummed, since a disk may give back something
 * else than was written: a wrong incarnation could be the highest there is, and nothing would ever be above it.
 */
import { WireError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { MEMBERS_MAX } from "../base/limits.ts";
import { decode, encode, type WireValue } from "../wire/codec.ts";
import { endpointToBytes } from "../wire/endpoint_bytes.ts";
import {
  checkEndpoint,
  checkId,
  checkIncarnation,
  NAME_LENGTH_MAX,
} from "../wire/member_record.ts";
import { checkArray, checkBytes, checkList, checkText, checkUint } from "../wire/shape.ts";
import type { RememberedMember } from "./reconnector.ts";

/** What the document holds. */
export interface MembersMemory {
  /** The last one written; a new process begins above it. */
  readonly incarnation: number;
  /** The most promising ones first. */
  readonly members: readonly RememberedMember[];
}

const FORMAT = 2;
/** The same without a checksum, as programs before wrote it. */
const FORMAT_WITHOUT_CHECKSUM = 1;
const FIELDS = 3;
const CHECKSUM_BYTES = 8;

export function encodeMembers(memory: MembersMemory): Uint8Array {
  const members = memory.members.map(({ id, name, endpoint }) => [
    Uint8Array.fromHex(id),
    name,
    endpointToBytes(endpoint),
  ]);
  const fields = [FORMAT, memory.incarnation, members];
  return encode([...fields, checksum(fields)]);
}

/** Throws {@linkcode WireError} when the document is damaged; the caller may go on without it. */
export function decodeMembers(bytes: Uint8Array): MembersMemory {
  const all = checkList(decode(bytes), FIELDS + 1, "members document");
  const format = checkUint(all[0], 255, "members document format");
  if (format === FORMAT) checkSum(all);
  else if (format !== FORMAT_WITHOUT_CHECKSUM) {
    throw new WireError(`members document: unknown format ${format}`);
  } else checkArray(all, FIELDS, "members document");
  return {
    incarnation: checkIncarnation(all[1], "members document"),
    members: checkList(all[2], MEMBERS_MAX, "members document").map((entry) => {
      const [id, name, endpoint] = checkArray(entry, 3, "remembered member");
      return {
        id: checkId(id, "remembered member"),
        name: checkText(name, NAME_LENGTH_MAX, "remembered member name"),
        endpoint: checkEndpoint(endpoint, "remembered member"),
      };
    }),
  };
}

function checkSum(all: readonly WireValue[]): void {
  checkArray(all, FIELDS + 1, "members document");
  const written = checkBytes(all[FIELDS], CHECKSUM_BYTES, "members document checksum");
  if (checksum(all.slice(0, FIELDS)).some((byte, index) => byte !== written[index])) {
    throw new WireError("members document: the checksum does not match, so something changed it");
  }
}

function checksum(fields: readonly WireValue[]): Uint8Array<ArrayBuffer> {
  return sha256(encode(fields)).slice(0, CHECKSUM_BYTES);
}
