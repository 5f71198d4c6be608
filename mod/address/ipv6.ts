/**
 * IPv6 addresses and networks: an address is a whole number of 128 bits. Text is canonical by RFC 5952 wherever we write
 * it, and as strict when we read as for IPv4: no zone, no embedded IPv4 address, no host bits where a network is meant.
 */
import { quoteStart } from "../base/quote.ts";
import { AddressError, parseAddress } from "./parse.ts";

/** Bits of an IPv6 address. */
export const IPV6_BITS = 128;

const GROUPS = 8;
const GROUP_DIGITS_MAX = 4;
/** The code of `:`. */
const COLON = 58;
const LENGTH = /^(0|[1-9]\d{0,2})$/;
const QUOTED_CHARACTERS_MAX = 60;

/** An IPv6 network. `address` has no host bits set; `length` is 0 to 128. */
export interface Ipv6Network {
  readonly address: bigint;
  readonly length: number;
}

/** Whether a canonical address or CIDR is of IPv6, by its form alone. */
export function isIpv6Text(text: string): boolean {
  return text.includes(":");
}

/** `"fc00::1"` as a number. Throws AddressError. */
export function parseIpv6(text: string): bigint {
  const groups = groupsIn(text);
  if (groups === null) {
    throw new AddressError(
      `${quote(text)} is not an IPv6 address: groups of hexadecimal digits, like fd00:244::1`,
    );
  }
  let address = 0n;
  // Two groups at a time: each step of a bigint costs more than all the digits.
  for (let index = 0; index < GROUPS; index += 2) {
    const pair = (groups[index] ?? 0) * 0x1_0000 + (groups[index + 1] ?? 0);
    address = (address << 32n) | BigInt(pair);
  }
  return address;
}

/** The eight numbers of an address, null when it is none. Digit by digit: with thousands of peers that is done all the time. */
function groupsIn(text: string): number[] | null {
  const groups: number[] = [];
  let gapAt = -1;
  let value = 0;
  let digits = 0;
  for (let at = 0; at <= text.length; at++) {
    const digit = hexDigit(text.charCodeAt(at));
    if (digit >= 0) {
      value = value * 16 + digit;
      digits++;
      continue;
    }
    if (at < text.length && text.charCodeAt(at) !== COLON) return null;
    if (digits > GROUP_DIGITS_MAX) return null;
    if (digits > 0) groups.push(value);
    const isEnd = at === text.length;
    const isGap = !isEnd && text.charCodeAt(at + 1) === COLON;
    // Nothing stands before a colon but a group, or the gap's own first colon at the very beginning; nor behind one.
    const isEmpty = digits === 0 && !(isGap && at === 0) &&
      !(isEnd && gapAt === groups.length && gapAt >= 0);
    if (isEmpty || (isGap && gapAt >= 0) || groups.length > GROUPS) return null;
    if (isGap) {
      gapAt = groups.length;
      at++;
    }
    value = 0;
    digits = 0;
  }
  const zeros = GROUPS - groups.length;
  if (gapAt < 0) return zeros === 0 ? groups : null;
  if (zeros === 0) return null;
  groups.splice(gapAt, 0, ...Array<number>(zeros).fill(0));
  return groups;
}

/** -1 for anything else, also for NaN. */
function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32; // lower case
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** Canonical text by RFC 5952: lower case, the first longest run of two or more zero groups as `::`. */
export function formatIpv6(address: bigint): string {
  const digits = address.toString(16).padStart(IPV6_BITS / 4, "0");
  const groups = Array.from(
    { length: GROUPS },
    (_, index) => parseInt(digits.slice(4 * index, 4 * index + 4), 16).toString(16),
  );
  const text = groups.join(":");
  const run = (text.match(/\b0(:0)+\b/g) ?? [])
    .reduce((longest, next) => next.length > longest.length ? next : longest, "");
  if (run === "") return text;
  const at = `:${text}:`.indexOf(`:${run}:`);
  return `${text.slice(0, Math.max(0, at - 1))}::${text.slice(at + run.length + 1)}`;
}

/** `"fd00:244::/56"`. Throws AddressError, which for set host bits names the network that was probably meant. */
export function parseIpv6Network(text: string): Ipv6Network {
  const slash = text.indexOf("/");
  if (slash < 0) {
    throw new AddressError(`${quote(text)} has no prefix length: write ADDRESS/LENGTH`);
  }
  const address = parseIpv6(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  const length = Number(digits);
  if (!LENGTH.test(digits) || length > IPV6_BITS) {
    throw new AddressError(`${quote(text)} has a prefix length that is not 0 to ${IPV6_BITS}`);
  }
  const network = ipv6NetworkOf(address, length);
  if (network.address === address) return network;
  throw new AddressError(
    `${quote(text)} is a host in a network, not a network: did you mean ` +
      `${formatIpv6Network(network)}?`,
  );
}

/** Canonical CIDR. */
export function formatIpv6Network({ address, length }: Ipv6Network): string {
  return `${formatIpv6(address)}/${length}`;
}

/** The network of that prefix length which the address lies in. */
export function ipv6NetworkOf(address: bigint, length: number): Ipv6Network {
  const hostBits = BigInt(IPV6_BITS - length);
  return { address: (address >> hostBits) << hostBits, length };
}

/** Whether the address lies in the network. */
export function ipv6Contains(network: Ipv6Network, address: bigint): boolean {
  return ipv6NetworkOf(address, network.length).address === network.address;
}

/** Whether the networks share an address. */
export function ipv6Overlaps(one: Ipv6Network, other: Ipv6Network): boolean {
  return one.length <= other.length
    ? ipv6Contains(one, other.address)
    : ipv6Contains(other, one.address);
}

/** Whether the text is an IPv6 network as we write it. */
export function isIpv6Network(text: string): boolean {
  try {
    return formatIpv6Network(parseIpv6Network(text)) === text;
  } catch (error) {
    if (error instanceof AddressError) return false;
    throw error;
  }
}

/** RFC 6052 section 2.1: IPv4 addresses as IPv6 ones. Not the mapped ones, which claims of earlier versions may not name. */
const EMBEDDED = parseIpv6Network("64:ff9b::/96");

/** An IPv4 address where an IPv6 one is asked for. */
export function ipv4Embedded(address: string): string {
  return formatIpv6(EMBEDDED.address | BigInt(parseAddress(address)));
}

/** Whether the text is what {@linkcode ipv4Embedded} makes. */
export function isIpv4Embedded(text: string): boolean {
  return text.startsWith("64:ff9b::") && ipv6Contains(EMBEDDED, parseIpv6(text));
}

/** What no host can be told to send to: unspecified, loopback and IPv4-mapped, link-local, multicast (RFC 6890, 4291). */
const NO_HOST = ["::/8", "fe80::/10", "ff00::/8"].map(parseIpv6Network);

/** Whether packets can be sent to that address from elsewhere. False for text that is no IPv6 address. */
export function isIpv6Unicast(text: string): boolean {
  try {
    const address = parseIpv6(text);
    return !NO_HOST.some((network) => ipv6Contains(network, address));
  } catch (error) {
    if (error instanceof AddressError) return false;
    throw error;
  }
}

/** The range that the network overlaps and that hosts do not route, null when there is none. */
export function unroutableIpv6(network: Ipv6Network): string | null {
  const range = NO_HOST.find((one) => ipv6Overlaps(one, network));
  return range === undefined ? null : formatIpv6Network(range);
}

function quote(text: string): string {
  return quoteStart(text, QUOTED_CHARACTERS_MAX);
}
