/** News of members that spread by gossip: alive, suspect, dead, left. */
import { encode, type WireValue } from "./codec.ts";
import {
  checkId,
  checkIncarnation,
  INSTANCE_BYTES,
  type MemberRecord,
  RECORD_FIELDS,
  recordFromFields,
  recordToFields,
} from "./member_record.ts";
import { MessageType } from "./message_type.ts";
import { checkArray, checkHex, checkUint } from "./shape.ts";

/** What a member says of itself; the only news that makes an unknown host a member. */
export interface Alive {
  readonly kind: "alive";
  readonly record: MemberRecord;
}

/** `accuser` got no answer from the member. */
export interface Suspect {
  readonly kind: "suspect";
  readonly incarnation: number;
  readonly id: string;
  readonly accuser: string;
}

/** A suspicion that nobody refuted in time. */
export interface Dead {
  readonly kind: "dead";
  readonly incarnation: number;
  readonly id: string;
  readonly accuser: string;
}

/** The member's own goodbye, or that of an operator for it: its instance proves that the speaker knew the member. */
export interface Left {
  readonly kind: "left";
  readonly incarnation: number;
  readonly id: string;
  readonly instance: string;
  /** Not said by the member itself. */
  readonly isForgotten: boolean;
}

export function encodeAlive(record: MemberRecord): Uint8Array {
  return encode([MessageType.alive, ...recordToFields(record)]);
}

export function encodeSuspect(incarnation: number, id: string, accuser: string): Uint8Array {
  return encodeAccusation(MessageType.suspect, incarnation, id, accuser);
}

export function encodeDead(incarnation: number, id: string, accuser: string): Uint8Array {
  return encodeAccusation(MessageType.dead, incarnation, id, accuser);
}

export function encodeLeft(
  incarnation: number,
  id: string,
  instance: string,
  isForgotten = false,
): Uint8Array {
  return encode([
    MessageType.left,
    incarnation,
    Uint8Array.fromHex(id),
    Uint8Array.fromHex(instance),
    isForgotten ? 1 : 0,
  ]);
}

export function decodeAlive(value: WireValue): Alive {
  const fields = checkArray(value, 1 + RECORD_FIELDS, "alive");
  return { kind: "alive", record: recordFromFields(fields, 1, "alive") };
}

export function decodeSuspect(value: WireValue): Suspect {
  return { kind: "suspect", ...decodeAccusation(value, "suspect") };
}

export function decodeDead(value: WireValue): Dead {
  return { kind: "dead", ...decodeAccusation(value, "dead") };
}

export function decodeLeft(value: WireValue): Left {
  const fields = checkArray(value, 5, "left");
  return {
    kind: "left",
    incarnation: checkIncarnation(fields[1], "left"),
    id: checkId(fields[2], "left"),
    instance: checkHex(fields[3], INSTANCE_BYTES, "left instance"),
    isForgotten: checkUint(fields[4], 1, "left forgotten") === 1,
  };
}

function encodeAccusation(
  type: number,
  incarnation: number,
  id: string,
  witness: string,
): Uint8Array {
  return encode([type, incarnation, Uint8Array.fromHex(id), Uint8Array.fromHex(witness)]);
}

function decodeAccusation(
  value: WireValue,
  where: string,
): { incarnation: number; id: string; accuser: string } {
  const fields = checkArray(value, 4, where);
  return {
    incarnation: checkIncarnation(fields[1], where),
    id: checkId(fields[2], where),
    accuser: checkId(fields[3], `${where} accuser`),
  };
}
