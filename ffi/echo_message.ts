/** The messages of ICMP echo: RFC 792, RFC 4443 §4. */
import { pinnedBytes, viewOf } from "./bytes.ts";

export const IPPROTO_ICMP = 1;
export const IPPROTO_ICMPV6 = 58;

/** Message types of echo by family. */
export const ECHO = {
  4: { request: 8, reply: 0 },
  6: { request: 128, reply: 129 },
} as const;

/** Type, code, checksum, identifier, sequence number. */
const ICMP_HEADER_BYTES = 8;

/** An answer to one of our echo requests. */
export interface EchoReply {
  readonly sequence: number;
  readonly from: string;
  readonly payloadBytes: number;
}

/** Internet checksum (RFC 1071) of `bytes`. */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < bytes.length; index += 2) {
    sum += ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** An echo request with a payload of `payloadBytes` counting bytes. */
export function encodeEcho(
  family: 4 | 6,
  identifier: number,
  sequence: number,
  payloadBytes: number,
): Uint8Array<ArrayBuffer> {
  const packet = pinnedBytes(ICMP_HEADER_BYTES + payloadBytes);
  const view = viewOf(packet);
  view.setUint8(0, ECHO[family].request);
  view.setUint16(4, identifier, false);
  view.setUint16(6, sequence, false);
  for (let index = 0; index < payloadBytes; index++) packet[ICMP_HEADER_BYTES + index] = index;
  // The kernel computes ICMPv6 checksums itself, because they cover the pseudo header.
  if (family === 4) view.setUint16(2, internetChecksum(packet), false);
  return packet;
}

/** Sequence number and payload size of an echo reply to `identifier`; null for anything else. */
export function decodeEcho(
  family: 4 | 6,
  packet: Uint8Array,
  identifier: number,
): { sequence: number; payloadBytes: number } | null {
  const start = family === 4 ? 4 * ((packet[0] ?? 0) & 0x0f) : 0;
  if (packet.length < start + ICMP_HEADER_BYTES) return null;
  const view = viewOf(packet.subarray(start));
  if (view.getUint8(0) !== ECHO[family].reply) return null;
  if (view.getUint16(4, false) !== identifier) return null;
  return {
    sequence: view.getUint16(6, false),
    payloadBytes: packet.length - start - ICMP_HEADER_BYTES,
  };
}
