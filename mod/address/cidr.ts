/** The little IPv4 arithmetic that the overlay needs, on CIDR text. */
import { assert } from "../base/assert.ts";

interface Range {
  /** First and last address as unsigned 32-bit numbers. */
  readonly first: number;
  readonly last: number;
  readonly length: number;
}

/** The range that a CIDR's network covers; a bare address counts as /32. Null when the text is neither. */
function parseRange(cidr: string): Range | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(cidr);
  if (match === null) return null;
  const octets = match.slice(1, 5).map(Number);
  const length = Number(match[5] ?? "32");
  if (length > 32 || octets.some((octet) => octet > 255)) return null;
  const address = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  const size = 2 ** (32 - length);
  const first = Math.floor(address / size) * size;
  return { first, last: first + size - 1, length };
}

function range(cidr: string): Range {
  const parsed = parseRange(cidr);
  assert(parsed !== null, `${cidr} was checked to be an IPv4 CIDR`);
  return parsed;
}

function addressText(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join(".");
}

/** The CIDR with its host bits cleared: `10.244.7.0/24` of `10.244.7.1/24`. Null when it is not an IPv4 CIDR. */
export function canonicalCidr(text: string): string | null {
  const parsed = text.includes("/") ? parseRange(text) : null;
  return parsed === null ? null : `${addressText(parsed.first)}/${parsed.length}`;
}

/** Whether two IPv4 CIDRs (a bare address counts as /32) share an address. */
export function cidrsOverlap(one: string, other: string): boolean {
  const a = range(one);
  const b = range(other);
  return a.first <= b.last && b.first <= a.last;
}

/** The network address of an IPv4 CIDR: `10.244.7.0` of `10.244.7.0/24`. */
export function networkAddress(cidr: string): string {
  return addressText(range(cidr).first);
}

/** The first host address with the prefix length: `10.244.7.1/24` of `10.244.7.0/24`. */
export function firstHost(cidr: string): string {
  const { first, length } = range(cidr);
  return `${addressText(first + 1)}/${length}`;
}
