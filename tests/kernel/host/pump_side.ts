/** Two hosts whose packets are moved turn by turn, on the test's own thread, for the tests of what moves them. */
import { strict as assert } from "node:assert";
import { hex, pinnedBytes, viewOf } from "../../../ffi/bytes.ts";
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
  SOCK_DGRAM,
  SOCK_NONBLOCK,
} from "../../../ffi/socket.ts";
import { openTun, persistTun } from "../../../ffi/tun_device.ts";
import { putSocketAddress, SOCKADDR_BYTES } from "../../../ffi/udp_offload.ts";
import { parseAddress } from "../../../mod/address/parse.ts";
import type { PeerEntry } from "../../../mod/dataplane/forwarding_table.ts";
import { Statistics, statisticsBuffer } from "../../../mod/dataplane/statistics.ts";
import { Pump, type PumpPause, type PumpStart } from "../../../mod/host/tunnel/pump.ts";
import { cable, Host } from "../ffi/namespace.ts";

export const DEVICE = "flannel0";
/** Which says whose it is. */
export const ALIAS = "gossamer 1";
export const PORT = 8_285;
/** Without checksums the kernel sends nothing together. */
export const SO_NO_CHECK = 11;
export const CONTENT_PORT = 9_000;
export const MTU = 1_472;
const PATIENCE_MS = 5_000;
const SLOTS = 2;
const subnetOf = (number: number) => `10.244.${number}.0/24`;

export function underlayOf(number: number): string {
  return `192.168.100.${number}`;
}

/** From which and to which the tests send. */
export function contentAddress(number: number): number {
  return parseAddress(`10.244.${number}.1`);
}

// Opened before the tests, or it would look leaked by the first of them.
if (Deno.build.os === "linux") packetCalls();

/** What the other side is told of a host. */
export function peerOf(number: number, slot = 0): PeerEntry {
  const [subnet, address] = [subnetOf(number), underlayOf(number)];
  return { hostId: `h${number}`, slot, mtu: MTU, silent: false, port: PORT, subnet, address };
}

/** A device as the overlay makes it. */
export function makeDevice(host: Host, alias = ALIAS): void {
  const { transport } = host;
  host.run(() => {
    const fd = openTun(DEVICE, false);
    linkSet(transport, linkGet(transport, DEVICE)?.index ?? 0, { alias });
    persistTun(fd);
    closeDescriptor(fd);
  });
}

export class Side {
  readonly host = new Host();
  readonly statistics = new Statistics(statisticsBuffer(SLOTS));
  readonly #number: number;
  readonly #wake = openEventFd();
  #pump: Pump | null = null;
  device = "";

  constructor(number: 1 | 2) {
    this.#number = number;
  }

  start(underlayIndex: number, peers: readonly PeerEntry[] = [peerOf(3 - this.#number)]): void {
    const { transport } = this.host;
    const number = this.#number;
    this.device = linkGet(transport, underlayIndex)?.name ?? "";
    const address = underlayOf(number);
    addressAdd(transport, { index: underlayIndex, address, prefixLength: 24 });
    makeDevice(this.host);
    this.open(peers);
    const index = linkGet(transport, DEVICE)?.index ?? 0;
    linkSet(transport, index, { up: true, mtu: MTU });
    addressAdd(transport, { index, address: `10.244.${number}.1`, prefixLength: 32 });
    routeAdd(transport, { destination: "10.244.0.0/16", index, scope: 253 });
  }

  open(peers: readonly PeerEntry[], different: Partial<PumpStart> = {}): void {
    const number = this.#number;
    const { buffer: statistics } = this.statistics;
    const options: PumpStart = {
      device: DEVICE,
      alias: ALIAS,
      address: underlayOf(number),
      port: PORT,
      statistics,
      table: { subnet: subnetOf(number), peers },
      wake: this.#wake,
      ...different,
    };
    this.#pump = this.host.run(() => new Pump(options));
  }

  use(...peers: readonly PeerEntry[]): void {
    this.#pump?.use({ subnet: subnetOf(this.#number), peers });
  }

  /** Moves what is there. */
  turn(): void {
    assert.equal(this.run(), "news");
  }

  run(): PumpPause | undefined {
    signalEventFd(this.#wake);
    return this.host.run(() => this.#pump?.run());
  }

  /** How many packets the device took: several that were joined are one. */
  taken(): number {
    return Number(/flannel0: *\d+ +(\d+)/.exec(this.#devices())?.[1] ?? NaN);
  }

  /** How many packets left by the underlay: those that it cuts up itself are one. */
  sentByUnderlay(): number {
    return Number(/eth0:(?: *\d+){9} +(\d+)/.exec(this.#devices())?.[1] ?? NaN);
  }

  #devices(): string {
    return this.host.run(() => Deno.readTextFileSync("/proc/thread-self/net/dev"));
  }

  /** The one that the pump has, for tests that change what it can do. */
  socket(): number {
    return socketOf(underlayOf(this.#number), PORT);
  }

  [Symbol.dispose](): void {
    this.#pump?.close();
    closeDescriptor(this.#wake);
    this.host[Symbol.dispose]();
  }
}

/** Of this process, the one that is bound to that. */
export function socketOf(address: string, port: number): number {
  const wanted = pinnedBytes(SOCKADDR_BYTES);
  putSocketAddress(viewOf(wanted), 0, parseAddress(address), port);
  const [name, length] = [pinnedBytes(SOCKADDR_BYTES), pinnedBytes(4)];
  for (const { name: fd } of Deno.readDirSync("/proc/self/fd")) {
    viewOf(length).setUint32(0, SOCKADDR_BYTES, true);
    const isSocket = libc().getsockname(Number(fd), name, length) === 0;
    if (isSocket && hex(name) === hex(wanted)) return Number(fd);
  }
  assert.fail(`nobody has ${address}:${port}`);
}

/** A socket that is closed at the end of the block. */
export class Plain {
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
  receive(longest = 2_048): Uint8Array | null {
    const bytes = pinnedBytes(longest);
    const length = Number(libc().recv(this.fd, bytes, BigInt(longest), 0));
    return length < 0 ? null : bytes.subarray(0, length);
  }

  [Symbol.dispose](): void {
    closeDescriptor(this.fd);
  }
}

export function startBoth(near: Side, far: Side, peers?: readonly PeerEntry[]): void {
  const ends = cable(near.host, far.host);
  near.start(ends.near, peers);
  far.start(ends.far);
}

export function turnUntil(sides: readonly Side[], holds: () => boolean): void {
  const deadline = performance.now() + PATIENCE_MS;
  while (!holds()) {
    assert(performance.now() < deadline, "packets arrive in time");
    for (const side of sides) side.turn();
  }
}
