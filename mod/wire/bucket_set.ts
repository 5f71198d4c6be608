/** Some buckets of a set, one bit each: those in which two hosts differ. See bucket_digest.ts. */
import { WireError } from "../base/errors.ts";
import type { WireValue } from "./codec.ts";
import { bucketOf, BUCKETS_MAX, BUCKETS_MIN } from "./item_hash.ts";
import { checkBlob } from "./shape.ts";

const BITS = 8;

export class BucketSet {
  /** No bucket at all. */
  static readonly NONE: BucketSet = new BucketSet(new Uint8Array());

  /** As it stands on the wire: bucket 0 is the lowest bit of the first byte. The length says how many buckets there are. */
  readonly bytes: Uint8Array;

  private constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** These buckets of so many. */
  static of(count: number, buckets: readonly number[]): BucketSet {
    if (buckets.length === 0) return BucketSet.NONE;
    const bytes = new Uint8Array(count / BITS);
    for (const bucket of buckets) {
      const at = Math.floor(bucket / BITS);
      bytes[at] = (bytes[at] ?? 0) | 1 << bucket % BITS;
    }
    return new BucketSet(bytes);
  }

  /** Throws WireError. */
  static check(value: WireValue | undefined, where: string): BucketSet {
    const bytes = checkBlob(value, BUCKETS_MAX / BITS, `${where} buckets`);
    if (bytes.length === 0) return BucketSet.NONE;
    const isPower = Number.isInteger(Math.log2(bytes.length));
    if (!isPower || bytes.length < BUCKETS_MIN / BITS) {
      throw new WireError(`${where} buckets: ${bytes.length} bytes are no number of buckets`);
    }
    return new BucketSet(bytes);
  }

  get isEmpty(): boolean {
    return this.bytes.length === 0;
  }

  /** Whether the item of that key stands in one of them. */
  has(key: string): boolean {
    if (this.isEmpty) return false;
    const bucket = bucketOf(key, this.bytes.length * BITS);
    return ((this.bytes[Math.floor(bucket / BITS)] ?? 0) >> bucket % BITS & 1) === 1;
  }
}
