/**
 * IPv4 networks as numbers: an address is an unsigned 32-bit number, a network such an address and a
 * prefix length. Memory elsewhere holds canonical text; arithmetic happens here. What takes text takes that of IPv6, too.
 */
import { assert } from "../base/assert.ts";
import {
  formatIpv6,
  ipv6Contains,
  ipv6Overlaps,
  isIpv6Text,
  parseIpv6,
  parseIpv6Network,
} from "./ipv6.ts";
import { parseAddress, parseNetwork } from "./parse.ts";

/** Bits of an IPv4 address. */
const ADDRESS_BITS = 32;

/** An IPv4 network. `address` has no host bits set; `length` is 0 to 32. */
export interface Network {
  readonly address: number;
  readonly length: number;
}

/** The netmask of a prefix length (0 to 32) as an unsigned number: `maskOf(24)` is 0xffffff00. */
export function maskOf(length: number): number {
  // A shift by 32 is a shift by 0 in ECMAScript.
  return length === 0 ? 0 : (0xffffffff << (ADDRESS_BITS - length)) >>> 0;
}

/** How many addresses a network of that prefix length has: 1 to 2^32. */
export function addressCount(length: number): number {
  return 2 ** (ADDRESS_BITS - length);
}

/** Dotted decimal: `formatAddress(0x0af40700)` is `"10.244.7.0"`. */
export function formatAddress(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** Canonical CIDR: `"10.244.7.0/24"`. */
export function formatNetwork(network: Network): string {
  return `${formatAddress(network.address)}/${network.length}`;
}

/** The network of that prefix length which the address lies in. */
export function networkOf(address: number, length: number): Network {
  return { address: (address & maskOf(length)) >>> 0, length };
}

/** Whether the address lies in the network. */
export function containsAddress(network: Network, address: number): boolean {
  return ((address & maskOf(network.length)) >>> 0) === network.address;
}

/** Whether every address of `inner` lies in `outer`. */
export function containsNetwork(outer: Network, inner: Network): boolean {
  return inner.length >= outer.length && containsAddress(outer, inner.address);
}

/** Whether the networks share an address; one of two such networks contains the other. */
export function overlaps(one: Network, other: Network): boolean {
  return containsNetwork(one, other) || containsNetwork(other, one);
}

/** The subnet of prefix length `length` that stands at `index` (from 0) in `network`. */
export function subnetAt(network: Network, length: number, index: number): Network {
  assert(length >= network.length && length <= ADDRESS_BITS, "a subnet is inside its network");
  const count = 2 ** (length - network.length);
  assert(Number.isInteger(index) && index >= 0 && index < count, "a subnet's index is in range");
  return { address: network.address + index * addressCount(length), length };
}

/** Whether two canonical CIDRs share an address. Throws AddressError on malformed text. */
export function cidrsOverlap(one: string, other: string): boolean {
  if (one === other) return true;
  if (isIpv6Text(one)) {
    return isIpv6Text(other) && ipv6Overlaps(parseIpv6Network(one), parseIpv6Network(other));
  }
  return !isIpv6Text(other) && overlaps(parseNetwork(one), parseNetwork(other));
}

/** The address of the overlay device: `"10.244.7.0/24"` gives `"10.244.7.0"`, `"fd00:0:0:7::/64"` gives `"fd00:0:0:7::"`. */
export function deviceAddressOf(subnet: string): string {
  if (isIpv6Text(subnet)) return formatIpv6(parseIpv6Network(subnet).address);
  return formatAddress(parseNetwork(subnet).address);
}

/** The first address for containers' bridge, `<subnet>.1`: `"10.244.7.0/24"` gives `"10.244.7.1"`. */
export function firstAddressOf(subnet: string): string {
  if (isIpv6Text(subnet)) return formatIpv6(parseIpv6Network(subnet).address + 1n);
  return formatAddress(parseNetwork(subnet).address + 1);
}

/** Whether the canonical address lies in the canonical CIDR. Throws AddressError on malformed text. */
export function cidrContains(cidr: string, address: string): boolean {
  if (isIpv6Text(cidr)) {
    return isIpv6Text(address) && ipv6Contains(parseIpv6Network(cidr), parseIpv6(address));
  }
  return !isIpv6Text(address) && containsAddress(parseNetwork(cidr), parseAddress(address));
}
