/** What stands before a packet on the TUN device, byte by byte after linux/virtio_net.h. */
import assert from "node:assert/strict";
import { TCP, TransportHeader, UDP } from "../../../mod/dataplane/transport_header.ts";
import {
  checksumOffset,
  checksumStart,
  clearVnetHeader,
  needsChecksum,
  putVnetHeader,
  segmentBytes,
  VNET_HEADER_BYTES,
} from "../../../mod/dataplane/vnet_header.ts";
import { packet } from "./packets.ts";

const IPV4 = { source: "10.244.1.2", destination: "10.244.2.3" };
const IPV6 = { source: "fd00:1::2", destination: "fd00:2::3" };
const TCP_HEADER = [0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0, 0, 0, 0, 0, 0, 0];

function vnetOf(parts: typeof IPV4, protocol: number, segment: number): number[] {
  const bytes = packet({ ...parts, protocol, payload: [...TCP_HEADER, 1, 2, 3] });
  const header = new TransportHeader();
  assert(header.read(bytes, 0, bytes.length));
  const out = new Uint8Array(VNET_HEADER_BYTES + 2).fill(0xee);
  putVnetHeader(out, 1, header, segment);
  assert.deepEqual([out[0], out.at(-1)], [0xee, 0xee]);
  const at = 1;
  assert(needsChecksum(out, at));
  assert.equal(segmentBytes(out, at), segment);
  assert.equal(checksumStart(out, at), header.at);
  assert.equal(checksumOffset(out, at), protocol === TCP ? 16 : 6);
  clearVnetHeader(out, 1);
  const cleared = [...out.subarray(1, 1 + VNET_HEADER_BYTES)];
  assert.deepEqual(cleared, Array(VNET_HEADER_BYTES).fill(0));
  putVnetHeader(out, 1, header, segment);
  return [...out.subarray(1, 1 + VNET_HEADER_BYTES)];
}

Deno.test("segments of each kind are said as the kernel reads them", () => {
  // flags, type, then little-endian: header length, segment, where the checksum begins, where it stands.
  assert.deepEqual(vnetOf(IPV4, TCP, 1_420), [1, 1, 40, 0, 0x8c, 5, 20, 0, 16, 0]);
  assert.deepEqual(vnetOf(IPV6, TCP, 1_400), [1, 4, 60, 0, 0x78, 5, 40, 0, 16, 0]);
  assert.deepEqual(vnetOf(IPV4, UDP, 64), [1, 5, 28, 0, 64, 0, 20, 0, 6, 0]);
  assert.deepEqual(vnetOf(IPV6, UDP, 64), [1, 5, 48, 0, 64, 0, 40, 0, 6, 0]);
});

Deno.test("a packet that is one has no segments", () => {
  assert.deepEqual(vnetOf(IPV4, TCP, 0), [1, 0, 40, 0, 0, 0, 20, 0, 16, 0]);
});
