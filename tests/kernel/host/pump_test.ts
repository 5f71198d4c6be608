/** What moves the UDP backend's packets, between two namespaces of the real kernel: turn by turn, on the test's own thread. */
import { strict as assert } from "node:assert";
import { pinnedBytes, viewOf } from "../../../ffi/bytes.ts";
import { setTxChecksumming } from "../../../ffi/ethtool.ts";
import { openEventFd, signalEventFd } from "../../../ffi/event_fd.ts";
import { lastErrno, libc, packetCalls } from "../../../ffi/libc.ts";
import { addressAdd } from "../../../ffi/route/address.ts";
import { linkGet, linkSet } from "../../../ffi/route/link.ts";
import { routeAdd } from "../../../ffi/route/route.ts";
import {
  AF_INET,
  bindSocket,
  closeDescriptor,
  openSocket,
  setOption,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
} from "../../../ffi/socket.ts";
import {
  pathMtu,
  putSocketAddress,
  SOCKADDR_BYTES,
  SOL_UDP,
  UDP_SEGMENT,
} from "../../../ffi/udp_offload.ts";
import { parseAddress } from "../../../mod/address/parse.ts";
import { Statistics, statisticsBuffer } from "../../../mod/dataplane/statistics.ts";
import { Pump } from "../../../mod/host/tunnel/pump.ts";
import { cable, Host, kernelTest } from "../ffi/namespace.ts";

const DEVICE = "flannel0";
const PORT = 8_285;
const CONTENT_PORT = 9_000;
const MTU = 1_472;
const PATIENCE_MS = 5_000;
const subnetOf = (number: number) => `10.244.${number}.0/24`;
const underlayOf = (number: number) => `192.168.100.${number}`;
const contentAddress = (number: number) => parseAddress(`10.244.${number}.1`);

// Opened before the tests, or it would look leaked by the first of them.
if (Deno.build.os === "linux") packetCalls();

class Side {
  readonly host = new Host();
  readonly statistics = new Statistics(statisticsBuffer(1));
  readonly #number: number;
  readonly #wake = openEventFd();
  #pump: Pump | null = null;
  device = "";

  constructor(number: 1 | 2) {
    this.#number = number;
  }

  start(underlayIndex: number): void {
    const { transport } = this.host;
    const [number, other] = [this.#number, 3 - this.#number];
    this.device = linkGet(transport, underlayIndex)?.name ?? "";
    const address = underlayOf(number);
    addressAdd(transport, { index: underlayIndex, address, prefixLength: 24 });
    const peer = { hostId: "other", slot: 0, mtu: MTU, silent: false, port: PORT };
    const table = {
      subnet: subnetOf(number),
      peers: [{ ...peer, subnet: subnetOf(other), address: underlayOf(other) }],
    };
    const { buffer: statistics } = this.statistics;
    const options = {
      device: DEVICE,
      address: underlayOf(number),
      port: PORT,
      statistics,
      table,
      wake: this.#wake,
    };
    this.#pump = this.host.run(() => new Pump(options));
    const index = linkGet(transport, DEVICE)?.index ?? 0;
    linkSet(transport, index, { up: true, mtu: MTU });
    addressAdd(transport, { index, address: `10.244.${number}.1`, prefixLength: 32 });
    routeAdd(transport, { destination: "10.244.0.0/16", index, scope: 253 });
  }

  /** Moves what is there. */
  turn(): void {
    signalEventFd(this.#wake);
    assert.equal(this.host.run(() => this.#pump?.run()), "news");
  }

  /** How many packets the device took: several that were joined are one. */
  taken(): number {
    const text = this.host.run(() => Deno.readTextFileSync("/proc/thread-self/net/dev"));
    return Number(/flannel0: *\d+ +(\d+)/.exec(text)?.[1] ?? NaN);
  }

  [Symbol.dispose](): void {
    this.#pump?.close();
    closeDescriptor(this.#wake);
    this.host[Symbol.dispose]();
  }
}

/** A socket that is closed at the end of the block. */
class Plain {
  readonly fd = openSocket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, "open a UDP socket");
  readonly #name = pinnedBytes(SOCKADDR_BYTES);

  bind(address: number, port: number): this {
    putSocketAddress(viewOf(this.#name), 0, address, port);
    bindSocket(this.fd, this.#name, "bind");
    return this;
  }

  connect(address: number, port: number): this {
    putSocketAddress(viewOf(this.#name), 0, address, port);
    assert.equal(libc().connect(this.fd, this.#name, SOCKADDR_BYTES), 0);
    return this;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    const sent = Number(libc().send(this.fd, bytes, BigInt(bytes.length), 0));
    assert.equal(sent, bytes.length, `errno ${lastErrno()}`);
  }

  /** Null when nothing is there. */
  receive(): Uint8Array | null {
    const bytes = pinnedBytes(2_048);
    const length = Number(libc().recv(this.fd, bytes, 2_048n, 0));
    return length < 0 ? null : bytes.subarray(0, length);
  }

  [Symbol.dispose](): void {
    closeDescriptor(this.fd);
  }
}

function startBoth(near: Side, far: Side): void {
  const ends = cable(near.host, far.host);
  near.start(ends.near);
  far.start(ends.far);
}

function turnUntil(sides: readonly Side[], holds: () => boolean): void {
  const deadline = performance.now() + PATIENCE_MS;
  while (!holds()) {
    assert(performance.now() < deadline, "packets arrive in time");
    for (const side of sides) side.turn();
  }
}

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
