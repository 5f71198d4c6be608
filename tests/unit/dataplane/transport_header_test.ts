/** Packets that are many: cut into segments as the kernel would, and joined again. */
import assert from "node:assert/strict";
import {
  continues,
  endsRun,
  finishChecksum,
  TCP,
  TransportHeader,
  UDP,
  widenHeader,
  writeSegmentHeaders,
} from "../../../mod/dataplane/transport_header.ts";
import { onesComplementSum, packet } from "./packets.ts";

const STRIDE = 128;
const FIN_PSH_ACK_CWR = 0x99;
const IPV4 = { source: "10.244.1.2", destination: "10.244.2.3", fragment: 0x4000 };
const IPV6 = { source: "fd00:1::2", destination: "fd00:2::3" };

function pseudoSum(bytes: Uint8Array, protocol: number, transportBytes: number): number {
  const addresses = bytes[0] === 0x45 ? bytes.subarray(12, 20) : bytes.subarray(8, 40);
  return onesComplementSum(addresses, Uint8Array.of(0, protocol), halfOf(transportBytes));
}

function halfOf(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value & 255);
}

/** As the kernel gives it: the checksum is the sum over the pseudo-header alone. */
function whole(
  addresses: typeof IPV4 | typeof IPV6,
  protocol: number,
  payload: number,
): Uint8Array {
  const header = protocol === TCP
    ? [0x12, 0x34, 0, 80, 0xff, 0xff, 0xff, 0x00, 1, 2, 3, 4, 0x80, FIN_PSH_ACK_CWR, 1, 2]
      .concat([0, 0, 0, 0, 1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8])
    : [0x12, 0x34, 0, 53, 0, 0, 0, 0];
  const content = Array.from({ length: payload }, (_, index) => (index * 7) & 255);
  const bytes = packet({ ...addresses, protocol, payload: [...header, ...content] });
  const view = new DataView(bytes.buffer);
  const at = bytes[0] === 0x45 ? 20 : 40;
  if (at === 20) {
    view.setUint16(4, 0xfffe); // its numbers wrap
    view.setUint16(10, ~onesComplementSum(bytes.subarray(0, 20)) & 0xffff);
  }
  if (protocol === UDP) view.setUint16(at + 4, bytes.length - at);
  const sum = pseudoSum(bytes, protocol, bytes.length - at);
  view.setUint16(at + (protocol === TCP ? 16 : 6), sum);
  return bytes;
}

function headerOf(bytes: Uint8Array, length = bytes.length): TransportHeader {
  const header = new TransportHeader();
  assert(header.read(bytes, 0, length));
  return header;
}

/** One behind the other, as the kernel receives them, in calls of `atOnce`. */
function cut(bytes: Uint8Array, segment: number, atOnce: number): Uint8Array[] {
  const header = headerOf(bytes);
  const { end } = header;
  const out = new Uint8Array(STRIDE * 64);
  const segments: Uint8Array[] = [];
  const total = Math.ceil((bytes.length - end) / segment);
  for (let index = 0; index < total; index += atOnce) {
    const count = Math.min(atOnce, total - index);
    const [from, to] = [new DataView(bytes.buffer), new DataView(out.buffer)];
    const { length } = bytes;
    writeSegmentHeaders(header, from, 0, length, segment, index, count, to, STRIDE, STRIDE);
    for (let place = 1; place <= count; place++) {
      const payloadAt = end + (index + place - 1) * segment;
      const payload = bytes.subarray(payloadAt, Math.min(payloadAt + segment, bytes.length));
      segments.push(
        Uint8Array.of(...out.subarray(place * STRIDE, place * STRIDE + end), ...payload),
      );
    }
  }
  return segments;
}

for (const [name, addresses] of [["IPv4", IPV4], ["IPv6", IPV6]] as const) {
  for (const [transport, protocol] of [["TCP", TCP], ["UDP", UDP]] as const) {
    Deno.test(`${transport} over ${name}: each segment is a packet of its own`, () => {
      const packet = whole(addresses, protocol, 2_500);
      const segments = cut(packet, 700, 3);
      assert.deepEqual(segments.map(({ length }) => length - headerOf(packet).end), [
        700,
        700,
        700,
        400,
      ]);
      for (const [index, bytes] of segments.entries()) {
        const view = new DataView(bytes.buffer);
        const { at } = headerOf(bytes);
        if (at === 20) {
          assert.equal(onesComplementSum(bytes.subarray(0, 20)), 0xffff, "the header's checksum");
          assert.equal(view.getUint16(2), bytes.length);
          assert.equal(view.getUint16(4), (0xfffe + index) & 0xffff);
        } else assert.equal(view.getUint16(4), bytes.length - 40);
        // Finished as the kernel does, pseudo-header and all sum up to ones.
        const isTcp = protocol === TCP;
        finishChecksum(bytes, 0, bytes.length, at, isTcp ? 16 : 6);
        const pseudo = halfOf(pseudoSum(bytes, protocol, bytes.length - at));
        assert.equal(onesComplementSum(pseudo, bytes.subarray(at)), 0xffff, "the checksum");
        if (!isTcp) {
          assert.equal(view.getUint16(at + 4), bytes.length - at);
          continue;
        }
        assert.equal(view.getUint32(at + 4), (0xffff_ff00 + 700 * index) % 2 ** 32);
        const wanted = index === 0 ? 0x90 : index === segments.length - 1 ? 0x19 : 0x10;
        assert.equal(bytes[at + 13], wanted, "CWR in the first alone, FIN and PSH in the last");
      }
    });

    Deno.test(`${transport} over ${name}: segments become what they were`, () => {
      const packet = whole(addresses, protocol, 2_500);
      // A segment with CWR stands alone; the others are joined.
      const flagsAt = headerOf(packet).at + 13;
      if (protocol === TCP) packet[flagsAt] = 0x19;
      const segments = cut(packet, 700, 64);
      const line = Uint8Array.from(segments.flatMap((bytes) => [...bytes]));
      const view = new DataView(line.buffer);
      const size = segments[0]!.length;
      const header = headerOf(line, size);
      const { end } = header;
      let joined = segments[0]!.length;
      for (let index = 1; index < segments.length; index++) {
        const { length } = segments[index]!;
        const at = index * size;
        assert(
          continues(header, view, 0, at, length, index, joined - end, 700),
          `segment ${index}`,
        );
        assert.equal(endsRun(header, line, at), protocol === TCP && index === segments.length - 1);
        joined += length - end;
      }
      widenHeader(header, view, 0, (segments.length - 1) * size, size, joined);
      assert.deepEqual(line.subarray(0, end), packet.subarray(0, end));
    });

    Deno.test(`${transport} over ${name}: what differs in anything but its place is not joined`, () => {
      const packet = whole(addresses, protocol, 1_400);
      if (protocol === TCP) packet[headerOf(packet).at + 13] = 0x10;
      const [first, second] = cut(packet, 700, 64);
      const line = Uint8Array.of(...first!, ...second!);
      const view = new DataView(line.buffer);
      const size = first!.length;
      const header = headerOf(line, size);
      const { at, end, isTcp, isIpv4 } = header;
      const goesOn = () => continues(header, view, 0, size, size, 1, 700, 700);
      assert(goesOn());
      const isChecksum = (byte: number) =>
        (isIpv4 && (byte === 10 || byte === 11)) ||
        Math.floor((byte - at - header.checksumOffset) / 2) === 0;
      // Where IPv4 may not be cut up, its number says nothing (RFC 6864).
      const isNumber = (byte: number) => isIpv4 && (byte === 4 || byte === 5);
      for (let byte = 0; byte < end; byte++) {
        if (isChecksum(byte) || isNumber(byte)) continue;
        line[size + byte] = (line[size + byte] ?? 0) ^ 0x20;
        assert.equal(goesOn(), false, `byte ${byte}`);
        line[size + byte] = (line[size + byte] ?? 0) ^ 0x20;
      }
      assert.equal(
        continues(header, view, 0, size, size, 1, 700, 699),
        false,
        "larger than the first",
      );
      assert.equal(continues(header, view, 0, size, end, 1, 700, 700), false, "no payload");
      assert.equal(continues(header, view, 0, size, end - 1, 1, 700, 700), false, "cut short");
      if (isTcp) {
        assert.equal(continues(header, view, 0, size, size, 1, 701, 700), false, "a gap");
        line[size + at + 13] = 0x18;
        assert(goesOn(), "PSH is said by the last of a run");
        line[size + at + 13] = 0x90;
        assert.equal(goesOn(), false, "CWR begins a run");
      }
    });
  }
}

Deno.test("numbers of IPv4 packets that may be cut up must go on", () => {
  const packet = whole({ ...IPV4, fragment: 0 }, UDP, 1_400);
  const [first, second] = cut(packet, 700, 64);
  const line = Uint8Array.of(...first!, ...second!);
  const view = new DataView(line.buffer);
  const size = first!.length;
  const header = headerOf(line, size);
  assert(continues(header, view, 0, size, size, 1, 700, 700));
  view.setUint16(size + 4, 0xfffe);
  assert.equal(continues(header, view, 0, size, size, 1, 700, 700), false);
});

Deno.test("only TCP and UDP right behind IP are known, and no fragments", () => {
  const header = new TransportHeader();
  const read = (bytes: Uint8Array, length = bytes.length) => header.read(bytes, 0, length);
  assert(read(whole(IPV4, TCP, 0)));
  assert.equal(read(packet({ ...IPV4, protocol: 1, payload: Array(40).fill(0) })), false);
  assert.equal(read(packet({ ...IPV4, fragment: 0x2000, payload: Array(40).fill(0) })), false);
  assert.equal(read(packet({ ...IPV4, fragment: 1, payload: Array(40).fill(0) })), false);
  assert.equal(read(whole(IPV4, TCP, 0), 40), false, "options that are not there");
  assert.equal(read(whole(IPV6, UDP, 0), 47), false);
});
