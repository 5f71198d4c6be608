/** What moves the UDP backend's packets when the kernel refuses: full sockets, missing offloads, devices that come and go. */
import { strict as assert } from "node:assert";
import { pinnedBytes, viewOf } from "../../../ffi/bytes.ts";
import { check, libc } from "../../../ffi/libc.ts";
import { linkDelete, linkGet, linkSet } from "../../../ffi/route/link.ts";
import {
  closeDescriptor,
  setOption,
  SO_RCVBUF,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SOL_SOCKET,
} from "../../../ffi/socket.ts";
import { openTun } from "../../../ffi/tun_device.ts";
import { SOL_UDP, UDP_SEGMENT } from "../../../ffi/udp_offload.ts";
import { parseAddress } from "../../../mod/address/parse.ts";
import { kernelTest } from "../ffi/namespace.ts";
import {
  CONTENT_PORT,
  contentAddress,
  DEVICE,
  makeDevice,
  peerOf,
  Plain,
  PORT,
  Side,
  SO_NO_CHECK,
  startBoth,
  turnUntil,
  underlayOf,
} from "./pump_side.ts";

const SOL_IP = 0;
const IP_MTU_DISCOVER = 10;
const IP_PMTUDISC_DONT = 0;
/** _IOW('T', 216, int). */
const TUNSETVNETHDRSZ = 0x4004_54d8;

function sender(side: Side, number: number): Plain {
  return side.host.run(() => new Plain()).connect(contentAddress(number), CONTENT_PORT);
}

function taker(side: Side, number: number): Plain {
  return side.host.run(() => new Plain()).bind(contentAddress(number), CONTENT_PORT);
}

/** All that has come. */
function take(from: Plain): Uint8Array[] {
  const all = [];
  for (let bytes = from.receive(); bytes !== null; bytes = from.receive()) all.push(bytes);
  return all;
}

function descriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

kernelTest("a device that is not there is not made: it is the overlay's", () => {
  using side = new Side(1);
  const before = descriptors();
  assert.throws(() => side.open([peerOf(2)]), /there is no device flannel0/);
  assert.equal(linkGet(side.host.transport, DEVICE), null);
  assert.equal(descriptors(), before);
});

kernelTest("somebody else's device of that name is not touched", () => {
  using side = new Side(1);
  for (const alias of ["", "gossamer 2", "of the VPN"]) {
    makeDevice(side.host, alias);
    assert.throws(() => side.open([peerOf(2)]), /device flannel0 is not this agent's/);
    const { transport } = side.host;
    linkDelete(transport, linkGet(transport, DEVICE)?.index ?? 0);
  }
});

kernelTest("what cannot be started leaves nothing open", () => {
  using side = new Side(1);
  makeDevice(side.host);
  const before = descriptors();
  const table = { subnet: "nonsense", peers: [] };
  assert.throws(() => side.open([], { table, address: "127.0.0.1" }), /nonsense/);
  assert.equal(descriptors(), before);
});

kernelTest("a device that another program used differently is used as ours", () => {
  using near = new Side(1);
  using far = new Side(2);
  makeDevice(near.host);
  near.host.run(() => {
    const fd = openTun(DEVICE, false);
    const size = pinnedBytes(4);
    viewOf(size).setInt32(0, 12, true);
    check("change the header", libc().ioctl(fd, BigInt(TUNSETVNETHDRSZ), size));
    closeDescriptor(fd);
  });
  startBoth(near, far);
  using from = sender(near, 2);
  using to = taker(far, 2);
  from.send(pinnedBytes(100).fill(7));
  turnUntil([near, far], () => (to.receive()?.length ?? 0) === 100);
});

kernelTest("a device that is deleted ends the run; one that is down does not", () => {
  using near = new Side(1);
  using far = new Side(2);
  startBoth(near, far);
  const { transport } = near.host;
  const index = linkGet(transport, DEVICE)?.index ?? 0;
  using from = sender(far, 1);
  linkSet(transport, index, { up: false });
  from.send(pinnedBytes(100));
  turnUntil([far, near], () => near.statistics.drops()["device-refused"] === 1);
  assert.equal(near.statistics.trafficOf(0).packetsReceived, 0, "what was refused was not carried");
  linkDelete(transport, index);
  assert.equal(near.run(), "gone");
});

kernelTest(
  "while the socket is full packets are still received, and what waits too long is dropped",
  () => {
    using near = new Side(1);
    using far = new Side(2);
    startBoth(near, far, [peerOf(2), peerOf(3, 1)]);
    const socket = near.socket();
    setOption(socket, SOL_SOCKET, SO_SNDBUF, 4_096, "SO_SNDBUF");
    using silent = sender(near, 3);
    using from = sender(far, 1);
    using to = taker(near, 1);
    // Nobody answers for that host's address: the first stays in the kernel, on the socket's account.
    setOption(silent.fd, SOL_UDP, UDP_SEGMENT, 1_400, "set UDP_SEGMENT");
    for (let count = 0; count < 4; count++) silent.send(pinnedBytes(28_000));
    for (let count = 0; count < 20; count++) from.send(pinnedBytes(100));
    far.turn();
    near.turn();
    assert.equal(take(to).length, 20, "the other direction goes on");
    assert.equal(near.statistics.drops()["socket-full"], 0, "it is waited for");
    turnUntil([near], () => near.statistics.drops()["socket-full"] > 0);
    setOption(socket, SOL_SOCKET, SO_SNDBUFFORCE, 8_000_000, "SO_SNDBUFFORCE");
    turnUntil([near], () => {
      const { packetsSent } = near.statistics.trafficOf(1);
      return packetsSent + near.statistics.drops()["socket-full"] === 80;
    });
  },
);

kernelTest("what waits behind packets for a host that is another one by then is sent", () => {
  using near = new Side(1);
  using far = new Side(2);
  startBoth(near, far, [peerOf(2), peerOf(3, 1)]);
  const socket = near.socket();
  using silent = sender(near, 3);
  using from = sender(near, 2);
  silent.send(pinnedBytes(1_400));
  near.turn();
  setOption(socket, SOL_SOCKET, SO_SNDBUF, 0, "SO_SNDBUF");
  silent.send(pinnedBytes(1_400));
  near.turn();
  silent.send(pinnedBytes(1_400)); // for which the socket is too full
  from.send(pinnedBytes(100));
  near.turn();
  near.use(peerOf(2));
  setOption(socket, SOL_SOCKET, SO_SNDBUFFORCE, 8_000_000, "SO_SNDBUFFORCE");
  near.turn();
  near.turn();
  assert.equal(near.statistics.drops()["no-host"], 1);
  assert.equal(near.statistics.trafficOf(0).packetsSent, 1);
});

for (const isApart of [false, true]) {
  const how = isApart ? "one by one" : "together";
  kernelTest(
    `what waits for a full socket arrives when there is room, ${how}, all and in order`,
    () => {
      using near = new Side(1);
      using far = new Side(2);
      startBoth(near, far, [peerOf(2), peerOf(3, 1)]);
      const socket = near.socket();
      using silent = sender(near, 3);
      using from = sender(near, 2);
      using to = taker(far, 2);
      silent.send(pinnedBytes(1_400));
      near.turn();
      if (isApart) setOption(socket, SOL_SOCKET, SO_NO_CHECK, 1, "SO_NO_CHECK");
      setOption(socket, SOL_SOCKET, SO_SNDBUF, 0, "SO_SNDBUF");
      silent.send(pinnedBytes(1_400));
      silent.send(pinnedBytes(1_400));
      silent.send(pinnedBytes(1_400));
      // More than one call takes, so that it waits in its middle.
      const [count, size] = [120, 500];
      setOption(from.fd, SOL_UDP, UDP_SEGMENT, size, "set UDP_SEGMENT");
      const content = pinnedBytes(count * size);
      content.forEach((_, index) => content[index] = Math.floor(index / size));
      from.send(content);
      from.send(pinnedBytes(300).fill(200));
      near.turn();
      setOption(socket, SOL_SOCKET, SO_SNDBUFFORCE, 8_000_000, "SO_SNDBUFFORCE");
      const arrived: Uint8Array[] = [];
      turnUntil([near, far], () => {
        arrived.push(...take(to));
        return arrived.length > count;
      });
      const wanted = [...Array.from({ length: count }, (_, index) => index), 200];
      assert.deepEqual(arrived.map(([first]) => first), wanted);
      assert.equal(near.statistics.trafficOf(1).packetsSent, 4, "and what stays in the kernel");
    },
  );
}

kernelTest("what waits for a host that is another one by then is dropped", () => {
  using near = new Side(1);
  using far = new Side(2);
  startBoth(near, far, [peerOf(2), peerOf(3, 1)]);
  const socket = near.socket();
  setOption(socket, SOL_SOCKET, SO_SNDBUF, 0, "SO_SNDBUF");
  using silent = sender(near, 3);
  for (let count = 0; count < 8; count++) {
    silent.send(pinnedBytes(1_400));
    near.turn();
  }
  const { packetsSent } = near.statistics.trafficOf(1);
  near.use({ ...peerOf(3, 0), address: underlayOf(2) }, {
    ...peerOf(2, 1),
    address: underlayOf(9),
  });
  setOption(socket, SOL_SOCKET, SO_SNDBUFFORCE, 8_000_000, "SO_SNDBUFFORCE");
  near.turn();
  assert.ok(near.statistics.drops()["no-host"] > 0, "it went nowhere");
  assert.equal(near.statistics.trafficOf(1).packetsSent, packetsSent);
});

kernelTest(
  "where the kernel does not cut datagrams up they go one by one, and from then on",
  () => {
    using near = new Side(1);
    using far = new Side(2);
    startBoth(near, far);
    const socket = near.socket();
    using from = sender(near, 2);
    using to = taker(far, 2);
    const [count, size] = [40, 100];
    const content = pinnedBytes(count * size - 1);
    content.forEach((_, index) => content[index] = Math.floor(index / size));
    setOption(from.fd, SOL_UDP, UDP_SEGMENT, size, "set UDP_SEGMENT");
    // As with IPsec below, and with a device that counts no checksums before Linux 6.11.
    setOption(socket, SOL_SOCKET, SO_NO_CHECK, 1, "SO_NO_CHECK");
    for (const round of [0, 1]) {
      const before = near.sentByUnderlay();
      from.send(content);
      const arrived: Uint8Array[] = [];
      turnUntil([near, far], () => {
        arrived.push(...take(to));
        return arrived.length === count;
      });
      assert.deepEqual(arrived.map(([first]) => first), [...arrived.keys()]);
      assert.equal(near.statistics.trafficOf(0).packetsSent, count * (round + 1));
      assert.ok(near.sentByUnderlay() - before >= count, "one by one");
      setOption(socket, SOL_SOCKET, SO_NO_CHECK, 0, "SO_NO_CHECK");
    }
    const { multicast: _, ...drops } = near.statistics.drops();
    assert.ok(Object.values(drops).every((dropped) => dropped === 0), JSON.stringify(drops));
  },
);

kernelTest("nothing goes behind a shorter packet by the same call", () => {
  using near = new Side(1);
  using far = new Side(2);
  startBoth(near, far);
  using from = sender(near, 2);
  using to = taker(far, 2);
  setOption(from.fd, SOL_UDP, UDP_SEGMENT, 100, "set UDP_SEGMENT");
  const lengths = [250, 220, 300, 100];
  for (const length of lengths) from.send(pinnedBytes(length).fill(length / 10));
  const arrived: Uint8Array[] = [];
  turnUntil([near, far], () => {
    arrived.push(...take(to));
    return arrived.length >= 10;
  });
  assert.deepEqual(arrived.map((bytes) => [bytes.length, bytes[0]]), [
    [100, 25],
    [100, 25],
    [50, 25],
    [100, 22],
    [100, 22],
    [20, 22],
    [100, 30],
    [100, 30],
    [100, 30],
    [100, 10],
  ]);
});

kernelTest("a host that cannot be sent to does not end the use of offloads", () => {
  using near = new Side(1);
  using far = new Side(2);
  startBoth(near, far, [peerOf(2), { ...peerOf(3, 1), port: 0 }]);
  using wrong = sender(near, 3);
  using from = sender(near, 2);
  for (const socket of [wrong, from]) setOption(socket.fd, SOL_UDP, UDP_SEGMENT, 100, "segment");
  wrong.send(pinnedBytes(4_000));
  turnUntil([near], () => near.statistics.drops()["send-failed"] === 40);
  const before = near.sentByUnderlay();
  from.send(pinnedBytes(4_000));
  turnUntil([near], () => near.statistics.trafficOf(0).packetsSent === 40);
  assert.ok(near.sentByUnderlay() - before < 40, "they are still sent together");
});

kernelTest("segments that are too long for the path and may be cut up arrive", () => {
  using near = new Side(1);
  using far = new Side(2);
  startBoth(near, far);
  const { transport } = near.host;
  linkSet(transport, linkGet(transport, near.device)?.index ?? 0, { mtu: 1_000 });
  using from = sender(near, 2);
  using to = taker(far, 2);
  setOption(from.fd, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT, "IP_MTU_DISCOVER");
  setOption(from.fd, SOL_UDP, UDP_SEGMENT, 1_200, "UDP_SEGMENT");
  from.send(pinnedBytes(6_000).fill(9));
  const arrived: Uint8Array[] = [];
  turnUntil([near, far], () => {
    arrived.push(...take(to));
    return arrived.length === 5;
  });
  for (const bytes of arrived) assert.deepEqual(bytes, new Uint8Array(1_200).fill(9));
  assert.equal(near.statistics.trafficOf(0).packetsSent, 5);
  assert.equal(near.statistics.drops()["too-big"], 0);
});

kernelTest("what the kernel drops because nobody takes it is counted", () => {
  using near = new Side(1);
  using far = new Side(2);
  startBoth(near, far);
  setOption(near.socket(), SOL_SOCKET, SO_RCVBUF, 100_000, "SO_RCVBUF");
  using from = sender(far, 1);
  // Each longer than the one before, so that each is sent by itself.
  for (let count = 0; count < 400; count++) from.send(pinnedBytes(100 + 3 * count));
  turnUntil([far], () => far.statistics.trafficOf(0).packetsSent === 400);
  near.turn();
  const { packetsReceived } = near.statistics.trafficOf(0);
  assert.ok(packetsReceived < 400, "there was not room for all");
  assert.equal(near.statistics.drops()["queue-full"], 400 - packetsReceived);
});

kernelTest("neither direction takes the other's turn", () => {
  using near = new Side(1);
  using far = new Side(2);
  startBoth(near, far);
  using from = sender(near, 2);
  using back = sender(far, 1);
  // Different sizes, so that they are neither gathered nor joined.
  const size = (index: number) => 20 + (index * 37) % 400;
  for (let index = 0; index < 400; index++) {
    from.send(pinnedBytes(size(index)));
    back.send(pinnedBytes(size(index)));
  }
  far.turn();
  far.turn();
  near.turn();
  const { packetsSent, packetsReceived } = near.statistics.trafficOf(0);
  assert.ok(
    packetsSent > 100 && packetsReceived > packetsSent / 2,
    `${packetsSent}, ${packetsReceived}`,
  );
});

kernelTest("the agent is heard after two megabytes at most", () => {
  using near = new Side(1);
  using far = new Side(2);
  startBoth(near, far);
  using from = sender(near, 2);
  setOption(from.fd, SOL_UDP, UDP_SEGMENT, 1_400, "UDP_SEGMENT");
  for (let count = 0; count < 100; count++) from.send(pinnedBytes(44_800));
  near.turn();
  const { bytesSent } = near.statistics.trafficOf(0);
  assert.ok(bytesSent > 1_000_000 && bytesSent < 2_200_000, `${bytesSent} bytes`);
});

kernelTest("a peer that moved is sent to where it is, and heard from there alone", () => {
  using near = new Side(1);
  using far = new Side(2);
  startBoth(near, far);
  using moved = far.host.run(() => new Plain()).bind(parseAddress(underlayOf(2)), PORT + 1);
  using from = sender(near, 2);
  from.send(pinnedBytes(100));
  near.use({ ...peerOf(2), port: PORT + 1 });
  near.turn();
  assert.equal(take(moved).length, 1, "also what was waiting");
  using back = sender(far, 1);
  back.send(pinnedBytes(100));
  turnUntil([far, near], () => near.statistics.drops()["unknown-sender"] === 1);
  assert.equal(near.statistics.trafficOf(0).packetsReceived, 0);
});
