/**
 * TCP's and UDP's headers inside a packet: where they end, and what becomes of them when a packet is cut into segments or
 * segments are joined. The kernel leaves both jobs, and the checksum over the payload, to whoever reads its TUN device; we
 * leave the checksum to the receiving kernel, for the outer one covers the packet on its way (docs/adr/0037).
 */
import { halfWord, IPV6_HEADER_BYTES, versionOf } from "./ip_header.ts";

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
 * Writes into `out`, from `first` on and one each `stride` bytes, the headers of segments of a packet that was read in one piece:
 * for `count` segments from the `index`-th on, each with `segment` bytes of the payload, the very last with what is left.
 * Headers are multiples of four bytes, so they are copied by words: of 64 KiB there are 45.
 */
export function writeSegmentHeaders(
  header: TransportHeader,
  packet: DataView,
  offset: number,
  length: number,
  segment: number,
  index: number,
  count: number,
  out: DataView,
  first: number,
  stride: number,
): void {
  const { at, end, isIpv4, isTcp } = header;
  const payload = length - end;
  const whole = end + segment;
  const checksumAt = at + header.checksumOffset;
  // What all of them have in common is written once, into the first.
  for (let byte = 0; byte < end; byte += 4) {
    out.setInt32(first + byte, packet.getInt32(offset + byte));
  }
  setLengths(header, out, first, whole);
  changeSum(out, first + checksumAt, length - at, whole - at);
  const flagsAt = at + 13;
  if (isTcp) {
    out.setUint8(first + flagsAt, out.getUint8(first + flagsAt) & ~(TCP_FIN | TCP_PSH | TCP_CWR));
  }
  const identification = isIpv4 ? packet.getUint16(offset + 4) : 0;
  const sequence = isTcp ? packet.getInt32(offset + at + 4) : 0;
  for (let place = count - 1; place >= 0; place--) {
    const outAt = first + place * stride;
    const from = (index + place) * segment;
    if (place > 0) {
      for (let byte = 0; byte < end; byte += 4) {
        out.setInt32(outAt + byte, out.getInt32(first + byte));
      }
    }
    if (isIpv4) replaceHalfWord(out, outAt + 4, identification + index + place, outAt + 10);
    if (isTcp) out.setInt32(outAt + at + 4, sequence + from);
    if (from + segment >= payload) {
      setLengths(header, out, outAt, end + payload - from);
      changeSum(out, outAt + checksumAt, whole - at, length - from - at);
      if (isTcp) addFlags(packet, offset + at, out, outAt + at, TCP_FIN | TCP_PSH);
    }
    if (isTcp && index + place === 0) addFlags(packet, offset + at, out, outAt + at, TCP_CWR);
  }
}

function addFlags(from: DataView, fromAt: number, to: DataView, toAt: number, which: number): void {
  to.setUint8(toAt + 13, to.getUint8(toAt + 13) | (from.getUint8(fromAt + 13) & which));
}

/**
 * Whether the packet of `length` bytes at `next` goes on where the segments before it end, and differs from the first of them
 * in nothing else: then the kernel can take them as one. Its headers need not have been looked at: what is true of the
 * first, such as who sent it and to whom, is true of it.
 *
 * @param index how many segments are joined already, with `joined` bytes of payload, not more than `segment` each.
 */
export function continues(
  header: TransportHeader,
  packets: DataView,
  first: number,
  next: number,
  length: number,
  index: number,
  joined: number,
  segment: number,
): boolean {
  const { at, end } = header;
  const payload = length - end;
  if (payload <= 0 || payload > segment) return false;
  if (header.isIpv4) {
    // Version, header length, type of service; length; flags; time to live, protocol; addresses, options.
    if (packets.getUint16(next) !== packets.getUint16(first)) return false;
    if (packets.getUint16(next + 2) !== length) return false;
    const flags = packets.getUint16(first + 6);
    if (packets.getUint16(next + 6) !== flags) return false;
    // Where it may be cut up later, the numbers must go on as the kernel would make them.
    const identification = (packets.getUint16(first + 4) + index) & 0xffff;
    if ((flags & 0x4000) === 0 && packets.getUint16(next + 4) !== identification) return false;
    if (packets.getUint16(next + 8) !== packets.getUint16(first + 8)) return false;
    if (!isSameFrom(packets, first, next, 12, at)) return false;
  } else {
    if (packets.getInt32(next) !== packets.getInt32(first)) return false;
    if (packets.getUint16(next + 4) !== length - IPV6_HEADER_BYTES) return false;
    if (packets.getUint16(next + 6) !== packets.getUint16(first + 6)) return false;
    if (!isSameFrom(packets, first, next, 8, at)) return false;
  }
  const [from, to] = [first + at, next + at];
  // Ports.
  if (packets.getInt32(to) !== packets.getInt32(from)) return false;
  if (!header.isTcp) return packets.getUint16(to + 4) === length - at;
  if (packets.getInt32(to + 4) !== ((packets.getInt32(from + 4) + joined) | 0)) return false;
  // Acknowledgement; header length, flags, window; urgent pointer; options.
  if (packets.getInt32(to + 8) !== packets.getInt32(from + 8)) return false;
  const differing = packets.getInt32(to + 12) ^ packets.getInt32(from + 12);
  if ((differing & ~((TCP_FIN | TCP_PSH) << 16)) !== 0) return false;
  if ((packets.getUint8(to + 13) & TCP_CWR) !== 0) return false;
  if (packets.getUint16(to + 18) !== packets.getUint16(from + 18)) return false;
  return isSameFrom(packets, first, next, at + 20, end);
}

/**
 * Whether segments may be joined behind the packet: it has a payload and is as long as UDP says, for what lies about that
 * would be put right by joining, and it is the kernel's to refuse.
 */
export function mayBegin(
  header: TransportHeader,
  packets: DataView,
  offset: number,
  length: number,
): boolean {
  const { at, end, isTcp } = header;
  return length > end && (isTcp || packets.getUint16(offset + at + 4) === length - at);
}

/** Whether nothing may be joined behind a segment: its sender has said all for now. */
export function endsRun(header: TransportHeader, bytes: Uint8Array, offset: number): boolean {
  return header.isTcp &&
    ((bytes[offset + header.at + 13] ?? 0) & (TCP_FIN | TCP_PSH)) !== 0;
}

/** Makes the first segment's header that of all of them. */
export function widenHeader(
  header: TransportHeader,
  packets: DataView,
  first: number,
  last: number,
  firstLength: number,
  length: number,
): void {
  setLengths(header, packets, first, length);
  const checksumAt = first + header.at + header.checksumOffset;
  changeSum(packets, checksumAt, firstLength - header.at, length - header.at);
  if (header.isTcp) addFlags(packets, last + header.at, packets, first + header.at, 0xff);
}

/** The packet's own length, and UDP's. */
function setLengths(header: TransportHeader, view: DataView, offset: number, length: number): void {
  if (header.isIpv4) replaceHalfWord(view, offset + 2, length, offset + 10);
  else view.setUint16(offset + 4, length - IPV6_HEADER_BYTES);
  if (!header.isTcp) view.setUint16(offset + header.at + 4, length - header.at);
}

/** Changes 16 bits and the header's checksum with them (RFC 1624, equation 3). */
function replaceHalfWord(view: DataView, at: number, value: number, checksumAt: number): void {
  const now = value & 0xffff;
  const sum = (~view.getUint16(checksumAt) & 0xffff) + (~view.getUint16(at) & 0xffff) + now;
  view.setUint16(at, now);
  view.setUint16(checksumAt, ~fold(sum));
}

/** The unfinished checksum is the sum over the pseudo-header, of which the transport's length is a part: not inverted yet. */
function changeSum(view: DataView, at: number, before: number, now: number): void {
  view.setUint16(at, fold(view.getUint16(at) + (~before & 0xffff) + (now & 0xffff)));
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

/** By words. */
function isSameFrom(
  view: DataView,
  first: number,
  next: number,
  from: number,
  to: number,
): boolean {
  for (let at = from; at < to; at += 4) {
    if (view.getInt32(first + at) !== view.getInt32(next + at)) return false;
  }
  return true;
}

function putHalfWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = (value >>> 8) & 255;
  bytes[at + 1] = value & 255;
}
