/** The queue of news: who goes first, what replaces what, when it ends. */
import assert from "node:assert/strict";
import { GossipQueue } from "../../../mod/swim/queue.ts";

/** News that are told apart by their first byte. */
function news(mark: number, length = 10): Uint8Array {
  return new Uint8Array(length).fill(mark);
}

function marks(taken: Uint8Array[]): (number | undefined)[] {
  return taken.map((bytes) => bytes[0]);
}

Deno.test("the least sent go first, the newest first among those", () => {
  const queue = new GossipQueue();
  for (const mark of [1, 2, 3]) queue.add(`${mark}`, 0, news(mark));
  assert.deepEqual(marks(queue.take(20, 0, 9)), [3, 2]);
  assert.deepEqual(marks(queue.take(20, 0, 9)), [1, 3]);
  queue.add("4", 0, news(4));
  assert.deepEqual(marks(queue.take(100, 0, 9)), [4, 1, 2, 3]);
});

Deno.test("what does not fit is passed over for what does, overhead included", () => {
  const queue = new GossipQueue();
  queue.add("small", 0, news(1, 5));
  queue.add("large", 0, news(2, 50));
  assert.deepEqual(marks(queue.take(30, 2, 9)), [1]);
  assert.deepEqual(marks(queue.take(51, 2, 9)), [1]);
  assert.deepEqual(marks(queue.take(52, 2, 9)), [2]);
  assert.deepEqual(queue.take(6, 2, 9), []);
});

Deno.test("news end after being sent as often as the limit says, and whoever waits is told", () => {
  const queue = new GossipQueue();
  let finished = 0;
  queue.add("a", 0, news(1), { finished: () => finished++ });
  for (const left of [1, 1, 0]) {
    assert.equal(queue.take(100, 0, 3).length, 1);
    assert.equal(queue.length, left);
  }
  assert.equal(finished, 1);
  assert.deepEqual(queue.take(100, 0, 3), []);
});

Deno.test("a limit that shrinks with the cluster ends news that were sent often already", () => {
  const queue = new GossipQueue();
  queue.add("a", 0, news(1));
  for (let round = 0; round < 5; round++) queue.take(100, 0, 12);
  queue.take(100, 0, 4);
  assert.equal(queue.length, 0);
});

Deno.test("a higher version replaces a lower one and starts anew", () => {
  const queue = new GossipQueue();
  queue.add("a", 1, news(1));
  queue.take(100, 0, 3);
  assert.equal(queue.add("a", 2, news(2)), true);
  assert.equal(queue.length, 1);
  for (let round = 0; round < 3; round++) assert.deepEqual(marks(queue.take(100, 0, 3)), [2]);
  assert.equal(queue.length, 0);
});

Deno.test("a lower version that comes later does not push out a higher one", () => {
  const queue = new GossipQueue();
  queue.add("a", 2, news(2));
  assert.equal(queue.add("a", 1, news(1)), false);
  assert.equal(queue.add("a", 2, news(3)), false);
  assert.deepEqual(marks(queue.take(100, 0, 3)), [2]);
  assert.equal(queue.add("a", 2, news(3), { replaceEqual: true }), true);
  assert.deepEqual(marks(queue.take(100, 0, 3)), [3]);
});

Deno.test("keys do not touch each other", () => {
  const queue = new GossipQueue();
  queue.add("a", 5, news(1));
  queue.add("b", 1, news(2));
  assert.equal(queue.length, 2);
});

Deno.test("a flood of news drops the most sent, and stays bounded", () => {
  const queue = new GossipQueue();
  queue.add("old", 0, news(255));
  queue.take(10, 0, 9);
  for (let index = 0; index < 20_010; index++) queue.add(`${index}`, 0, news(1));
  assert.equal(queue.length, 20_000);
  assert.equal(queue.take(1_000_000, 0, 9).some((bytes) => bytes[0] === 255), false);
});
