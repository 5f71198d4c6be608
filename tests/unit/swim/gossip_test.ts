/** Spreading news: when it ticks, to whom, what rides along. */
import assert from "node:assert/strict";
import { PACKET_BYTES_MAX } from "../../../mod/base/limits.ts";
import { LAN_TIMINGS } from "../../../mod/swim/timings.ts";
import { encodeAlive, encodeDead } from "../../../mod/wire/news_messages.ts";
import { encodeRiderItem, encodeRiderLetter } from "../../../mod/wire/rider_messages.ts";
import { peer, type SentPacket, Stage } from "./stage.ts";

const TWO = peer(2);

Deno.test("the first piece of news leaves in the same step, to three members", () => {
  const stage = Stage.among(2, 3, 4, 5, 6);
  stage.swim.gossip("claim", 1, new Uint8Array([7]));
  stage.step({ kind: "wake" });
  const packets = stage.sent();
  assert.equal(new Set(packets.map(({ to }) => to)).size, 3);
  for (const { messages } of packets) {
    assert.deepEqual(messages, [{ kind: "rider-item", bytes: new Uint8Array([7]) }]);
  }
});

Deno.test("further packets keep the interval, and end when the news were sent often enough", () => {
  const stage = Stage.among(2, 3, 4, 5, 6);
  let packets = 0;
  stage.swim.gossip("claim", 1, new Uint8Array([7]));
  stage.runFor(60_000, (packet) => {
    if (packet.messages.some(({ kind }) => kind === "rider-item")) packets++;
    stage.ack(packet);
  });
  assert.equal(packets, LAN_TIMINGS.retransmitMinimum); // more than 4 * ceil(log10(6 + 1))
  assert.equal(stage.swim.snapshot().queueLength, 0);
});

Deno.test("without news nothing is sent but the probes", () => {
  const stage = Stage.among(2, 3, 4, 5, 6);
  const kinds = new Set<string>();
  stage.runFor(20_000, (packet) => {
    for (const { kind } of packet.messages) kinds.add(kind);
    stage.ack(packet);
  });
  assert.deepEqual([...kinds], ["ping"]);
});

Deno.test("a lonely host keeps its news without a timer", () => {
  const stage = new Stage();
  stage.swim.gossip("claim", 1, new Uint8Array([7]));
  stage.runFor(10_000);
  assert.deepEqual(stage.sent(), []);
  assert.equal(stage.swim.wakeAtMs(), Infinity);
  stage.packet(TWO.endpoint, encodeAlive(TWO));
  const kinds = stage.sent().flatMap(({ messages }) => messages.map(({ kind }) => kind));
  assert.equal(kinds.includes("rider-item"), true);
});

Deno.test("the dead hear news for 30 seconds, so that one that lives can say so", () => {
  const stage = Stage.among(2, 3);
  stage.packet(peer(3).endpoint, encodeDead(10, TWO.id, peer(3).id));
  const heard = (durationMs: number) => {
    let count = 0;
    const endMs = stage.nowMs + durationMs;
    for (let version = 1; stage.nowMs < endMs; version++) {
      stage.swim.gossip(`claim ${stage.nowMs}`, version, new Uint8Array([7]));
      stage.runFor(1000, (packet: SentPacket) => {
        if (packet.to === TWO.endpoint) count++;
        stage.ack(packet);
      });
    }
    return count;
  };
  assert.ok(heard(29_000) > 10);
  stage.runFor(2000, (packet) => stage.ack(packet));
  assert.equal(heard(20_000), 0);
});

Deno.test("news fill probes up and never make a packet too long", () => {
  const stage = Stage.among(2, 3);
  for (let key = 0; key < 100; key++) {
    stage.swim.gossip(`${key}`, 1, new Uint8Array(100 + key).fill(key));
  }
  stage.runFor(20_000, (packet) => stage.ack(packet));
  let fullest = 0;
  for (const action of stage.take()) {
    if (action.kind !== "send") continue;
    assert.ok(action.bytes.length <= PACKET_BYTES_MAX, `${action.bytes.length} bytes`);
    fullest = Math.max(fullest, action.bytes.length);
  }
  assert.ok(fullest > PACKET_BYTES_MAX - 100);
  assert.equal(stage.swim.snapshot().queueLength, 0);
});

Deno.test("a letter goes to one host at once, this host's own news in front", () => {
  const stage = new Stage();
  stage.swim.letter("10.5.5.5:7947", new Uint8Array([1, 2]));
  stage.step({ kind: "wake" });
  assert.deepEqual(stage.sent(), [{
    to: "10.5.5.5:7947",
    messages: [
      { kind: "alive", record: peer(1) },
      { kind: "rider-letter", bytes: new Uint8Array([1, 2]) },
    ],
  }]);
});

Deno.test("the longest letter fits a packet, however long the name, address and label", () => {
  const { incarnation: _, ...self } = peer(1, {
    name: "n".repeat(63),
    endpoint: "[2001:db8:1:2:3:4:5:6]:65535",
    version: "1".repeat(32),
  });
  const stage = new Stage({ self, label: "l".repeat(64), incarnation: 2 ** 49 });
  stage.swim.letter("10.5.5.5:7947", new Uint8Array(stage.swim.letterBytesMax));
  stage.step({ kind: "wake" });
  const [action] = stage.take();
  assert(action?.kind === "send");
  assert.ok(action.bytes.length <= PACKET_BYTES_MAX);
  assert.ok(action.bytes.length > PACKET_BYTES_MAX - 32);
  // A claim record and what goes with it have to fit beside all that.
  assert.ok(stage.swim.letterBytesMax > 800, `${stage.swim.letterBytesMax} bytes`);
});

Deno.test("a letter from a stranger makes it a member first, then the rider reads it", () => {
  const stage = new Stage();
  stage.packet(TWO.endpoint, encodeAlive(TWO), encodeRiderLetter(new Uint8Array([9])));
  assert.deepEqual(stage.rider.calls, ["h2 unknown > alive", "letter 10.0.0.2:7947 09"]);
});

Deno.test("gossiped items reach the rider with the address of who passed them on", () => {
  const stage = Stage.among(2, 3);
  stage.packet(peer(3).endpoint, encodeRiderItem(new Uint8Array([5])));
  assert.deepEqual(stage.rider.calls, ["gossip 10.0.0.3:7947 05"]);
});
