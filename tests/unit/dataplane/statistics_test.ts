/** Counters that two threads share. */
import assert from "node:assert/strict";
import { DROP, DROP_NAMES } from "../../../mod/dataplane/drop_reason.ts";
import { Statistics, statisticsBuffer } from "../../../mod/dataplane/statistics.ts";

Deno.test("what one side counts the other reads, slot by slot and reason by reason", () => {
  const buffer = statisticsBuffer(3);
  const writer = new Statistics(buffer);
  const reader = new Statistics(buffer);
  writer.sent(2, 3, 4_000);
  writer.sent(2, 1, 40);
  writer.received(0, 5, 60);
  writer.dropped(DROP.noHost);
  writer.dropped(DROP.badFrame, 7);
  assert.deepEqual(reader.trafficOf(2), {
    packetsSent: 4,
    bytesSent: 4_040,
    packetsReceived: 0,
    bytesReceived: 0,
  });
  assert.equal(reader.trafficOf(0).bytesReceived, 60);
  assert.deepEqual(reader.trafficOf(1).packetsSent, 0);
  assert.equal(reader.drops()["no-host"], 1);
  assert.equal(reader.drops()["bad-frame"], 7);
  reader.clear(2);
  assert.equal(reader.trafficOf(2).bytesSent, 0);
  assert.equal(reader.trafficOf(0).packetsReceived, 5);
});

Deno.test("the reasons are numbered as they are named", () => {
  const numbers = Object.values(DROP);
  assert.deepEqual(numbers, DROP_NAMES.map((_, index) => index + 1));
  const dashed = Object.keys(DROP).map((name) =>
    name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)
  );
  assert.deepEqual(dashed, [...DROP_NAMES]);
});
