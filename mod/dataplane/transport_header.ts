/**
 * TCP's and UDP's headers inside a packet: where they end, and what becomes of them when a packet is cut into segments or
 * segments are joined. The kernel leaves both jobs, and the checksum over the payload, to whoever reads its TUN device; we
 * leave the checksum to the receiving kernel, for the outer one covers the packet on its way (docs/adr/0037).
 */
import { halfWord, IPV6_HEADER_BYTES, versionOf, word } from "./ip_header.ts";

export const TCP = 6;
export const UDP = 17;
const TCP_HEADER_BYTES = 20;
const UDP_HEADER_BYTES = 8;
/** Of the checksum in its header (RFC 9293, RFC 768). */
const TCP_CHECKSUM = 16;
const UDP_CHECKSUM = 6;
const TCP_FIN = 0x01;
const TCP_PSH = 0x08;
const TCP_CWR = 0x80;

/** A cursor that is moved from packet to packet: nothing is made for each. */
export class TransportHeader {
  /** Of the transport header, from the packet's beginning. */
  at = 0;
  /** Where the payload begins. */
  end = 0;
  isTcp = false;
  isIpv4 = false;

  /**
   * Looks at the packet of a checked IP header. False when its transport is neither TCP nor UDP right behind that, when it is
   * a fragment or when it is cut short.
   */
  read(bytes: Uint8Array, offset: number, length: number): boolean {
    this.isIpv4 = versionOf(bytes, offset) === 4;
    // A fragment, but for its flag "do not".
    if (this.isIpv4 && (halfWord(bytes, offset + 6) & 0xbfff) !== 0) return false;
    const protocol = bytes[offset + (this.isIpv4 ? 9 : 6)];
    this.at = this.isIpv4 ? ((bytes[offset] ?? 0) & 15) * 4 : IPV6_HEADER_BYTES;
    this.isTcp = protocol === TCP;
    if (this.isTcp) {
      const headerBytes = ((bytes[offset + this.at + 12] ?? 0) >>> 4) * 4;
      this.end = this.at + headerBytes;
      return headerBytes >= TCP_HEADER_BYTES && this.end <= length;
    }
    this.end = this.at + UDP_HEADER_BYTES;
    return protocol === UDP && this.end <= length;
  }

  /** Of the checksum, from the transport header. */
  get checksumOffset(): number {
    return this.isTcp ? TCP_CHECKSUM : UDP_CHECKSUM;
  }
}

/**
 * Writes into `out` the headers of one segment of a packet that was read from the device in one piece.
 *
 * @param payloadAt of the segment's payload in the whole one, in bytes.
 * @param payloadBytes of the segment.
 */
export function writeSegmentHeader(
  header: TransportHeader,
  bytes: Uint8Array,
  offset: number,
  length: number,
  out: Uint8Array,
  outAt: number,
  index: number,
  payloadAt: number,
  payloadBytes: number,
): void {
  const { at, end } = header;
  for (let copied = 0; copied < end; copied++) out[outAt + copied] = bytes[offset + copied] ?? 0;
  const transportBytes = end - at + payloadBytes;
  setLengths(header, out, outAt, end + payloadBytes);
  if (header.isIpv4) {
    replaceHalfWord(out, outAt + 4, halfWord(bytes, offset + 4) + index, outAt + 10);
  }
  const checksumAt = outAt + at + header.checksumOffset;
  changeSum(out, checksumAt, length - at, transportBytes);
  if (!header.isTcp) return;
  putWord(out, outAt + at + 4, word(bytes, offset + at + 4) + payloadAt);
  const isLast = payloadAt + payloadBytes === length - end;
  const flags = bytes[offset + at + 13] ?? 0;
  out[outAt + at + 13] = flags & (index === 0 ? 0xff : ~TCP_CWR) &
    (isLast ? 0xff : ~(TCP_FIN | TCP_PSH));
}

/**
 * Whether the packet at `next` goes on where the segments before it end, and differs from the first of them in nothing else:
 * then the kernel can take them as one. Both headers are of the same size.
 *
 * @param joined payload that is joined already, in bytes.
 */
export function continues(
  header: TransportHeader,
  bytes: Uint8Array,
  first: number,
  next: number,
  index: number,
  joined: number,
): boolean {
  const { at, end } = header;
  if (header.isIpv4) {
    // Version, header length, type of service; flags; time to live, protocol.
    if (halfWord(bytes, first) !== halfWord(bytes, next)) return false;
    if (halfWord(bytes, first + 6) !== halfWord(bytes, next + 6)) return false;
    if (halfWord(bytes, first + 8) !== halfWord(bytes, next + 8)) return false;
    // Where it may be cut up later, the numbers must go on as the kernel would make them.
    const mayBeCut = ((bytes[first + 6] ?? 0) & 0x40) === 0;
    const identification = (halfWord(bytes, first + 4) + index) & 0xffff;
    if (mayBeCut && halfWord(bytes, next + 4) !== identification) return false;
    if (!isSameFrom(bytes, first, next, 12, at)) return false;
  } else {
    if (word(bytes, first) !== word(bytes, next)) return false;
    if (!isSameFrom(bytes, first, next, 6, at)) return false;
  }
  // Ports.
  if (word(bytes, first + at) !== word(bytes, next + at)) return false;
  if (!header.isTcp) return true;
  if (((word(bytes, first + at + 4) + joined) >>> 0) !== word(bytes, next + at + 4)) return false;
  // Acknowledgement, header length; window; urgent pointer and options.
  if (word(bytes, first + at + 8) !== word(bytes, next + at + 8)) return false;
  if (bytes[first + at + 12] !== bytes[next + at + 12]) return false;
  const before = (bytes[first + at + 13] ?? 0) & ~(TCP_FIN | TCP_PSH);
  const now = (bytes[next + at + 13] ?? 0) & ~(TCP_FIN | TCP_PSH);
  if (before !== now || (now & TCP_CWR) !== 0) return false;
  if (halfWord(bytes, first + at + 14) !== halfWord(bytes, next + at + 14)) return false;
  return isSameFrom(bytes, first, next, at + 18, end);
}

/** Whether nothing may be joined behind a segment: its sender has said all for now. */
export function endsRun(header: TransportHeader, bytes: Uint8Array, offset: number): boolean {
  return header.isTcp &&
    ((bytes[offset + header.at + 13] ?? 0) & (TCP_FIN | TCP_PSH)) !== 0;
}

/** Makes the first segment's header that of all of them. */
export function widenHeader(
  header: TransportHeader,
  bytes: Uint8Array,
  first: number,
  last: number,
  firstLength: number,
  length: number,
): void {
  setLengths(header, bytes, first, length);
  const checksumAt = first + header.at + header.checksumOffset;
  changeSum(bytes, checksumAt, firstLength - header.at, length - header.at);
  if (!header.isTcp) return;
  const flagsAt = header.at + 13;
  bytes[first + flagsAt] = (bytes[first + flagsAt] ?? 0) | (bytes[last + flagsAt] ?? 0);
}

/** The packet's own length, and UDP's. */
function setLengths(
  header: TransportHeader,
  bytes: Uint8Array,
  offset: number,
  length: number,
): void {
  if (header.isIpv4) replaceHalfWord(bytes, offset + 2, length, offset + 10);
  else putHalfWord(bytes, offset + 4, length - IPV6_HEADER_BYTES);
  if (!header.isTcp) putHalfWord(bytes, offset + header.at + 4, length - header.at);
}

/** Changes 16 bits and the header's checksum with them (RFC 1624, equation 3). */
function replaceHalfWord(bytes: Uint8Array, at: number, value: number, checksumAt: number): void {
  const now = value & 0xffff;
  const sum = (~halfWord(bytes, checksumAt) & 0xffff) + (~halfWord(bytes, at) & 0xffff) + now;
  putHalfWord(bytes, at, now);
  putHalfWord(bytes, checksumAt, ~fold(sum));
}

/** The unfinished checksum is the sum over the pseudo-header, of which the transport's length is a part: not inverted yet. */
function changeSum(bytes: Uint8Array, at: number, before: number, now: number): void {
  putHalfWord(bytes, at, fold(halfWord(bytes, at) + (~before & 0xffff) + (now & 0xffff)));
}

function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

/**
 * Finishes a checksum over everything from `start` on, as the kernel left it: for what TransportHeader does not know. It
 * stands `checksumOffset` behind that.
 */
export function finishChecksum(
  bytes: Uint8Array,
  offset: number,
  length: number,
  start: number,
  checksumOffset: number,
): void {
  let sum = 0;
  for (let at = start; at < length; at += 2) {
    sum += at + 1 < length ? halfWord(bytes, offset + at) : (bytes[offset + at] ?? 0) << 8;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  const checksum = ~sum & 0xffff;
  // In UDP 0 means that there is none (RFC 768).
  putHalfWord(bytes, offset + start + checksumOffset, checksum === 0 ? 0xffff : checksum);
}

function isSameFrom(
  bytes: Uint8Array,
  first: number,
  next: number,
  from: number,
  to: number,
): boolean {
  for (let at = from; at < to; at++) if (bytes[first + at] !== bytes[next + at]) return false;
  return true;
}

function putHalfWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = (value >>> 8) & 255;
  bytes[at + 1] = value & 255;
}

function putWord(bytes: Uint8Array, at: number, value: number): void {
  putHalfWord(bytes, at, value >>> 16);
  putHalfWord(bytes, at + 2, value);
}
