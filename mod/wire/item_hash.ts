/** The hash of an item of a set, and the bucket in which its key stands. See bucket_digest.ts. */

/**
 * A power of two each, so that small counts of buckets are unions of those of large ones. See `bucketCount`: the
 * maximum is what 65,536 items (entries of a fence) ask for.
 */
export const BUCKETS_MIN = 16;
export const BUCKETS_MAX = 1024;

/** Prime and offset of FNV-1a with 32 bits (RFC 9923 section 2); the second word has other odd constants. */
const HIGH_PRIME = 0x0100_0193;
const HIGH_START = 0x811c_9dc5;
const LOW_PRIME = 0x9e37_79b1;
const LOW_START = 0x85eb_ca77;
const WORD = 0x1_0000_0000;

/** Two words that all of an item goes through, its key first. */
export class ItemHash {
  #high = HIGH_START;
  #low = LOW_START;
  /** Below {@linkcode BUCKETS_MAX}; depends on the key alone. */
  readonly bucket: number;

  constructor(key: string) {
    for (let index = 0; index < key.length; index++) this.#mix(key.charCodeAt(index));
    this.bucket = finish(this.#high) & (BUCKETS_MAX - 1);
  }

  get high(): number {
    return finish(this.#high);
  }

  get low(): number {
    return finish(this.#low);
  }

  /** @param content a whole number below 2^53, or bytes. */
  take(content: number | Uint8Array): void {
    if (typeof content === "number") {
      this.#mix(content >>> 0);
      this.#mix(Math.floor(content / WORD));
    } else {
      for (let index = 0; index < content.length; index++) this.#mix(content[index] ?? 0);
    }
  }

  #mix(value: number): void {
    this.#high = Math.imul(this.#high ^ value, HIGH_PRIME);
    this.#low = Math.imul(this.#low ^ value, LOW_PRIME);
  }
}

/** The finaliser of MurmurHash3 (Austin Appleby, public domain): each bit of the input changes half of the output. */
function finish(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Where the item of that key stands among that many buckets. Plain, since it runs for every item of a set in a row. */
export function bucketOf(key: string, count: number): number {
  let high = HIGH_START;
  for (let index = 0; index < key.length; index++) {
    high = Math.imul(high ^ key.charCodeAt(index), HIGH_PRIME);
  }
  return finish(high) & (count - 1);
}
