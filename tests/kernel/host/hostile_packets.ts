/**
 * Streams of segments as members send them, with faults of every kind in them, and a slow, plain reading of what joined
 * packets consist of: field by field from the RFCs and from linux/virtio_net.h, with nothing of what is tested.
 */
import { Random } from "../../../mod/base/random.ts";

export const VNET_HEADER_BYTES = 10;
const TCP = 6;
const UDP = 17;
const FIN_PSH = 0x09;
const CWR = 0x80;
const NEEDS_CHECKSUM = 1;
const UNFINISHED = 0x80;

/** Addresses of four bytes or of sixteen. */
export interface Ends {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
}

/** A stream that goes on: each segment follows the one before, as long as nobody changes it. */
export class Flow {
  readonly #isTcp: boolean;
  readonly #ends: Ends;
  readonly #options: Uint8Array;
  readonly #ipOptions: number;
  readonly #fragment: number;
  readonly #ports: number;
  readonly #flags: number;
  readonly segment: number;
  #sequence: number;
  #identification: number;

  constructor(random: Random, ends: Ends) {
    this.#ends = ends;
    this.#isTcp = random.below(3) > 0;
    this.#options = bytesOf(random, this.#isTcp ? 4 * random.below(11) : 0);
    this.#ipOptions = random.below(8) === 0 ? 4 * random.below(11) : 0;
    this.#fragment = random.below(3) > 0 ? 0x4000 : 0;
    this.#ports = random.uint32();
    this.#flags = random.below(8) === 0 ? 0x90 : 0x10;
    this.segment = 1 + random.below(random.below(3) === 0 ? 20 : 400);
    this.#sequence = random.uint32();
    this.#identification = random.below(65_536);
  }

  /** The next packet with so much payload. */
  packet(random: Random, payload = this.segment): Uint8Array {
    const transportBytes = (this.#isTcp ? 20 + this.#options.length : 8) + payload;
    const isIpv4 = this.#ends.source.length === 4;
    const at = isIpv4 ? 20 + this.#ipOptions : 40;
    const bytes = bytesOf(random, at + transportBytes);
    const view = new DataView(bytes.buffer);
    const protocol = this.#isTcp ? TCP : UDP;
    if (isIpv4) {
      bytes.fill(1, 20, at); // no operation
      bytes[0] = 0x40 | (at / 4);
      bytes[1] = 0;
      view.setUint16(2, bytes.length);
      view.setUint16(4, this.#identification);
      view.setUint16(6, this.#fragment);
      bytes.set([64, protocol, 0, 0], 8);
      view.setUint16(10, ipv4Checksum(bytes, at));
    } else {
      view.setUint32(0, 0x6000_0000);
      view.setUint16(4, transportBytes);
      bytes.set([protocol, 64], 6);
    }
    bytes.set(this.#ends.source, isIpv4 ? 12 : 8);
    bytes.set(this.#ends.destination, isIpv4 ? 16 : 24);
    if (isIpv4) view.setUint16(10, ipv4Checksum(bytes, at));
    view.setUint32(at, this.#ports);
    if (this.#isTcp) {
      view.setUint32(at + 4, this.#sequence);
      view.setUint32(at + 8, 7);
      bytes.set([(5 + this.#options.length / 4) << 4, this.#flags, 1, 0], at + 12);
      view.setUint16(at + 18, 0);
      bytes.set(this.#options, at + 20);
    } else view.setUint16(at + 4, transportBytes);
    this.#sequence = (this.#sequence + payload) >>> 0;
    this.#identification = (this.#identification + 1) & 0xffff;
    return bytes;
  }
}

/** One thing is wrong with it, or nothing. The bit that says that its checksum is unfinished is set unless that is the fault. */
export function mutated(random: Random, packet: Uint8Array): Uint8Array {
  const bytes = packet.slice();
  bytes[0] = (bytes[0] ?? 0) | UNFINISHED;
  const header = Math.min(bytes.length, 80);
  switch (random.below(24)) {
    case 0:
    case 1:
      bytes[random.below(header)] = random.below(256);
      return bytes;
    case 2:
      return bytes.subarray(0, random.below(bytes.length + 1));
    case 3:
      return Uint8Array.of(...bytes, ...bytesOf(random, random.below(30)));
    case 4:
      bytes[0] = (bytes[0] ?? 0) & ~UNFINISHED;
      return bytes;
    case 5: {
      // TCP's flags, mostly.
      const at = ((bytes[0] ?? 0) & 0x40) === 0x40 ? 4 * ((bytes[0] ?? 0) & 15) : 40;
      if (at + 13 < bytes.length) bytes[at + 13] = random.below(256);
      return bytes;
    }
    case 6:
      return bytesOf(random, random.below(200));
    default:
      return bytes;
  }
}

/** Whether a packet whose checksum is unfinished is one of TCP or UDP in a single piece. */
export function isTransport(bytes: Uint8Array): boolean {
  const isIpv4 = bytes[0]! >> 4 === 4;
  const at = isIpv4 ? 4 * (bytes[0]! & 15) : 40;
  const protocol = bytes[isIpv4 ? 9 : 6];
  if (isIpv4 && ((bytes[6]! & 0xbf) !== 0 || bytes[7] !== 0)) return false;
  if (protocol === UDP) return at + 8 <= bytes.length;
  if (protocol !== TCP || at + 20 > bytes.length) return false;
  const headerBytes = 4 * (bytes[at + 12]! >> 4);
  return headerBytes >= 20 && at + headerBytes <= bytes.length;
}

/** What a message with its vnet header consists of: one packet, or the segments that the kernel would make of it. */
export function cutUp(message: Uint8Array): Uint8Array[] {
  const header = new DataView(message.buffer, message.byteOffset, VNET_HEADER_BYTES);
  const bytes = message.slice(VNET_HEADER_BYTES);
  const size = header.getUint8(1) === 0 ? 0 : header.getUint16(4, true);
  if (size === 0) return [bytes];
  const at = header.getUint16(6, true);
  const isIpv4 = bytes[0]! >> 4 === 4;
  const isTcp = bytes[isIpv4 ? 9 : 6] === TCP;
  const end = at + (isTcp ? 4 * (bytes[at + 12]! >> 4) : 8);
  const whole = new DataView(bytes.buffer);
  const segments = [];
  for (let from = end; from < bytes.length; from += size) {
    const isFirst = from === end;
    const isLast = from + size >= bytes.length;
    const part = bytes.slice(from, from + size);
    const segment = Uint8Array.of(...bytes.subarray(0, end), ...part);
    const view = new DataView(segment.buffer);
    if (isIpv4) {
      view.setUint16(2, segment.length);
      view.setUint16(4, whole.getUint16(4) + segments.length);
      view.setUint16(10, 0);
      view.setUint16(10, ipv4Checksum(segment, at));
    } else view.setUint16(4, segment.length - 40);
    if (isTcp) {
      view.setUint32(at + 4, whole.getUint32(at + 4) + from - end);
      if (!isLast) segment[at + 13]! &= ~FIN_PSH;
      if (!isFirst) segment[at + 13]! &= ~CWR;
    } else view.setUint16(at + 4, segment.length - at);
    segments.push(segment);
  }
  return segments;
}

/** Without what is the receiving kernel's to finish or says nothing: checksums, and the number of what may not be cut up. */
export function plain(packet: Uint8Array, isUnfinished: boolean): string {
  const bytes = packet.slice();
  const isIpv4 = bytes[0]! >> 4 === 4;
  if (isIpv4) {
    bytes.fill(0, 10, 12);
    if ((bytes[6]! & 0x40) !== 0) bytes.fill(0, 4, 6);
  }
  if (isUnfinished) {
    const at = isIpv4 ? 4 * (bytes[0]! & 15) : 40;
    const sumAt = at + (bytes[isIpv4 ? 9 : 6] === TCP ? 16 : 6);
    bytes.fill(0, sumAt, sumAt + 2);
  }
  return bytes.toHex();
}

/** Whether the message's first header says what its kind of packet needs; the kernel believes nothing else. */
export function isRightHeader(message: Uint8Array): boolean {
  const [flags, kind, , , , , start] = message;
  if (flags === 0) return message.subarray(0, VNET_HEADER_BYTES).every((byte) => byte === 0);
  const bytes = message.subarray(VNET_HEADER_BYTES);
  const isIpv4 = bytes[0]! >> 4 === 4;
  const isTcp = bytes[isIpv4 ? 9 : 6] === TCP;
  const kinds = isTcp ? [0, isIpv4 ? 1 : 4] : [0, 5];
  const isSum = message[8] === (isTcp ? 16 : 6) && start === (isIpv4 ? 4 * (bytes[0]! & 15) : 40);
  return flags === NEEDS_CHECKSUM && kinds.includes(kind!) && isSum;
}

export function bytesOf(random: Random, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, () => random.below(256));
}

function ipv4Checksum(bytes: Uint8Array, headerBytes: number): number {
  let sum = 0;
  for (let at = 0; at < headerBytes; at += 2) {
    if (at !== 10) sum += bytes[at]! * 256 + bytes[at + 1]!;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
