/**
 * Addresses between text and bytes, as inet_pton(3) and inet_ntop(3): IPv4 dotted quads, IPv6 in
 * the canonical form of RFC 5952, MAC addresses in lower case. The kernel speaks bytes, everything
 * above ffi speaks canonical strings.
 */

/** Bytes of an IPv4 address. */
export const IPV4_BYTES = 4;
/** Bytes of an IPv6 address. */
export const IPV6_BYTES = 16;
/** Bytes of an Ethernet address (linux/if_ether.h ETH_ALEN). */
export const MAC_BYTES = 6;

const IPV6_GROUPS = 8;
const GROUP_TEXT = /^[0-9a-f]{1,4}$/i;
const PREFIX_LENGTH_TEXT = /^(0|[1-9][0-9]{0,2})$/;
const [ZERO, DOT, COLON, LOWER_A] = [0x30, 0x2e, 0x3a, 0x61] as const;

/** Family of an address in text, by its form alone. */
export function familyOf(address: string): 4 | 6 {
  return address.includes(":") ? 6 : 4;
}

/**
 * Writes the four bytes at `at`; false when the text is no IPv4 address. Thousands of peers are
 * parsed at a time, so this looks at characters, not at substrings, and makes nothing.
 */
function writeIpv4(target: Uint8Array, at: number, text: string): boolean {
  let octet = 0;
  let digits = 0;
  let value = 0;
  for (let index = 0; index <= text.length; index++) {
    const code = index === text.length ? DOT : text.charCodeAt(index);
    if (code === DOT) {
      if (digits === 0 || octet === IPV4_BYTES) return false;
      target[at + octet++] = value;
      digits = value = 0;
      continue;
    }
    const digit = code - ZERO;
    const leadingZero = digits > 0 && value === 0;
    if (digit < 0 || digit > 9 || leadingZero) return false;
    value = 10 * value + digit;
    digits++;
    if (value > 255) return false;
  }
  return octet === IPV4_BYTES;
}

function ipv4ToBytes(text: string): Uint8Array | null {
  const bytes = new Uint8Array(IPV4_BYTES);
  return writeIpv4(bytes, 0, text) ? bytes : null;
}

/** Expands an embedded IPv4 tail ("::ffff:10.0.0.1") to two groups; null when it is malformed. */
function expandIpv4Tail(text: string): string | null {
  const lastColon = text.lastIndexOf(":");
  const tail = text.slice(lastColon + 1);
  if (!tail.includes(".")) return text;
  const octets = ipv4ToBytes(tail);
  if (octets === null) return null;
  const [a = 0, b = 0, c = 0, d = 0] = octets;
  return `${text.slice(0, lastColon + 1)}${(a * 256 + b).toString(16)}:${
    (c * 256 + d).toString(16)
  }`;
}

function groupsOf(text: string): string[] {
  return text === "" ? [] : text.split(":");
}

function ipv6ToBytes(text: string): Uint8Array | null {
  const expanded = expandIpv4Tail(text);
  if (expanded === null) return null;
  const halves = expanded.split("::");
  if (halves.length > 2) return null;
  const head = groupsOf(halves[0] ?? "");
  const tail = groupsOf(halves[1] ?? "");
  const missing = IPV6_GROUPS - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...Array.from({ length: missing }, () => "0"), ...tail];
  const bytes = new Uint8Array(IPV6_BYTES);
  for (const [index, group] of groups.entries()) {
    if (!GROUP_TEXT.test(group)) return null;
    const value = Number.parseInt(group, 16);
    bytes[2 * index] = value >> 8;
    bytes[2 * index + 1] = value & 0xff;
  }
  return bytes;
}

/** Network-order bytes of an IPv4 or IPv6 address. Throws on anything else. */
export function addressToBytes(address: string): Uint8Array {
  const bytes = familyOf(address) === 4 ? ipv4ToBytes(address) : ipv6ToBytes(address);
  if (bytes === null) throw new Error(`Not an IP address: ${JSON.stringify(address)}`);
  return bytes;
}

/** Writes the 4 or 16 network-order bytes of an address at `at`. Throws on anything else. */
export function writeAddress(target: Uint8Array, at: number, address: string): void {
  if (familyOf(address) === 6) target.set(addressToBytes(address), at);
  else if (!writeIpv4(target, at, address)) {
    throw new Error(`Not an IP address: ${JSON.stringify(address)}`);
  }
}

/** Start and length of the first longest run of at least two zero groups (RFC 5952 §4.2). */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: -1, length: 1 };
  let start = -1;
  for (let index = 0; index <= groups.length; index++) {
    if (groups[index] === 0) {
      if (start < 0) start = index;
    } else if (start >= 0) {
      if (index - start > best.length) best = { start, length: index - start };
      start = -1;
    }
  }
  return best;
}

function bytesToIpv6(bytes: Uint8Array): string {
  const groups: number[] = [];
  for (let index = 0; index < IPV6_BYTES; index += 2) {
    groups.push(((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0));
  }
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  // RFC 5952 §5: the IPv4-mapped prefix is the one whose tail reads better as a dotted quad.
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${bytes.subarray(12).join(".")}`;
  }
  const zeros = longestZeroRun(groups);
  if (zeros.start < 0) return text(groups);
  return `${text(groups.slice(0, zeros.start))}::${text(groups.slice(zeros.start + zeros.length))}`;
}

/** Canonical text of 4 or 16 network-order bytes; null for any other length. */
export function bytesToAddress(bytes: Uint8Array): string | null {
  if (bytes.length === IPV4_BYTES) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
  return bytes.length === IPV6_BYTES ? bytesToIpv6(bytes) : null;
}

/** Value of a hexadecimal digit; -1 for any other character. */
function hexDigit(code: number): number {
  const digit = code - ZERO;
  if (digit >= 0 && digit <= 9) return digit;
  const letter = (code | 0x20) - LOWER_A;
  return letter >= 0 && letter <= 5 ? letter + 10 : -1;
}

/** Writes the six bytes of "aa:bb:cc:dd:ee:ff" at `at`. Throws on anything else. */
export function writeMac(target: Uint8Array, at: number, mac: string): void {
  let valid = mac.length === 3 * MAC_BYTES - 1;
  for (let index = 0; valid && index < MAC_BYTES; index++) {
    const high = hexDigit(mac.charCodeAt(3 * index));
    const low = hexDigit(mac.charCodeAt(3 * index + 1));
    const separated = index === 0 || mac.charCodeAt(3 * index - 1) === COLON;
    valid = high >= 0 && low >= 0 && separated;
    target[at + index] = 16 * high + low;
  }
  if (!valid) throw new Error(`Not a MAC address: ${JSON.stringify(mac)}`);
}

/** Six bytes of "aa:bb:cc:dd:ee:ff". Throws on anything else. */
export function macToBytes(mac: string): Uint8Array {
  const bytes = new Uint8Array(MAC_BYTES);
  writeMac(bytes, 0, mac);
  return bytes;
}

const HEX_OCTETS = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, "0"));

/**
 * "aa:bb:cc:dd:ee:ff" of six bytes, all or those from `start` to `end`; link addresses of other
 * lengths print the same way.
 */
export function bytesToMac(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = "";
  for (let index = start; index < end; index++) {
    text += (index === start ? "" : ":") + HEX_OCTETS[bytes[index] ?? 0];
  }
  return text;
}

/** An address and its prefix length, such as "10.244.7.0/24". */
export interface Prefix {
  readonly family: 4 | 6;
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** Parses "10.244.7.0/24"; an address alone is its own /32 or /128. Throws on anything else. */
export function parsePrefix(cidr: string): Prefix {
  const slash = cidr.indexOf("/");
  const address = slash < 0 ? cidr : cidr.slice(0, slash);
  const bytes = addressToBytes(address);
  const longest = bytes.length * 8;
  const lengthText = slash < 0 ? String(longest) : cidr.slice(slash + 1);
  const length = PREFIX_LENGTH_TEXT.test(lengthText) ? Number(lengthText) : longest + 1;
  if (length > longest) {
    throw new Error(`Not a network: ${JSON.stringify(cidr)} (prefix length is 0 to ${longest})`);
  }
  return { family: familyOf(address), bytes, length };
}
