/**
 * The fence: for each subnet the highest epoch at which anybody ever held it. It only rises and is never collected, so
 * that forgetting records is harmless: whatever comes back from an old disk lies below it.
 *
 * Epochs of claims that were only ever tentative do not count: a mere question must not push a holder below the fence,
 * nor make failed attempts in one half of a partition outweigh a majority's acknowledgement in the other.
 */
import { BucketDigest } from "../wire/bucket_digest.ts";
import { OverlapIndex } from "./overlap_index.ts";

/** One subnet and the highest epoch at which it was held. */
export interface FenceEntry {
  /** Canonical CIDR. */
  readonly subnet: string;
  readonly epoch: number;
}

/** A /8 cut into /24 has 65,536 subnets; three numbers each keep a full sync within its 260,000 items. */
export const FENCE_MAX = 65_536;

export class Fence {
  /** Of subnets and epochs. */
  readonly digest = new BucketDigest();
  readonly #entries = new Map<string, number>();
  readonly #index = new OverlapIndex<FenceEntry>();

  get size(): number {
    return this.#entries.size;
  }

  /** Raises the fence of exactly that subnet; whether it rose. A full fence takes no further subnet. */
  raise(subnet: string, epoch: number): boolean {
    const known = this.#entries.get(subnet) ?? 0;
    if (epoch <= known || known === 0 && this.#entries.size >= FENCE_MAX) return false;
    if (known > 0) this.digest.remove(subnet, known);
    this.digest.add(subnet, epoch);
    this.#entries.set(subnet, epoch);
    this.#index.set(subnet, { subnet, epoch });
    return true;
  }

  /** The highest epoch of any subnet that overlaps this one; 0 when it was never held. */
  of(subnet: string): number {
    let highest = 0;
    for (const { epoch } of this.#index.overlapping(subnet)) highest = Math.max(highest, epoch);
    return highest;
  }

  /** The fence of exactly that subnet; 0 when there is none. */
  exactly(subnet: string): number {
    return this.#entries.get(subnet) ?? 0;
  }

  /** Every entry, sorted by subnet text, so that equal fences list equally. */
  entries(): FenceEntry[] {
    return [...this.#entries]
      .map(([subnet, epoch]) => ({ subnet, epoch }))
      .sort((one, other) => one.subnet < other.subnet ? -1 : 1);
  }
}
