/** Failure detection: ping, indirect ping, acknowledgements, and the ping over a stream. */
import { encode, type WireValue } from "./codec.ts";
import { checkId } from "./member_record.ts";
import { MessageType } from "./message_type.ts";
import { checkArray, checkUint } from "./shape.ts";

/** Sequence numbers are chosen by the asker and only have to differ among its pings under way. */
export const SEQUENCE_MAX = 0xffff_ffff;

/** Are you `target`, and there? Answered by an ack, by another member with nothing. */
export interface Ping {
  readonly kind: "ping";
  readonly sequence: number;
  readonly target: string;
  /** Who asks, so that somebody believed dead can be told so. */
  readonly source: string;
}

/**
 * Ping `target` for me, and send me its ack, or a nack when none came in time. The helper uses the
 * address that it knows itself, so that nobody can make it send to arbitrary ones.
 */
export interface IndirectPing {
  readonly kind: "indirect-ping";
  readonly sequence: number;
  readonly target: string;
}

export interface Ack {
  readonly kind: "ack";
  readonly sequence: number;
}

/** A helper is well and heard nothing from the target. */
export interface Nack {
  readonly kind: "nack";
  readonly sequence: number;
}

/** A ping over a stream, for hosts whose UDP is blocked; says that `source` heard no answer to a datagram. */
export interface Reach {
  readonly kind: "reach";
  readonly sequence: number;
  readonly target: string;
  readonly source: string;
}

export function encodePing(sequence: number, target: string, source: string): Uint8Array {
  return encode([
    MessageType.ping,
    sequence,
    Uint8Array.fromHex(target),
    Uint8Array.fromHex(source),
  ]);
}

export function encodeIndirectPing(sequence: number, target: string): Uint8Array {
  return encode([MessageType.indirectPing, sequence, Uint8Array.fromHex(target)]);
}

export function encodeAck(sequence: number): Uint8Array {
  return encode([MessageType.ack, sequence]);
}

export function encodeNack(sequence: number): Uint8Array {
  return encode([MessageType.nack, sequence]);
}

export function encodeReach(sequence: number, target: string, source: string): Uint8Array {
  return encode([
    MessageType.reach,
    sequence,
    Uint8Array.fromHex(target),
    Uint8Array.fromHex(source),
  ]);
}

export function decodePing(value: WireValue): Ping {
  const fields = checkArray(value, 4, "ping");
  return {
    kind: "ping",
    sequence: checkSequence(fields[1], "ping"),
    target: checkId(fields[2], "ping target"),
    source: checkId(fields[3], "ping source"),
  };
}

export function decodeIndirectPing(value: WireValue): IndirectPing {
  const fields = checkArray(value, 3, "indirect ping");
  return {
    kind: "indirect-ping",
    sequence: checkSequence(fields[1], "indirect ping"),
    target: checkId(fields[2], "indirect ping target"),
  };
}

export function decodeAck(value: WireValue): Ack {
  const fields = checkArray(value, 2, "ack");
  return { kind: "ack", sequence: checkSequence(fields[1], "ack") };
}

export function decodeNack(value: WireValue): Nack {
  const fields = checkArray(value, 2, "nack");
  return { kind: "nack", sequence: checkSequence(fields[1], "nack") };
}

export function decodeReach(value: WireValue): Reach {
  const fields = checkArray(value, 4, "reach");
  return {
    kind: "reach",
    sequence: checkSequence(fields[1], "reach"),
    target: checkId(fields[2], "reach target"),
    source: checkId(fields[3], "reach source"),
  };
}

function checkSequence(value: WireValue | undefined, where: string): number {
  return checkUint(value, SEQUENCE_MAX, `${where} sequence`);
}
