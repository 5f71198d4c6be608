/** The payload of a datagram: one message after another, each after two bytes of length, big-endian. */
import { WireError } from "../base/errors.ts";

const LENGTH_BYTES = 2;

/** Of a datagram: each part has at least one byte, but a real one has 20 and 64 of them fill a packet. */
const PARTS_MAX = 128;

/** Bytes that a message takes in a datagram beyond its own. */
export const PART_OVERHEAD_BYTES = LENGTH_BYTES;

/** Joins messages; the caller has seen to it that they fit. */
export function joinParts(messages: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const message of messages) length += LENGTH_BYTES + message.length;
  const payload = new Uint8Array(length);
  let offset = 0;
  for (const message of messages) {
    payload[offset] = message.length >> 8;
    payload[offset + 1] = message.length & 255;
    payload.set(message, offset + LENGTH_BYTES);
    offset += LENGTH_BYTES + message.length;
  }
  return payload;
}

/** The messages, aliasing the payload. Throws {@linkcode WireError}, so that a cut packet does nothing at all. */
export function splitParts(payload: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let offset = 0;
  while (offset < payload.length) {
    if (parts.length === PARTS_MAX) throw new WireError(`packet: more than ${PARTS_MAX} messages`);
    const length = (payload[offset] ?? 0) * 256 + (payload[offset + 1] ?? 0);
    const start = offset + LENGTH_BYTES;
    if (length === 0 || start + length > payload.length) {
      throw new WireError(`packet: message ${parts.length + 1} is truncated`);
    }
    parts.push(payload.subarray(start, start + length));
    offset = start + length;
  }
  if (parts.length === 0) throw new WireError("packet: empty");
  return parts;
}
