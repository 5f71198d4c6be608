/**
 * Values kept under subnets and found by overlap. Nearly all subnets of a cluster have one prefix length, so a lookup is
 * one access to a map per prefix length in use.
 */
import { prefixLengthOf } from "../address/cidr.ts";
import { formatIpv6Network, ipv6NetworkOf, isIpv6Text, parseIpv6Network } from "../address/ipv6.ts";
import { cidrsOverlap, maskOf, type Network, overlaps } from "../address/network.ts";
import { parseNetwork } from "../address/parse.ts";

export class OverlapIndex<T> {
  /** Prefix length → network address → what is kept there. */
  readonly #byLength = new Map<number, Map<number, T>>();
  readonly #ipv6 = new Ipv6OverlapIndex<T>();

  get(cidr: string): T | undefined {
    if (isIpv6Text(cidr)) return this.#ipv6.get(cidr);
    const { address, length } = parseNetwork(cidr);
    return this.#byLength.get(length)?.get(address);
  }

  set(cidr: string, value: T): void {
    if (isIpv6Text(cidr)) return this.#ipv6.set(cidr, value);
    const { address, length } = parseNetwork(cidr);
    let level = this.#byLength.get(length);
    if (level === undefined) this.#byLength.set(length, level = new Map());
    level.set(address, value);
  }

  delete(cidr: string): void {
    if (isIpv6Text(cidr)) return this.#ipv6.delete(cidr);
    const { address, length } = parseNetwork(cidr);
    const level = this.#byLength.get(length);
    level?.delete(address);
    if (level?.size === 0) this.#byLength.delete(length);
  }

  /** Everything kept under a subnet that shares an address with this one. */
  overlapping(cidr: string): T[] {
    if (isIpv6Text(cidr)) return this.#ipv6.overlapping(cidr);
    const wanted = parseNetwork(cidr);
    const found: T[] = [];
    for (const [length, level] of this.#byLength) {
      if (length <= wanted.length) {
        const value = level.get((wanted.address & maskOf(length)) >>> 0);
        if (value !== undefined) found.push(value);
      } else this.#collectWithin(wanted, length, level, found);
    }
    return found;
  }

  /** Longer prefixes are looked through one by one: that happens only while a pool's subnet length changes. */
  #collectWithin(wanted: Network, length: number, level: Map<number, T>, found: T[]): void {
    for (const [address, value] of level) {
      if (overlaps(wanted, { address, length })) found.push(value);
    }
  }
}

/** The same for IPv6, by canonical text: to make numbers of 128 bits of it takes ten times as long as to look it up. */
class Ipv6OverlapIndex<T> {
  /** Prefix length → canonical CIDR → what is kept there. */
  readonly #byLength = new Map<number, Map<string, T>>();

  get(cidr: string): T | undefined {
    return this.#byLength.get(prefixLengthOf(cidr))?.get(cidr);
  }

  set(cidr: string, value: T): void {
    const length = prefixLengthOf(cidr);
    let level = this.#byLength.get(length);
    if (level === undefined) this.#byLength.set(length, level = new Map());
    level.set(cidr, value);
  }

  delete(cidr: string): void {
    const length = prefixLengthOf(cidr);
    const level = this.#byLength.get(length);
    level?.delete(cidr);
    if (level?.size === 0) this.#byLength.delete(length);
  }

  overlapping(cidr: string): T[] {
    const wantedLength = prefixLengthOf(cidr);
    const found: T[] = [];
    for (const [length, level] of this.#byLength) {
      if (length <= wantedLength) {
        const value = level.get(length === wantedLength ? cidr : widened(cidr, length));
        if (value !== undefined) found.push(value);
        continue;
      }
      for (const [other, value] of level) if (cidrsOverlap(cidr, other)) found.push(value);
    }
    return found;
  }
}

function widened(cidr: string, length: number): string {
  return formatIpv6Network(ipv6NetworkOf(parseIpv6Network(cidr).address, length));
}
