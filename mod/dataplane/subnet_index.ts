/**
 * From an address to the host that has its subnet, in constant time: all subnets of a pool have one length, so the first
 * bits of an address are the number of its subnet, and that is looked up in a table of open addressing that is never more
 * than half full. Several networks of one pool need no table of their own.
 */
import { assert } from "../base/assert.ts";
import { word } from "./ip_header.ts";

/** Knuth's multiplicative hash: neighbouring subnets, the usual case, are spread over the whole table. */
const SPREAD = 0x9e37_79b1;

/** What is found where nothing is. */
export const NOBODY = -1;

/** Keys of 1 (IPv4) or 4 (IPv6) words of 32 bits. */
export class SubnetIndex {
  readonly #words: number;
  /** Which bits of each word belong to the subnet. */
  readonly #masks: Uint32Array;
  readonly #shift: number;
  readonly #mask: number;
  readonly #keys: Uint32Array;
  readonly #values: Int32Array;

  /**
   * @param words of an address: 1 or 4.
   * @param prefixLength of every subnet.
   * @param subnets how many there will be at most.
   */
  constructor(words: 1 | 4, prefixLength: number, subnets: number) {
    assert(
      prefixLength >= 0 && prefixLength <= 32 * words,
      "a prefix is no longer than an address",
    );
    this.#words = words;
    this.#masks = Uint32Array.from({ length: words }, (_, index) => {
      const bits = Math.min(32, Math.max(0, prefixLength - 32 * index));
      return bits === 0 ? 0 : (0xffff_ffff << (32 - bits)) >>> 0;
    });
    const places = 2 ** Math.max(1, Math.ceil(Math.log2(2 * Math.max(1, subnets))));
    this.#shift = 32 - Math.log2(places);
    this.#mask = places - 1;
    this.#keys = new Uint32Array(places * words);
    this.#values = new Int32Array(places).fill(NOBODY);
  }

  /** @param key the words of any address of the subnet. The same subnet again replaces what it stood for. */
  set(key: readonly number[], value: number): void {
    assert(key.length === this.#words && value >= 0, "a key has its words, a value is a place");
    const [a = 0, b = 0, c = 0, d = 0] = key;
    const place = this.#placeOf(a, b, c, d);
    for (let index = 0; index < this.#words; index++) {
      this.#keys[place * this.#words + index] = (key[index] ?? 0) & (this.#masks[index] ?? 0);
    }
    this.#values[place] = value;
  }

  /** {@linkcode NOBODY} where nothing was set. */
  find(a: number, b = 0, c = 0, d = 0): number {
    return this.#values[this.#placeOf(a, b, c, d)] ?? NOBODY;
  }

  /** Whether the address that stands there is the first one of a subnet: its host bits are 0. */
  isFirst(bytes: Uint8Array, at: number): boolean {
    for (let index = 0; index < this.#words; index++) {
      if ((word(bytes, at + 4 * index) & ~(this.#masks[index] ?? 0)) !== 0) return false;
    }
    return true;
  }

  /** Of the key, or the free place where it would stand: one is always free. */
  #placeOf(first: number, second: number, third: number, fourth: number): number {
    const masks = this.#masks;
    const keys = this.#keys;
    const values = this.#values;
    const a = (first & (masks[0] ?? 0)) >>> 0;
    if (this.#words === 1) {
      let place = Math.imul(a, SPREAD) >>> this.#shift;
      while (values[place] !== NOBODY && keys[place] !== a) place = (place + 1) & this.#mask;
      return place;
    }
    const b = (second & (masks[1] ?? 0)) >>> 0;
    const c = (third & (masks[2] ?? 0)) >>> 0;
    const d = (fourth & (masks[3] ?? 0)) >>> 0;
    const mixed = Math.imul(Math.imul(Math.imul(a, 31) + b, 31) + c, 31) + d;
    let place = Math.imul(mixed, SPREAD) >>> this.#shift;
    for (; values[place] !== NOBODY; place = (place + 1) & this.#mask) {
      const at = 4 * place;
      if (keys[at] === a && keys[at + 1] === b && keys[at + 2] === c && keys[at + 3] === d) break;
    }
    return place;
  }
}
