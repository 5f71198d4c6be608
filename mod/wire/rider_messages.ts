/** What rides on membership: gossiped items and letters, whose bytes mean nothing here. */
import { PACKET_BYTES_MAX } from "../base/limits.ts";
import { encode, type WireValue } from "./codec.ts";
import { MessageType } from "./message_type.ts";
import { checkArray, checkBlob } from "./shape.ts";

/** Passed on by whoever holds it. */
export interface RiderItem {
  readonly kind: "rider-item";
  readonly bytes: Uint8Array;
}

/** From its sender to one host. */
export interface RiderLetter {
  readonly kind: "rider-letter";
  readonly bytes: Uint8Array;
}

/** Bytes around those of the rider: array, type, and a byte string's head of up to three. */
export const RIDER_OVERHEAD_BYTES = 1 + 1 + 3;

export function encodeRiderItem(bytes: Uint8Array): Uint8Array {
  return encode([MessageType.riderItem, bytes]);
}

export function encodeRiderLetter(bytes: Uint8Array): Uint8Array {
  return encode([MessageType.riderLetter, bytes]);
}

export function decodeRiderItem(value: WireValue): RiderItem {
  const fields = checkArray(value, 2, "rider item");
  return { kind: "rider-item", bytes: checkBlob(fields[1], PACKET_BYTES_MAX, "rider item") };
}

export function decodeRiderLetter(value: WireValue): RiderLetter {
  const fields = checkArray(value, 2, "rider letter");
  return { kind: "rider-letter", bytes: checkBlob(fields[1], PACKET_BYTES_MAX, "rider letter") };
}
