/**
 * The decoders of links, addresses, routes, neighbours and forwarding entries: recorded replies of
 * the real kernel, cut and bent. Whatever comes, it is an object, null or a format error.
 */
import { strict as assert } from "node:assert";
import { encodePayload } from "../../../ffi/netlink/attribute.ts";
import { NetlinkFormatError } from "../../../ffi/netlink/error.ts";
import { type NetlinkMessage, parseMessages } from "../../../ffi/netlink/message.ts";
import { decodeAddress } from "../../../ffi/route/address.ts";
import { RTM } from "../../../ffi/route/family.ts";
import { decodeFdbEntry } from "../../../ffi/route/fdb.ts";
import { decodeLink } from "../../../ffi/route/link.ts";
import { decodeEvent, decodeEvents } from "../../../ffi/route/monitor.ts";
import { decodeNeighbour } from "../../../ffi/route/neighbour.ts";
import { decodeRoute } from "../../../ffi/route/route.ts";
import { fromHex } from "../../golden/ffi/message_text.ts";
import { REPLIES } from "../../golden/ffi/reply_table.ts";
import { randomFrom } from "./scripted_datagrams.ts";

const DECODERS = [decodeLink, decodeAddress, decodeRoute, decodeNeighbour, decodeFdbEntry];
const RECORDED = REPLIES.flatMap(({ bytes }) => parseMessages(fromHex(bytes)));

function messageOf(type: number, payload: Uint8Array): NetlinkMessage {
  return { type, flags: 0, sequence: 0, port: 0, payload };
}

/** Runs every decoder; returns the names of what they threw. */
function thrownBy(message: NetlinkMessage): string[] {
  return [...DECODERS, decodeEvent].flatMap((decode) => {
    try {
      decode(message);
      return [];
    } catch (error) {
      return [error instanceof NetlinkFormatError ? "format" : String(error)];
    }
  });
}

Deno.test("a reply cut anywhere is decoded or refused as malformed", () => {
  for (const message of RECORDED) {
    for (let length = 0; length < message.payload.length; length++) {
      const thrown = thrownBy({ ...message, payload: message.payload.subarray(0, length) });
      assert.deepEqual(thrown.filter((name) => name !== "format"), []);
    }
  }
});

Deno.test("a reply with bent bytes is decoded or refused as malformed", () => {
  const random = randomFrom(99);
  let refused = 0;
  for (let round = 0; round < 8000; round++) {
    const message = RECORDED[random(RECORDED.length)];
    assert(message !== undefined);
    const payload = message.payload.slice();
    for (let bends = 1 + random(3); bends > 0; bends--) {
      payload[random(payload.length)] = random(256);
    }
    const thrown = thrownBy({ ...message, payload });
    assert.deepEqual(thrown.filter((name) => name !== "format"), []);
    refused += thrown.length;
  }
  assert(refused > 0);
});

Deno.test("an empty payload is malformed for every decoder", () => {
  for (const decode of DECODERS) {
    assert.throws(() => decode(messageOf(16, new Uint8Array())), NetlinkFormatError);
  }
});

Deno.test("entries of other address families are none of ours", () => {
  const ipx = (length: number) => Uint8Array.from({ length }, (_, index) => index === 0 ? 4 : 0);
  assert.equal(decodeAddress(messageOf(RTM.NEWADDR, ipx(8))), null);
  assert.equal(decodeRoute(messageOf(RTM.NEWROUTE, ipx(12))), null);
  assert.equal(decodeNeighbour(messageOf(RTM.NEWNEIGH, ipx(12))), null);
  assert.equal(decodeFdbEntry(messageOf(RTM.NEWNEIGH, ipx(12))), null);
});

Deno.test("a bridge's word about one of its ports is not the end of the device", () => {
  const payload = encodePayload((writer) => {
    writer.header(16, (view) => view.setUint8(0, 7)).string(3, "v1");
  });
  assert.equal(decodeEvent(messageOf(RTM.DELLINK, payload)), null);
});

Deno.test("events carry what changed, how, and who did it", () => {
  const kinds = RECORDED.map((message) => {
    const event = decodeEvent({ ...message, port: 5 });
    assert(event !== null && event.kind !== "overrun");
    return [event.kind, event.change, event.port];
  });
  assert.deepEqual(kinds, [
    ["link", "new", 5],
    ["link", "new", 5],
    ["address", "new", 5],
    ["address", "new", 5],
    ["route", "new", 5],
    ["route", "new", 5],
    ["route", "new", 5],
    ["neighbour", "new", 5],
    ["fdb", "new", 5],
    ["fdb", "new", 5],
  ]);
  const [link] = RECORDED;
  assert(link !== undefined);
  const event = decodeEvent({ ...link, type: RTM.DELLINK });
  assert(event?.kind === "link" && event.change === "delete");
});

Deno.test("messages that are no notification are passed over", () => {
  assert.equal(decodeEvent(messageOf(3, new Uint8Array(4))), null);
  assert.equal(decodeEvent(messageOf(4711, new Uint8Array(40))), null);
});

Deno.test("a datagram that makes no sense means that something was missed", () => {
  const [event, ...rest] = decodeEvents(new Uint8Array(5).fill(1));
  assert.deepEqual(rest, []);
  assert(event?.kind === "overrun");
  assert.match(event.reason, /Malformed netlink reply/);
  assert.deepEqual(decodeEvents(new Uint8Array()), []);
});
