/**
 * Networks of either family as canonical text, which is how memory elsewhere holds them. What knows but one family has
 * the numbers themselves: network.ts and ipv6.ts.
 */
import { assert } from "../base/assert.ts";
import {
  formatIpv6,
  formatIpv6Network,
  IPV6_BITS,
  ipv6NetworkOf,
  isIpv6Network,
  isIpv6Text,
  parseIpv6,
  parseIpv6Network,
} from "./ipv6.ts";
import { addressCount, containsNetwork, formatNetwork, networkOf, subnetAt } from "./network.ts";
import { AddressError, isAddress, isNetwork, parseAddress, parseNetwork } from "./parse.ts";

export type Family = 4 | 6;

const IPV4_BITS = 32;

/** Of an address or CIDR, by its form alone. */
export function familyOf(text: string): Family {
  return isIpv6Text(text) ? 6 : 4;
}

/** The length of an address, and of the prefix of a network that has but one. */
export function addressBits(family: Family): number {
  return family === 6 ? IPV6_BITS : IPV4_BITS;
}

/** The canonical text of a network of either family. Throws AddressError, as parseNetwork does. */
export function canonicalCidr(text: string): string {
  return isIpv6Text(text)
    ? formatIpv6Network(parseIpv6Network(text))
    : formatNetwork(parseNetwork(text));
}

/** The canonical text of an address of either family. Throws AddressError. */
export function canonicalAddress(text: string): string {
  if (isIpv6Text(text)) return formatIpv6(parseIpv6(text));
  parseAddress(text);
  return text;
}

/** Whether the text is a canonical network of either family. */
export function isCidr(text: string): boolean {
  return isIpv6Text(text) ? isIpv6Network(text) : isNetwork(text);
}

/** Whether the text is an address of either family, canonical or not. */
export function isHostAddress(text: string): boolean {
  return isIpv6Text(text) ? isIpv6(text) : isAddress(text);
}

/** Of a CIDR that is well formed. */
export function prefixLengthOf(cidr: string): number {
  return Number(cidr.slice(cidr.indexOf("/") + 1));
}

/** The canonical network of that prefix length which the address lies in. Throws AddressError. */
export function cidrAround(address: string, length: number): string {
  return isIpv6Text(address)
    ? formatIpv6Network(ipv6NetworkOf(parseIpv6(address), length))
    : formatNetwork(networkOf(parseAddress(address), length));
}

/** The address alone, as a network. */
export function aloneCidr(address: string): string {
  return `${address}/${addressBits(familyOf(address))}`;
}

/** By address, IPv4 before IPv6; negative when `one` comes first. */
export function compareCidrs(one: string, other: string): number {
  const families = familyOf(one) - familyOf(other);
  if (families !== 0) return families;
  if (!isIpv6Text(one)) return parseNetwork(one).address - parseNetwork(other).address;
  const difference = parseIpv6Network(one).address - parseIpv6Network(other).address;
  return difference === 0n ? 0 : difference < 0n ? -1 : 1;
}

/** How many subnets of that prefix length a network has: a power of two, exact, though it may be above 2^53. */
export function subnetsIn(network: string, length: number): number {
  return 2 ** (length - prefixLengthOf(network));
}

/** The subnets of that prefix length from the number `first` to the number `last` of the network, in order. */
export function subnetsBetween(
  network: string,
  length: number,
  first: number,
  last: number,
): string[] {
  const subnets: string[] = [];
  if (!isIpv6Text(network)) {
    const outer = parseNetwork(network);
    for (let index = first; index <= last; index++) {
      subnets.push(formatNetwork(subnetAt(outer, length, index)));
    }
    return subnets;
  }
  const size = 1n << BigInt(IPV6_BITS - length);
  let { address } = parseIpv6Network(subnetNumber(network, length, first));
  for (let index = first; index <= last; index++, address += size) {
    subnets.push(formatIpv6Network({ address, length }));
  }
  return subnets;
}

/** The subnet of that prefix length that stands at `index` (from 0) in the network. */
export function subnetNumber(network: string, length: number, index: number): string {
  if (!isIpv6Text(network)) return formatNetwork(subnetAt(parseNetwork(network), length, index));
  assert(
    Number.isSafeInteger(index) && index >= 0 && index < subnetsIn(network, length),
    "a subnet's index is in range",
  );
  const address = parseIpv6Network(network).address +
    (BigInt(index) << BigInt(IPV6_BITS - length));
  return formatIpv6Network({ address, length });
}

/** The place of a subnet of that prefix length in the network, from 0; null when it is none of its subnets. */
export function numberOfSubnet(network: string, length: number, subnet: string): number | null {
  if (familyOf(network) !== familyOf(subnet)) return null;
  if (!isIpv6Text(network)) {
    const outer = parseNetwork(network);
    const inner = parseNetwork(subnet);
    if (inner.length !== length || !containsNetwork(outer, inner)) return null;
    return (inner.address - outer.address) / addressCount(length);
  }
  const outer = parseIpv6Network(network);
  const inner = parseIpv6Network(subnet);
  const isInside = inner.length === length && length >= outer.length &&
    ipv6NetworkOf(inner.address, outer.length).address === outer.address;
  if (!isInside) return null;
  return Number((inner.address - outer.address) >> BigInt(IPV6_BITS - length));
}

function isIpv6(text: string): boolean {
  try {
    parseIpv6(text);
    return true;
  } catch (error) {
    if (error instanceof AddressError) return false;
    throw error;
  }
}
