/** Small numbers for hosts: each keeps its own as long as it is known, and the lowest free one is given next. */
export class Slots {
  readonly #slots = new Map<string, number>();
  readonly #taken: boolean[] = [];
  readonly #given: (slot: number) => void;

  /** @param given is told of each number before its new host uses it. */
  constructor(given: (slot: number) => void) {
    this.#given = given;
  }

  /** These are known from now on, and no others. */
  follow(hostIds: readonly string[]): void {
    const known = new Set(hostIds);
    for (const [hostId, slot] of this.#slots) {
      if (known.has(hostId)) continue;
      this.#slots.delete(hostId);
      this.#taken[slot] = false;
    }
    let next = 0;
    for (const hostId of known) {
      if (this.#slots.has(hostId)) continue;
      while (this.#taken[next] === true) next++;
      this.#taken[next] = true;
      this.#slots.set(hostId, next);
      this.#given(next);
    }
  }

  /** Of a host that is known; -1 of any other. */
  of(hostId: string): number {
    return this.#slots.get(hostId) ?? -1;
  }

  entries(): IterableIterator<[string, number]> {
    return this.#slots.entries();
  }
}
