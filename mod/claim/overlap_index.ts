/**
 * Values kept under subnets and found by overlap. Nearly all subnets of a cluster have one prefix length, so a lookup is
 * one access to a map per prefix length in use.
 */
import { maskOf, type Network, overlaps } from "../address/network.ts";
import { parseNetwork } from "../address/parse.ts";

export class OverlapIndex<T> {
  /** Prefix length → network address → what is kept there. */
  readonly #byLength = new Map<number, Map<number, T>>();

  get(cidr: string): T | undefined {
    const { address, length } = parseNetwork(cidr);
    return this.#byLength.get(length)?.get(address);
  }

  set(cidr: string, value: T): void {
    const { address, length } = parseNetwork(cidr);
    let level = this.#byLength.get(length);
    if (level === undefined) this.#byLength.set(length, level = new Map());
    level.set(address, value);
  }

  delete(cidr: string): void {
    const { address, length } = parseNetwork(cidr);
    const level = this.#byLength.get(length);
    level?.delete(address);
    if (level?.size === 0) this.#byLength.delete(length);
  }

  /** Everything kept under a subnet that shares an address with this one. */
  overlapping(cidr: string): T[] {
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
