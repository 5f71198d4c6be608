/**
 * Hostile packets on their whole way through what moves them, on sockets of the real kernel. What comes in datagrams goes to
 * the device as exactly those packets that members may send, whatever was joined; and what a device says of its packets is
 * not believed. Where the device would be there is a socket, so that what is written can be read.
 *
 * `GOSSAMER_HOSTILE=1000000` for as many datagrams as the project promises.
 */
import { strict as assert } from "node:assert";
import { cString, pinnedBytes } from "../../../ffi/bytes.ts";
import { libc } from "../../../ffi/libc.ts";
import { closeDescriptor, setOption, SO_RCVBUFFORCE, SOL_SOCKET } from "../../../ffi/socket.ts";
import { openOffloadSocket, SOL_UDP, UDP_SEGMENT } from "../../../ffi/udp_offload.ts";
import { parseAddress } from "../../../mod/address/parse.ts";
import { Random } from "../../../mod/base/random.ts";
import { ForwardingTable, type PeerEntry } from "../../../mod/dataplane/forwarding_table.ts";
import { Statistics, statisticsBuffer } from "../../../mod/dataplane/statistics.ts";
import { Receiver } from "../../../mod/host/tunnel/receiver.ts";
import { Sender } from "../../../mod/host/tunnel/sender.ts";
import { Host, kernelTest } from "../ffi/namespace.ts";
import {
  bytesOf,
  cutUp,
  type Ends,
  Flow,
  isRightHeader,
  isTransport,
  mutated,
  plain,
  VNET_HEADER_BYTES,
} from "./hostile_packets.ts";
import { Plain } from "./pump_side.ts";

const SEED = 6;
const PACKETS = Number(Deno.env.get("GOSSAMER_HOSTILE") ?? 20_000);
const UNFINISHED = 0x80;
const HERE = parseAddress("127.0.0.1");
const PORT = 8_285;
const MEMBER_PORT = 9_001;
const STRANGER_PORT = 9_002;
const DEVICE_PORT = 9_003;
const KERNEL_PORT = 9_004;
const MEMBER: PeerEntry = {
  hostId: "member",
  slot: 0,
  subnet: "10.244.9.0/24",
  ipv6Subnet: "fd00:0:0:9::/64",
  address: "127.0.0.1",
  port: MEMBER_PORT,
  mtu: 1_472,
  silent: false,
};
const TABLE = { subnet: "10.244.7.0/24", ipv6Subnet: "fd00:0:0:7::/64", peers: [MEMBER] };
/** A group of what follows each other; joined they are shorter than a datagram may be, or the device's socket would refuse. */
const GROUP_MAX = 60;

/** A container of the host of that number. */
function addressIn(random: Random, host: number, isIpv4: boolean): Uint8Array {
  if (isIpv4) return Uint8Array.of(10, 244, host, 1 + random.below(3));
  return Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, host, 0, 0, 0, 0, 0, 0, 0, 1 + random.below(3));
}

/** Now and then from or to somewhere else. */
function endsOf(random: Random, from: number, to: number): Ends {
  const isIpv4 = random.below(2) === 0;
  const other = () => random.below(20) === 0 ? 55 : 0;
  return {
    source: addressIn(random, other() || from, isIpv4),
    destination: addressIn(random, other() || to, isIpv4),
  };
}

/** All but a device. */
class Stage {
  readonly #host = new Host();
  readonly statistics = new Statistics(statisticsBuffer(1));
  readonly socket = this.#host.run(() => openOffloadSocket(HERE, PORT));
  readonly member = this.#plain(MEMBER_PORT, PORT);
  readonly stranger = this.#plain(STRANGER_PORT, PORT);
  /** The two ends of what stands for the device: ours, and the kernel's. */
  readonly device = this.#plain(DEVICE_PORT, KERNEL_PORT);
  readonly kernel = this.#plain(KERNEL_PORT, DEVICE_PORT);
  readonly table = new ForwardingTable(TABLE);

  /** With room for all that becomes of one packet. */
  #plain(port: number, to: number): Plain {
    const end = this.#host.run(() => new Plain()).bind(HERE, port).connect(HERE, to);
    setOption(end.fd, SOL_SOCKET, SO_RCVBUFFORCE, 8_000_000, "SO_RCVBUFFORCE");
    return end;
  }

  get dropped(): number {
    return Object.values(this.statistics.drops()).reduce((sum, count) => sum + count, 0);
  }

  [Symbol.dispose](): void {
    for (const end of [this.member, this.stranger, this.device, this.kernel]) end[Symbol.dispose]();
    closeDescriptor(this.socket);
    this.#host[Symbol.dispose]();
  }
}

function takeAll(from: Plain): Uint8Array[] {
  const all = [];
  for (let bytes = from.receive(65_536); bytes !== null; bytes = from.receive(65_536)) {
    all.push(bytes);
  }
  return all;
}

function sendOne(from: Plain, bytes: Uint8Array, segment = 0): void {
  setOption(from.fd, SOL_UDP, UDP_SEGMENT, segment, "UDP_SEGMENT");
  const pinned = pinnedBytes(bytes.length);
  pinned.set(bytes);
  from.send(pinned);
}

interface Datagram {
  readonly bytes: Uint8Array;
  readonly from: Plain;
}

/** Those of one size by one call, as members send them: some of what follows is joined by the kernel, some is not. */
function sendAll(datagrams: readonly Datagram[]): void {
  for (let at = 0; at < datagrams.length;) {
    const { bytes: { length: size }, from } = datagrams[at]!;
    let until = at + 1;
    while (size > 0 && datagrams[until]?.bytes.length === size && datagrams[until]?.from === from) {
      until++;
    }
    const together = datagrams.slice(at, until).flatMap(({ bytes }) => [...bytes]);
    sendOne(from, Uint8Array.from(together), until - at > 1 ? size : 0);
    at = until;
  }
}

kernelTest("of hostile datagrams the device gets exactly the packets that members may send", () => {
  using stage = new Stage();
  const { statistics, table, member, stranger } = stage;
  const receiver = new Receiver(stage.device.fd, stage.socket, true, statistics, table);
  const random = new Random(SEED);
  let [sent, taken, messages] = [0, 0, 0];
  while (sent < PACKETS) {
    const flow = new Flow(random, endsOf(random, 9, 7));
    const group = Array.from({ length: 1 + random.below(GROUP_MAX) }, () => {
      const isShort = random.below(10) === 0;
      const payload = isShort ? random.below(flow.segment) : flow.segment;
      const from = random.below(20) > 0 ? member : stranger;
      return { bytes: mutated(random, flow.packet(random, payload)), from };
    });
    sendAll(group);
    sent += group.length;
    receiver.run();
    const wanted = group.flatMap(({ bytes: datagram, from }) => {
      const bytes = datagram.slice();
      const isUnfinished = ((bytes[0] ?? 0) & UNFINISHED) !== 0;
      if (bytes.length > 0) bytes[0]! &= ~UNFINISHED;
      const slot = table.incoming(bytes, 0, bytes.length, HERE, MEMBER_PORT);
      const mayGo = from === member && slot === 0 && (!isUnfinished || isTransport(bytes));
      return mayGo ? plain(bytes, isUnfinished) : [];
    });
    const got = takeAll(stage.kernel);
    for (const message of got) assert.ok(isRightHeader(message), message.toHex());
    const cut = got.flatMap((message) =>
      cutUp(message).map((bytes) => plain(bytes, message[0] !== 0))
    );
    assert.deepEqual(cut, wanted, `after ${sent} datagrams`);
    taken += wanted.length;
    messages += got.length;
    assert.equal(statistics.trafficOf(0).packetsReceived, taken);
    assert.equal(stage.dropped, sent - taken, "each that is not taken is counted, once");
  }
  // It was worth it: packets were joined, and each fault was met.
  assert.ok(taken > sent / 3 && messages < taken * 0.6, `${sent}, ${taken}, ${messages}`);
  const drops = statistics.drops();
  const met = ["truncated", "malformed", "unknown-sender", "foreign-source"] as const;
  for (const name of [...met, "foreign-destination", "bad-frame"] as const) {
    assert.ok(drops[name] > sent / 1_000, `${name}: ${drops[name]} of ${sent}`);
  }
});

kernelTest(
  "whatever a device says of a packet, it is sent as what it is, or dropped and counted",
  () => {
    using stage = new Stage();
    const { statistics, table } = stage;
    const sender = new Sender(stage.device.fd, stage.socket, statistics, table);
    const random = new Random(SEED);
    let [cutPackets, wholePackets] = [0, 0];
    const rounds = Math.ceil(PACKETS / 20);
    for (let round = 0; round < rounds; round++) {
      const flow = new Flow(random, endsOf(random, 7, 9));
      const packet = flow.packet(random, random.below(3_000));
      const isIpv4 = packet[0]! >> 4 === 4;
      const at = isIpv4 ? 4 * (packet[0]! & 15) : 40;
      const isTcp = packet[isIpv4 ? 9 : 6] === 6;
      const header = new DataView(new ArrayBuffer(VNET_HEADER_BYTES));
      const size = [0, 1, 7, 100, 500, 1_000, 1_400, 65_535][random.below(8)] ?? 0;
      header.setUint8(0, 1);
      header.setUint8(1, size === 0 ? 0 : isTcp ? (isIpv4 ? 1 : 4) : 5);
      header.setUint16(4, size, true);
      header.setUint16(6, at, true);
      header.setUint16(8, isTcp ? 16 : 6, true);
      const isLying = random.below(2) === 0;
      // The type and where the checksum is; 2 is the length of headers, which nobody needs.
      if (isLying) header.setUint8([0, 1, 4, 5, 6, 7, 8, 9][random.below(8)]!, random.below(256));
      const message = Uint8Array.of(...new Uint8Array(header.buffer), ...packet);
      if (random.below(10) === 0) {
        message[VNET_HEADER_BYTES + random.below(60)]! ^= 1 <<
          random.below(8);
      }
      const before = { sent: statistics.trafficOf(0).packetsSent, dropped: stage.dropped };
      sendOne(stage.kernel, message);
      assert.equal(sender.run(round * 1_000), true);
      const arrived = takeAll(stage.member);
      takeAll(stage.kernel); // answers
      const sent = statistics.trafficOf(0).packetsSent - before.sent;
      assert.equal(arrived.length, sent, "what is counted as sent was sent");
      if (sent === 0) {
        assert.ok(stage.dropped > before.dropped, "nothing gets lost in silence");
        continue;
      }
      assert.equal(stage.dropped, before.dropped);
      const vnet = new DataView(message.buffer);
      const sumEnd = vnet.getUint16(6, true) + vnet.getUint16(8, true) + 2;
      const hasSum = (vnet.getUint8(0) & 1) !== 0;
      assert.ok(!hasSum || sumEnd <= packet.length, "no checksum stands behind the packet");
      const isUnfinished = (arrived[0]![0]! & UNFINISHED) !== 0;
      for (const bytes of arrived) {
        assert.equal((bytes[0]! & UNFINISHED) !== 0, isUnfinished);
        bytes[0]! &= ~UNFINISHED;
      }
      const wanted = cutUp(message).map((bytes) => plain(bytes, true));
      if (wanted.length > 1) cutPackets++;
      else wholePackets++;
      // A checksum that stands where no protocol that we know has it is finished on the spot.
      if (!isUnfinished) continue;
      assert.deepEqual(arrived.map((bytes) => plain(bytes, true)), wanted);
    }
    assert.ok(
      cutPackets > rounds / 20 && wholePackets > rounds / 20,
      `${cutPackets}, ${wholePackets}`,
    );
    assert.ok(statistics.drops()["bad-frame"] > rounds / 50, JSON.stringify(statistics.drops()));
  },
);

kernelTest("a device that gives nothing but noise is read to the end", () => {
  using stage = new Stage();
  const sender = new Sender(stage.device.fd, stage.socket, stage.statistics, stage.table);
  const random = new Random(SEED);
  for (let round = 0; round < 200; round++) {
    sendOne(stage.kernel, bytesOf(random, random.below(2_000)));
    assert.equal(sender.run(round), true);
  }
  assert.equal(stage.statistics.trafficOf(0).packetsSent, 0);
});

kernelTest("what gives nothing but errors is given up, and not asked for ever", () => {
  using stage = new Stage();
  const O_WRONLY = 1;
  const fd = libc().open(cString("/dev/null"), O_WRONLY, 0);
  try {
    const sender = new Sender(fd, stage.socket, stage.statistics, stage.table);
    const receiver = new Receiver(fd, fd, true, stage.statistics, stage.table);
    const turns = Array.from({ length: 10 }, (_, turn) => turn);
    assert.throws(() => turns.forEach((turn) => sender.run(turn)), /read from the TUN device/);
    assert.throws(() => turns.forEach(() => receiver.run()), /receive packets/);
  } finally {
    closeDescriptor(fd);
  }
});
