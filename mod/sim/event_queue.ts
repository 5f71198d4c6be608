/**
 * What is due when, in virtual time: a binary heap, first in first out among equal times.
 *
 * Times, orders and items lie in three arrays side by side: a million events then cost no million small objects.
 */

export class EventQueue<T> {
  readonly #times: number[] = [];
  readonly #orders: number[] = [];
  readonly #items: T[] = [];
  #order = 0;

  get size(): number {
    return this.#items.length;
  }

  /** When the first item is due; Infinity when there is none. */
  nextAtMs(): number {
    return this.#times[0] ?? Infinity;
  }

  push(atMs: number, item: T): void {
    const times = this.#times;
    let index = times.length;
    times.push(atMs);
    this.#orders.push(this.#order);
    this.#items.push(item);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      // A newcomer stays behind all of its own time: it was put in last.
      if ((times[parent] ?? 0) <= atMs) break;
      this.#move(parent, index);
      index = parent;
    }
    this.#set(index, atMs, this.#order++, item);
  }

  /** Takes the first item out; undefined when there is none. */
  pop(): T | undefined {
    const first = this.#items[0];
    const atMs = this.#times.pop();
    const order = this.#orders.pop();
    const item = this.#items.pop();
    if (atMs === undefined || order === undefined || this.#items.length === 0) return first;
    this.#sink(atMs, order, item as T);
    return first;
  }

  /** Puts an entry in at the root and lets it sink to its place. */
  #sink(atMs: number, order: number, item: T): void {
    const size = this.#times.length;
    let index = 0;
    while (true) {
      let child = 2 * index + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#isBefore(child + 1, this.#times[child], this.#orders[child])) {
        child++;
      }
      if (!this.#isBefore(child, atMs, order)) break;
      this.#move(child, index);
      index = child;
    }
    this.#set(index, atMs, order, item);
  }

  #isBefore(index: number, atMs = Infinity, order = Infinity): boolean {
    const time = this.#times[index] ?? Infinity;
    return time < atMs || (time === atMs && (this.#orders[index] ?? Infinity) < order);
  }

  #move(from: number, to: number): void {
    this.#set(to, this.#times[from] ?? 0, this.#orders[from] ?? 0, this.#items[from] as T);
  }

  #set(index: number, atMs: number, order: number, item: T): void {
    this.#times[index] = atMs;
    this.#orders[index] = order;
    this.#items[index] = item;
  }
}
