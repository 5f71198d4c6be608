/** Digests of sets in buckets: equal for equal sets, different where sets differ, refused when malformed. */
import { deepEqual, equal, notDeepEqual, ok, throws } from "node:assert/strict";
import { WireError } from "../../../mod/base/errors.ts";
import {
  bucketCount,
  BucketDigest,
  checkDigests,
  checkSummary,
} from "../../../mod/wire/bucket_digest.ts";
import { BucketSet } from "../../../mod/wire/bucket_set.ts";
import { bucketOf } from "../../../mod/wire/item_hash.ts";

function keyOf(number: number): string {
  return number.toString(16).padStart(32, "0");
}

function digestOf(items: number, content: (number: number) => number = () => 1): BucketDigest {
  const digest = new BucketDigest();
  for (let number = 0; number < items; number++) digest.add(keyOf(number), content(number));
  return digest;
}

Deno.test("a digest does not depend on the order, and forgets what was taken out", () => {
  const one = digestOf(100);
  const other = new BucketDigest();
  other.add(keyOf(100), 7);
  for (let number = 99; number >= 0; number--) other.add(keyOf(number), 1);
  notDeepEqual(other.summary(), one.summary());
  other.remove(keyOf(100), 7);
  deepEqual(other.summary(), one.summary());
  deepEqual(other.digests(), one.digests());
  equal(other.count, 100);
});

Deno.test("one item that differs changes its own bucket alone", () => {
  const one = digestOf(1000);
  const changes = [3, 2 ** 32 + 1, 2 ** 52, new Uint8Array([1]), new Uint8Array([0, 1])];
  const seen = new Set<string>();
  for (const change of changes) {
    const other = digestOf(1000);
    other.remove(keyOf(500), 1);
    other.add(keyOf(500), change);
    seen.add(other.summary().digest.toHex());
    const differing = one.differing(other.digests());
    const buckets = Array.from({ length: 128 }, (_, bucket) => bucket)
      .filter((bucket) => ((differing.bytes[bucket >> 3] ?? 0) >> bucket % 8 & 1) === 1);
    deepEqual(buckets, [bucketOf(keyOf(500), 128)]);
    ok(differing.has(keyOf(500)));
    const others = Array.from({ length: 1000 }, (_, number) => differing.has(keyOf(number)));
    const sharing = others.filter(Boolean).length;
    ok(sharing < 30, `${sharing} share a bucket`);
  }
  equal(seen.size, changes.length);
});

Deno.test("items spread evenly, also when their keys count up", () => {
  const shares = new Map<number, number>();
  for (let number = 0; number < 8000; number++) {
    const bucket = bucketOf(keyOf(number), 512);
    shares.set(bucket, (shares.get(bucket) ?? 0) + 1);
  }
  equal(shares.size, 512);
  ok(Math.max(...shares.values()) < 45); // 15.6 on average
});

Deno.test("sets of different sizes are compared at the size that the answer has", () => {
  const [small, large] = [digestOf(200), digestOf(6000)];
  equal(large.digests().length, 8 * 512);
  const differing = small.differing(large.digests());
  ok(differing.has(keyOf(5999)));
  deepEqual(large.differing(large.digests()), BucketSet.NONE);
});

Deno.test("the number of buckets grows with the root of the set", () => {
  const counts = [0, 16, 17, 100, 1000, 5000, 10_000, 65_536].map(bucketCount);
  deepEqual(counts, [16, 16, 32, 64, 128, 512, 512, 1024]);
});

Deno.test("small sets and newcomers are told everything, all others digests", () => {
  const answer = (own: number, theirs: number) =>
    digestOf(own).answerTo(digestOf(theirs, () => 2).summary());
  equal(answer(16, 1000), "everything");
  equal(answer(17, 1000), "digests");
  equal(answer(1000, 126), "digests");
  equal(answer(1000, 125), "everything");
  equal(answer(1000, 0), "everything");
  equal(digestOf(1000).answerTo(digestOf(1000).summary()), "agreed");
});

Deno.test("digests and buckets of impossible sizes are refused", () => {
  for (const length of [1, 8, 64, 120, 129, 136, 192, 8 * 1024 + 8, 8 * 2048]) {
    throws(() => checkDigests(new Uint8Array(length), "test"), WireError, `${length}`);
  }
  for (const length of [0, 128, 256, 8 * 1024]) checkDigests(new Uint8Array(length), "test");
  for (const length of [1, 3, 24, 129, 256]) {
    throws(() => BucketSet.check(new Uint8Array(length), "test"), WireError, `${length}`);
  }
  for (const length of [0, 2, 128]) BucketSet.check(new Uint8Array(length), "test");
  throws(() => checkSummary(101, new Uint8Array(8), 100, "test"), WireError);
  throws(() => checkSummary(100, new Uint8Array(7), 100, "test"), WireError);
});
