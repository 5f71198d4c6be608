/**
 * Digests of a set whose items stand in buckets: two hosts compare some bytes and learn whether what they know differs,
 * and where. Kept up to date with each change, so that a comparison costs nothing to speak of.
 *
 * A digest is the exclusive or of its items' hashes: the order does not matter, and an item is taken out as it was put in.
 * Hashes are 64 bits and not cryptographic: who can forge them holds the gossip key and can forge the items as well.
 */
import { assert } from "../base/assert.ts";
import { WireError } from "../base/errors.ts";
import { BucketSet } from "./bucket_set.ts";
import type { WireValue } from "./codec.ts";
import { BUCKETS_MAX, BUCKETS_MIN, ItemHash } from "./item_hash.ts";
import { checkBlob, checkBytes, checkUint } from "./shape.ts";

/** Two words of 32 bits. */
export const DIGEST_BYTES = 8;

const DIGESTS_BYTES_MAX = BUCKETS_MAX * DIGEST_BYTES;

/** A set of up to so many items is told as a whole: 16 members are as many bytes as digests and another round trip. */
const SMALL = 16;
/** So is one of which the other side knows at most this part. */
const MOSTLY_NEWS = 1 / 8;

/** A whole set in some bytes. */
export interface Summary {
  readonly count: number;
  /** {@linkcode DIGEST_BYTES} bytes. */
  readonly digest: Uint8Array;
}

/** What an answer to a summary has to hold. */
export type AnswerForm = "agreed" | "digests" | "everything";

export class BucketDigest {
  /** High and low word of each bucket by turns. */
  readonly #words = new Uint32Array(2 * BUCKETS_MAX);
  #count = 0;

  /** Items in the set. */
  get count(): number {
    return this.#count;
  }

  /** @param content a whole number below 2^53, or bytes. */
  add(key: string, content: number | Uint8Array): void {
    this.#toggle(key, content);
    this.#count++;
  }

  /** Takes out what was put in with the same key and content. */
  remove(key: string, content: number | Uint8Array): void {
    assert(this.#count > 0, "only what is in a digest is taken out of it");
    this.#toggle(key, content);
    this.#count--;
  }

  summary(): Summary {
    return { count: this.#count, digest: this.#fold(1) };
  }

  /** The digest of each bucket, as many as suit the size of the set. */
  digests(): Uint8Array {
    return this.#fold(bucketCount(this.#count));
  }

  /** How to answer a host that sums up its own set so. */
  answerTo(theirs: Summary): AnswerForm {
    const own = this.summary();
    if (own.count === theirs.count && own.digest.toHex() === theirs.digest.toHex()) return "agreed";
    const isEverything = own.count <= SMALL || theirs.count <= own.count * MOSTLY_NEWS;
    return isEverything ? "everything" : "digests";
  }

  /** The buckets in which this set differs from the one with those digests. */
  differing(theirs: Uint8Array): BucketSet {
    const count = theirs.length / DIGEST_BYTES;
    const own = this.#fold(count);
    const differing: number[] = [];
    for (let bucket = 0; bucket < count; bucket++) {
      const at = bucket * DIGEST_BYTES;
      const isSame = own.subarray(at, at + DIGEST_BYTES)
        .every((byte, index) => byte === theirs[at + index]);
      if (!isSame) differing.push(bucket);
    }
    return BucketSet.of(count, differing);
  }

  /** Every bucket's words in big-endian order, small counts being unions of larger ones. */
  #fold(count: number): Uint8Array {
    const words = new Uint32Array(2 * count);
    for (let index = 0; index < this.#words.length; index++) {
      const at = index & (2 * count - 1);
      words[at] = (words[at] ?? 0) ^ (this.#words[index] ?? 0);
    }
    const bytes = new Uint8Array(count * DIGEST_BYTES);
    const view = new DataView(bytes.buffer);
    for (const [index, word] of words.entries()) view.setUint32(4 * index, word);
    return bytes;
  }

  #toggle(key: string, content: number | Uint8Array): void {
    const hash = new ItemHash(key);
    const at = 2 * hash.bucket;
    hash.take(content);
    this.#words[at] = (this.#words[at] ?? 0) ^ hash.high;
    this.#words[at + 1] = (this.#words[at + 1] ?? 0) ^ hash.low;
  }
}

/**
 * The smallest power of two from 4 sqrt(n) on. With s items a bucket, a set of n costs 8 n / s bytes of digests and a
 * single difference about 110 s bytes of items: the sum is least at s = 0.27 sqrt(n), which are 3.7 sqrt(n) buckets.
 */
export function bucketCount(items: number): number {
  let count = BUCKETS_MIN;
  while (count < 4 * Math.sqrt(items) && count < BUCKETS_MAX) count *= 2;
  return count;
}

/** Throws WireError. `max` is how many items there may be. */
export function checkSummary(
  count: WireValue | undefined,
  digest: WireValue | undefined,
  max: number,
  where: string,
): Summary {
  return {
    count: checkUint(count, max, `${where} count`),
    digest: checkBytes(digest, DIGEST_BYTES, `${where} digest`),
  };
}

/** Digests of buckets in a number that {@linkcode bucketCount} gives; empty for a set that is the same. Throws WireError. */
export function checkDigests(value: WireValue | undefined, where: string): Uint8Array {
  const bytes = checkBlob(value, DIGESTS_BYTES_MAX, `${where} digests`);
  const count = bytes.length / DIGEST_BYTES;
  const isPower = Number.isInteger(Math.log2(count)) && count >= BUCKETS_MIN;
  if (bytes.length > 0 && !isPower) {
    throw new WireError(`${where} digests: ${bytes.length} bytes are no number of buckets`);
  }
  return bytes;
}
