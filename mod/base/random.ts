/**
 * Seeded pseudo-random numbers: the only randomness protocol code may use, so that a seed replays a run exactly.
 * Not for keys or identities: those are drawn by the agent from the operating system.
 */
import { assert } from "./assert.ts";

/** The generator sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, passes BigCrush. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed any finite number; equal seeds give equal sequences. */
  constructor(seed: number) {
    assert(Number.isFinite(seed), "the seed of a Random is a finite number");
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 0x1_0000_0000) >>> 0;
    this.#c = 0x9e3779b9; // 2^32 / golden ratio: only has to differ from zero
    for (let round = 0; round < 12; round++) this.uint32(); // sfc32's own warm-up length
  }

  /** A whole number, 0 to 2^32 - 1. */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) >>> 0;
    this.#counter = (this.#counter + 1) >>> 0;
    this.#a = (this.#b ^ (this.#b >>> 9)) >>> 0;
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) >>> 0;
    return sum;
  }

  /** A number in [0, 1) with 32 bits of resolution. */
  unit(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** A whole number, 0 to `limit` - 1; `limit` is 1 to 2^32. */
  below(limit: number): number {
    assert(Number.isInteger(limit) && limit >= 1, "Random.below needs a limit of at least 1");
    return Math.floor(this.unit() * limit);
  }

  /** Shuffles in place (Fisher-Yates) and returns the same array. */
  shuffle<T>(items: T[]): T[] {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      const held = items[last] as T;
      items[last] = items[other] as T;
      items[other] = held;
    }
    return items;
  }

  /** Up to `count` distinct items, in random order. */
  sample<T>(items: readonly T[], count: number): T[] {
    return this.shuffle([...items]).slice(0, count);
  }
}
