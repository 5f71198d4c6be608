/**
 * News waiting to be passed on: each item a limited number of times, the least sent first
 * (hashicorp/memberlist queue.go), a key's later version in place of its earlier one.
 *
 * Unlike there, order is by version and not by arrival: an older record that comes in later must not
 * push out a newer one.
 */

interface Item {
  readonly key: string;
  readonly version: number;
  readonly bytes: Uint8Array;
  readonly finished: (() => void) | undefined;
  sent: number;
}

/** Items above this are an attack or a fault: 10,000 members with one item of each kind. */
const ITEMS_MAX = 20_000;

export class GossipQueue {
  readonly #items = new Map<string, Item>();
  /** The same items by how often they were sent; within a tier the newest last. */
  readonly #tiers: Set<Item>[] = [];

  get length(): number {
    return this.#items.size;
  }

  /**
   * Queues news. An item of the same key gives way to a higher version; an equal one only with
   * `replaceEqual` (same verdict, other witness). `finished` is called when it was sent often enough.
   * Returns whether it was queued.
   */
  add(
    key: string,
    version: number,
    bytes: Uint8Array,
    options: { replaceEqual?: boolean; finished?: () => void } = {},
  ): boolean {
    const held = this.#items.get(key);
    if (held !== undefined) {
      if (held.version > version) return false;
      if (held.version === version && options.replaceEqual !== true) return false;
      this.#remove(held);
    }
    if (this.#items.size >= ITEMS_MAX) this.#dropMostSent();
    const item: Item = { key, version, bytes, finished: options.finished, sent: 0 };
    this.#items.set(key, item);
    this.#tier(0).add(item);
    return true;
  }

  /**
   * Takes items for one packet: least sent first, newest first among those, whatever still fits.
   * `overhead` counts for each item; items that were sent `limit` times are dropped.
   */
  take(budgetBytes: number, overheadBytes: number, limit: number): Uint8Array[] {
    const taken: Item[] = [];
    let left = budgetBytes;
    for (const tier of this.#tiers) {
      if (left <= overheadBytes) break;
      for (const item of [...tier].reverse()) {
        const cost = item.bytes.length + overheadBytes;
        if (cost > left) continue;
        left -= cost;
        taken.push(item);
      }
    }
    // Oldest first, so that the newest stays the newest in its next tier too.
    for (const item of taken.toReversed()) this.#countSent(item, limit);
    return taken.map((item) => item.bytes);
  }

  #countSent(item: Item, limit: number): void {
    this.#tiers[item.sent]?.delete(item);
    item.sent++;
    if (item.sent < limit) {
      this.#tier(item.sent).add(item);
      return;
    }
    this.#items.delete(item.key);
    item.finished?.();
  }

  #dropMostSent(): void {
    for (const tier of this.#tiers.toReversed()) {
      for (const item of tier) return this.#remove(item);
    }
  }

  #remove(item: Item): void {
    this.#items.delete(item.key);
    this.#tiers[item.sent]?.delete(item);
  }

  #tier(sent: number): Set<Item> {
    while (this.#tiers.length <= sent) this.#tiers.push(new Set());
    return this.#tiers[sent] ?? new Set();
  }
}
