/**
 * What is said to whoever sent a packet that goes nowhere: destination unreachable and packet too big (RFC 792, RFC 1191,
 * RFC 4443). Written into the TUN device, so that the kernel takes them for what a router in the overlay said.
 *
 * Their source is the address that the packet was for: from one of its own addresses the kernel takes no packet that comes
 * in (fib_validate_source in net/ipv4/fib_frontend.c), and that one is sure to have its way through the device. As RFC 1122
 * section 3.2.2 and RFC 4443 section 2.4 ask, nothing is said of errors, of what went to many, of later fragments, and not
 * often.
 */
import {
  halfWord,
  IPV4_HEADER_BYTES,
  IPV6_HEADER_BYTES,
  IPV6_MTU_MIN,
  isToMany,
  mayBeCut,
  versionOf,
} from "./ip_header.ts";

const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const ICMP_HEADER_BYTES = 8;
/** RFC 1812 section 4.3.2.3: no longer than this, and as much of the packet as goes in. */
const IPV4_ANSWER_BYTES_MAX = 576;
/** RFC 4443 section 2.4 (c): within IPv6's smallest MTU. */
const IPV6_ANSWER_BYTES_MAX = 1280;
const ANSWER_TTL = 64;

/** Type and code: RFC 792 and RFC 1191; RFC 4443 sections 3.1 and 3.2. */
const HOST_UNREACHABLE = [3, 1] as const;
const FRAGMENTATION_NEEDED = [3, 4] as const;
const ADDRESS_UNREACHABLE = [1, 3] as const;
const PACKET_TOO_BIG = [2, 0] as const;

/** Queries and their answers, of which errors may be reported: all other types of ICMP may be errors (RFC 1122). */
const ICMP_QUERIES: ReadonlySet<number> = new Set([0, 8, 13, 14, 15, 16, 17, 18]);
/** From here on ICMPv6 types are no errors (RFC 4443 section 2.1). */
const ICMPV6_INFORMATION = 128;

/** As Linux: 1,000 a second for all, 50 at once (icmp_msgs_per_sec, icmp_msgs_burst). */
const ANSWERS_PER_SECOND = 1_000;
const ANSWERS_AT_ONCE = 50;

class Allowance {
  #left = ANSWERS_AT_ONCE;
  #countedMs = -Infinity;

  /** Whether one more may be said. */
  take(nowMs: number): boolean {
    const earned = Math.max(0, nowMs - this.#countedMs) * (ANSWERS_PER_SECOND / 1000);
    this.#left = Math.min(ANSWERS_AT_ONCE, this.#left + earned);
    this.#countedMs = Math.max(this.#countedMs, nowMs);
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}

export class IcmpAnswers {
  readonly #unreachable = new Allowance();
  /** One of its own: who scans for hosts must not keep others from learning the path's MTU, without which they hang. */
  readonly #tooBig = new Allowance();
  /** An answer is written at once, so that one buffer does for all. */
  readonly #bytes = new Uint8Array(new ArrayBuffer(IPV6_ANSWER_BYTES_MAX));

  /** That nobody is where the packet of a checked header was to go; null when nothing may be said. */
  unreachable(
    bytes: Uint8Array,
    offset: number,
    length: number,
    nowMs: number,
  ): Uint8Array | null {
    const isIpv4 = versionOf(bytes, offset) === 4;
    return this.#answer(
      this.#unreachable,
      isIpv4 ? HOST_UNREACHABLE : ADDRESS_UNREACHABLE,
      0,
      bytes,
      offset,
      length,
      nowMs,
    );
  }

  /**
   * That a packet is longer than the way takes, in bytes; null when nothing may be said, as of IPv4 packets that may be cut
   * up. IPv6 senders are told of no less than 1,280 bytes.
   */
  tooBig(
    bytes: Uint8Array,
    offset: number,
    length: number,
    mtu: number,
    nowMs: number,
  ): Uint8Array | null {
    if (mayBeCut(bytes, offset, length)) return null;
    const isIpv4 = versionOf(bytes, offset) === 4;
    const kind = isIpv4 ? FRAGMENTATION_NEEDED : PACKET_TOO_BIG;
    const told = isIpv4 ? mtu : Math.max(mtu, IPV6_MTU_MIN);
    return this.#answer(this.#tooBig, kind, told, bytes, offset, length, nowMs);
  }

  #answer(
    allowance: Allowance,
    [type, code]: readonly [number, number],
    rest: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    nowMs: number,
  ): Uint8Array | null {
    if (!mayBeAnswered(bytes, offset, length) || !allowance.take(nowMs)) return null;
    const isIpv4 = versionOf(bytes, offset) === 4;
    const headerBytes = isIpv4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
    const room = (isIpv4 ? IPV4_ANSWER_BYTES_MAX : IPV6_ANSWER_BYTES_MAX) - headerBytes -
      ICMP_HEADER_BYTES;
    const quoted = Math.min(length, room);
    const total = headerBytes + ICMP_HEADER_BYTES + quoted;
    const answer = this.#bytes.subarray(0, total);
    answer.fill(0, 0, headerBytes + ICMP_HEADER_BYTES);
    answer.set(bytes.subarray(offset, offset + quoted), headerBytes + ICMP_HEADER_BYTES);
    answer[headerBytes] = type;
    answer[headerBytes + 1] = code;
    // RFC 1191 has the MTU in the last 16 of these bits, RFC 4443 in all 32: the same, since none is larger.
    putHalfWord(answer, headerBytes + 6, rest);
    if (isIpv4) finishIpv4(answer, bytes, offset);
    else finishIpv6(answer, bytes, offset);
    return answer;
  }
}

function mayBeAnswered(bytes: Uint8Array, offset: number, length: number): boolean {
  if (isToMany(bytes, offset)) return false;
  if (versionOf(bytes, offset) === 6) return mayIpv6BeAnswered(bytes, offset, length);
  const first = bytes[offset + 12] ?? 0;
  if (first === 0 || first === 127 || first >= 224) return false; // nobody alone is behind such a source
  if ((halfWord(bytes, offset + 6) & 0x1fff) !== 0) return false; // a later fragment
  if (bytes[offset + 9] !== IPPROTO_ICMP) return true;
  const headerBytes = ((bytes[offset] ?? 0) & 15) * 4;
  return headerBytes < length && ICMP_QUERIES.has(bytes[offset + headerBytes] ?? 3);
}

/** Hop-by-hop, routing and destination options: eight bytes and what their second byte says (RFC 8200 section 4). */
const OPTION_HEADERS: ReadonlySet<number> = new Set([0, 43, 60]);
const FRAGMENT_HEADER = 44;

function mayIpv6BeAnswered(bytes: Uint8Array, offset: number, length: number): boolean {
  // Multicast, and the unspecified and the loopback address, which begin with zeros as no host's address does.
  if (bytes[offset + 8] === 0xff || halfWord(bytes, offset + 8) === 0) return false;
  let next = bytes[offset + 6] ?? 0;
  let at = IPV6_HEADER_BYTES;
  while (at + 8 <= length) {
    if (next === IPPROTO_ICMPV6) return (bytes[offset + at] ?? 0) >= ICMPV6_INFORMATION;
    if (next === FRAGMENT_HEADER) {
      if ((halfWord(bytes, offset + at + 2) & 0xfff8) !== 0) return false; // a later fragment
      next = bytes[offset + at] ?? 0;
      at += 8;
    } else if (OPTION_HEADERS.has(next)) {
      next = bytes[offset + at] ?? 0;
      at += 8 * (1 + (bytes[offset + at + 1] ?? 0));
    } else return true;
  }
  // What its headers end in cannot be seen: it may be an error.
  return next !== IPPROTO_ICMPV6 && next !== FRAGMENT_HEADER && !OPTION_HEADERS.has(next);
}

function finishIpv4(answer: Uint8Array, bytes: Uint8Array, offset: number): void {
  answer[0] = 0x45;
  answer[1] = 0xc0; // internetwork control, as RFC 1812 section 4.3.2.5 has it
  putHalfWord(answer, 2, answer.length);
  answer[8] = ANSWER_TTL;
  answer[9] = IPPROTO_ICMP;
  answer.set(bytes.subarray(offset + 16, offset + 20), 12);
  answer.set(bytes.subarray(offset + 12, offset + 16), 16);
  putHalfWord(answer, 10, checksum(answer, 0, IPV4_HEADER_BYTES, 0));
  putHalfWord(
    answer,
    IPV4_HEADER_BYTES + 2,
    checksum(answer, IPV4_HEADER_BYTES, answer.length, 0),
  );
}

function finishIpv6(answer: Uint8Array, bytes: Uint8Array, offset: number): void {
  const payload = answer.length - IPV6_HEADER_BYTES;
  answer[0] = 0x60;
  putHalfWord(answer, 4, payload);
  answer[6] = IPPROTO_ICMPV6;
  answer[7] = ANSWER_TTL;
  answer.set(bytes.subarray(offset + 24, offset + 40), 8);
  answer.set(bytes.subarray(offset + 8, offset + 24), 24);
  // The pseudo-header of RFC 8200 section 8.1: both addresses, the length, the protocol.
  const addresses = sum(answer, 8, IPV6_HEADER_BYTES, payload + IPPROTO_ICMPV6);
  putHalfWord(
    answer,
    IPV6_HEADER_BYTES + 2,
    checksum(answer, IPV6_HEADER_BYTES, answer.length, addresses),
  );
}

function putHalfWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value & 255;
}

/** The Internet checksum (RFC 1071) of some bytes, going on from a sum. */
function checksum(bytes: Uint8Array, from: number, to: number, before: number): number {
  let folded = sum(bytes, from, to, before);
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  return ~folded & 0xffff;
}

/** At most 640 times 2^16: no overflow. */
function sum(bytes: Uint8Array, from: number, to: number, before: number): number {
  let total = before;
  for (let at = from; at < to; at += 2) {
    total += ((bytes[at] ?? 0) << 8) | (at + 1 < to ? bytes[at + 1] ?? 0 : 0);
  }
  return total;
}
