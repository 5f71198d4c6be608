/**
 * What the data path reads of an IP packet's header, in place: bytes and an offset in, numbers out, nothing allocated. Only
 * what is looked at is checked; all the rest is the receiving kernel's, which checks it again.
 */
import { DROP } from "./drop_reason.ts";

/** RFC 791 section 3.1: without options. */
export const IPV4_HEADER_BYTES = 20;
/** RFC 8200 section 3. */
export const IPV6_HEADER_BYTES = 40;

/** Four bytes, the most significant first, as an unsigned number. */
export function word(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)) >>> 0;
}

/** Two bytes, the most significant first. */
export function halfWord(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** 4 or 6; anything else is no IP packet. */
export function versionOf(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] ?? 0) >>> 4;
}

/**
 * Whether the header of the packet of `length` bytes at `offset` can be what it says: 0, or the negative
 * {@linkcode DROP} reason. The packet must end where its header says, as one read from a TUN device and one sent by us does.
 */
export function checkHeader(bytes: Uint8Array, offset: number, length: number): number {
  if (length < IPV4_HEADER_BYTES) return -DROP.truncated;
  const version = versionOf(bytes, offset);
  if (version === 4) {
    const headerBytes = ((bytes[offset] ?? 0) & 15) * 4;
    const total = halfWord(bytes, offset + 2);
    if (headerBytes < IPV4_HEADER_BYTES || total < headerBytes) return -DROP.malformed;
    if (total > length) return -DROP.truncated;
    // Nobody forwards what has no time to live (RFC 1812 section 5.3.1): a host that sent it is no router of ours.
    return total < length || bytes[offset + 8] === 0 ? -DROP.malformed : 0;
  }
  if (version !== 6) return -DROP.malformed;
  if (length < IPV6_HEADER_BYTES) return -DROP.truncated;
  const total = IPV6_HEADER_BYTES + halfWord(bytes, offset + 4);
  if (total > length) return -DROP.truncated;
  return total < length || bytes[offset + 7] === 0 ? -DROP.malformed : 0;
}

/** RFC 8200 section 5: what every link takes that carries IPv6. */
export const IPV6_MTU_MIN = 1_280;

/**
 * Whether a packet, or segments of one, of `length` bytes may be cut up on the way: where its IPv4 sender allows it (RFC 791:
 * without DF); and IPv6 that every link must take, for which a tunnel has to care itself (RFC 2473 section 7.2).
 */
export function mayBeCut(bytes: Uint8Array, offset: number, length: number): boolean {
  if (versionOf(bytes, offset) === 6) return length <= IPV6_MTU_MIN;
  return ((bytes[offset + 6] ?? 0) & 0x40) === 0;
}

/** Whether a packet of a checked header goes to many: multicast (RFC 5771, RFC 4291) or the limited broadcast. */
export function isToMany(bytes: Uint8Array, offset: number): boolean {
  if (versionOf(bytes, offset) === 6) return bytes[offset + 24] === 0xff;
  return (bytes[offset + 16] ?? 0) >= 224;
}
