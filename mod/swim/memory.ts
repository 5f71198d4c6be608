/**
 * The document `members`: who was there and our own incarnation, so that a restarted host finds the
 * cluster without seeds and does not begin below what others know of it.
 */
import { WireError } from "../base/errors.ts";
import { MEMBERS_MAX } from "../base/limits.ts";
import { decode, encode } from "../wire/codec.ts";
import { endpointToBytes } from "../wire/endpoint_bytes.ts";
import {
  checkEndpoint,
  checkId,
  checkIncarnation,
  NAME_LENGTH_MAX,
} from "../wire/member_record.ts";
import { checkArray, checkList, checkText, checkUint } from "../wire/shape.ts";
import type { RememberedMember } from "./reconnector.ts";

/** What the document holds. */
export interface MembersMemory {
  /** The last one written; a new process begins above it. */
  readonly incarnation: number;
  /** The most promising ones first. */
  readonly members: readonly RememberedMember[];
}

const FORMAT = 1;

export function encodeMembers(memory: MembersMemory): Uint8Array {
  const members = memory.members.map(({ id, name, endpoint }) => [
    Uint8Array.fromHex(id),
    name,
    endpointToBytes(endpoint),
  ]);
  return encode([FORMAT, memory.incarnation, members]);
}

/** Throws {@linkcode WireError} when the document is damaged; the caller may go on without it. */
export function decodeMembers(bytes: Uint8Array): MembersMemory {
  const fields = checkArray(decode(bytes), 3, "members document");
  const format = checkUint(fields[0], 255, "members document format");
  if (format !== FORMAT) throw new WireError(`members document: unknown format ${format}`);
  return {
    incarnation: checkIncarnation(fields[1], "members document"),
    members: checkList(fields[2], MEMBERS_MAX, "members document").map((entry) => {
      const [id, name, endpoint] = checkArray(entry, 3, "remembered member");
      return {
        id: checkId(id, "remembered member"),
        name: checkText(name, NAME_LENGTH_MAX, "remembered member name"),
        endpoint: checkEndpoint(endpoint, "remembered member"),
      };
    }),
  };
}
