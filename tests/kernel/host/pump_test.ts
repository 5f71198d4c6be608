/** What moves the UDP backend's packets, between two namespaces of the real kernel: turn by turn, on the test's own thread. */
import { strict as assert } from "node:assert";
import { pinnedBytes } from "../../../ffi/bytes.ts";
import { setTxChecksumming } from "../../../ffi/ethtool.ts";
import { linkGet, linkSet } from "../../../ffi/route/link.ts";
import { setOption } from "../../../ffi/socket.ts";
import { pathMtu, SOL_UDP, UDP_SEGMENT } from "../../../ffi/udp_offload.ts";
import { parseAddress } from "../../../mod/address/parse.ts";
import { kernelTest } from "../ffi/namespace.ts";
import {
  CONTENT_PORT,
  contentAddress,
  Plain,
  PORT,
  Side,
  startBoth,
  turnUntil,
  underlayOf,
} from "./pump_side.ts";

for (const isJoined of [true, false]) {
  const underlay = isJoined ? "an underlay that joins them" : "an underlay that does not";
  kernelTest(`packets that are many arrive whole, in order and joined over ${underlay}`, () => {
    const [count, size] = [40, 100];
    using near = new Side(1);
    using far = new Side(2);
    startBoth(near, far);
    if (!isJoined) near.host.run(() => setTxChecksumming(near.device, false));
    using from = near.host.run(() => new Plain()).connect(contentAddress(2), CONTENT_PORT);
    using to = far.host.run(() => new Plain()).bind(contentAddress(2), CONTENT_PORT);
    setOption(from.fd, SOL_UDP, UDP_SEGMENT, size, "set UDP_SEGMENT");
    const content = pinnedBytes(count * size - 1);
    content.forEach((_, index) => content[index] = Math.floor(index / size));
    from.send(content);
    const arrived: Uint8Array[] = [];
    turnUntil([near, far], () => {
      for (let bytes = to.receive(); bytes !== null; bytes = to.receive()) arrived.push(bytes);
      return arrived.length === count;
    });
    for (const [index, bytes] of arrived.entries()) {
      assert.equal(bytes.length, index === count - 1 ? size - 1 : size);
      assert(bytes.every((octet) => octet === index), `datagram ${index} has its own content`);
    }
    const bytes = content.length + count * 28;
    assert.deepEqual(near.statistics.trafficOf(0), {
      packetsSent: count,
      bytesSent: bytes,
      packetsReceived: 0,
      bytesReceived: 0,
    });
    assert.equal(far.statistics.trafficOf(0).packetsReceived, count);
    assert.equal(far.statistics.trafficOf(0).bytesReceived, bytes);
    assert(far.taken() < count / 2, `the device took ${far.taken()} packets`);
  });
}

kernelTest("who sends more than the path takes is told how much that is", () => {
  using near = new Side(1);
  using far = new Side(2);
  startBoth(near, far);
  const { transport } = near.host;
  linkSet(transport, linkGet(transport, near.device)?.index ?? 0, { mtu: 1_000 });
  using from = near.host.run(() => new Plain()).connect(contentAddress(2), CONTENT_PORT);
  from.send(pinnedBytes(1_200));
  turnUntil([near], () => near.statistics.drops()["too-big"] === 1);
  assert.equal(near.host.run(() => pathMtu(contentAddress(2), CONTENT_PORT)), 1_000 - 28);
});

kernelTest("what was gathered with a packet that is too long, and is not, arrives", () => {
  using near = new Side(1);
  using far = new Side(2);
  startBoth(near, far);
  const { transport } = near.host;
  linkSet(transport, linkGet(transport, near.device)?.index ?? 0, { mtu: 1_000 });
  using from = near.host.run(() => new Plain()).connect(contentAddress(2), CONTENT_PORT);
  using to = far.host.run(() => new Plain()).bind(contentAddress(2), CONTENT_PORT);
  from.send(pinnedBytes(1_200));
  from.send(pinnedBytes(900).fill(7));
  let arrived: Uint8Array | null = null;
  turnUntil([near, far], () => (arrived = to.receive()) !== null);
  assert.deepEqual(arrived, new Uint8Array(900).fill(7));
  assert.equal(near.statistics.drops()["too-big"], 1);
});

kernelTest("datagrams that no member sent are dropped and counted", () => {
  using near = new Side(1);
  using far = new Side(2);
  startBoth(near, far);
  using from = near.host.run(() => new Plain()).connect(parseAddress(underlayOf(2)), PORT);
  from.send(pinnedBytes(100));
  from.send(pinnedBytes(0));
  turnUntil([far], () => {
    const drops = far.statistics.drops();
    return drops["unknown-sender"] === 1 && drops.truncated === 1;
  });
  assert.equal(far.taken(), 0);
});
