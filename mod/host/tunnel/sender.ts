/**
 * From the TUN device to the underlay. What is read in one piece of up to 64 KiB goes out in one call too, cut by the kernel
 * into datagrams of one inner packet each, so that the loss of one costs one packet; and so do small packets of one size that
 * were waiting together. Payloads are not copied: headers are written beside them, and vectors name both.
 */
import { ERRNO } from "../../../ffi/errno.ts";
import { lastErrno, packetCalls } from "../../../ffi/libc.ts";
import {
  IOVEC_BYTES,
  MSGHDR_BYTES,
  PinnedMemory,
  putAddress,
  putVector,
} from "../../../ffi/pinned_memory.ts";
import {
  allowFragments,
  pathMtu,
  putSocketAddress,
  SOCKADDR_BYTES,
  SOL_UDP,
  UDP_SEGMENT,
} from "../../../ffi/udp_offload.ts";
import { UDP_OVERHEAD_BYTES } from "../../base/limits.ts";
import { DROP } from "../../dataplane/drop_reason.ts";
import type { ForwardingTable } from "../../dataplane/forwarding_table.ts";
import { IcmpAnswers } from "../../dataplane/icmp_answer.ts";
import type { Statistics } from "../../dataplane/statistics.ts";
import {
  finishChecksum,
  TransportHeader,
  writeSegmentHeaders,
} from "../../dataplane/transport_header.ts";
import {
  checksumOffset,
  checksumStart,
  clearVnetHeader,
  needsChecksum,
  segmentBytes,
  UNFINISHED,
  VNET_HEADER_BYTES,
} from "../../dataplane/vnet_header.ts";

/** The longest that the kernel gives at once. */
const PACKET_BYTES_MAX = VNET_HEADER_BYTES + 65_535;
const READ_BYTES = BigInt(PACKET_BYTES_MAX);
/** Datagrams that are sent together: half of what the kernel takes (UDP_MAX_SEGMENTS, 64 before Linux 6.9). */
const DATAGRAMS_MAX = 64;
/** What one call may send: an IPv4 packet's 65,535 bytes less its headers (RFC 768). */
const SEND_BYTES_MAX = 65_535 - UDP_OVERHEAD_BYTES;
/** Headers of TCP with all options behind those of IPv4 with all options. */
const HEADER_BYTES_MAX = 128;
/** Packets that are read before it is the other direction's turn. */
const READS_MAX = 256;
/** Where packets are gathered: behind what waits to be sent there is room for the longest one. */
const GATHERED_BYTES = 5 * 65_536;
/** Packets begin where a line of the processor's cache does, and their vnet header before that. */
const LINE_BYTES = 64;
const FIRST_AT = LINE_BYTES - VNET_HEADER_BYTES;
/** Behind struct sockaddr_in and struct msghdr: struct cmsghdr of 16 bytes and two more, aligned to eight. */
const CONTROL_AT = SOCKADDR_BYTES + MSGHDR_BYTES;
const CONTROL_BYTES = 24;
const CONTROL_LENGTH = 18;
/** So long a full socket is waited for. */
const WAIT_MS = 20;
const POLLOUT = 4;

export class Sender {
  readonly #tun: number;
  readonly #socket: number;
  readonly #statistics: Statistics;
  readonly #calls = packetCalls();
  readonly #answers = new IcmpAnswers();
  readonly #header = new TransportHeader();
  readonly #packets = new PinnedMemory(GATHERED_BYTES);
  readonly #headers = new PinnedMemory(DATAGRAMS_MAX * HEADER_BYTES_MAX);
  readonly #vectors = new PinnedMemory(2 * DATAGRAMS_MAX * IOVEC_BYTES);
  readonly #message = new PinnedMemory(CONTROL_AT + CONTROL_BYTES);
  readonly #msghdr = this.#message.pointer + BigInt(SOCKADDR_BYTES);
  readonly #answer = new PinnedMemory(VNET_HEADER_BYTES + 1_280);
  readonly #poll = new PinnedMemory(8);
  #table: ForwardingTable;
  /** What is gathered: to whom, of which size, how many and how much. */
  #slot = -1;
  #size = 0;
  #count = 0;
  #bytes = 0;
  #vectorCount = 0;
  /** Of each one gathered: the packet it is, or of which it is a segment. */
  readonly #starts = new Int32Array(DATAGRAMS_MAX);
  readonly #lengths = new Int32Array(DATAGRAMS_MAX);
  readonly #isSegment = new Uint8Array(DATAGRAMS_MAX);

  constructor(tun: number, socket: number, statistics: Statistics, table: ForwardingTable) {
    this.#tun = tun;
    this.#socket = socket;
    this.#statistics = statistics;
    this.#table = table;
    const { view, address } = this.#message;
    putAddress(view, SOCKADDR_BYTES, address);
    view.setUint32(SOCKADDR_BYTES + 8, SOCKADDR_BYTES, true);
    putAddress(view, SOCKADDR_BYTES + 16, this.#vectors.address);
    putAddress(view, SOCKADDR_BYTES + 32, address + CONTROL_AT);
    putAddress(view, CONTROL_AT, CONTROL_LENGTH);
    view.setInt32(CONTROL_AT + 8, SOL_UDP, true);
    view.setInt32(CONTROL_AT + 12, UDP_SEGMENT, true);
    this.#poll.view.setInt32(0, socket, true);
    this.#poll.view.setInt16(4, POLLOUT, true);
  }

  use(table: ForwardingTable): void {
    this.#table = table;
  }

  /**
   * Sends what is there to be read, but not for ever. False when the device is gone.
   *
   * @param nowMs for how often senders are answered.
   */
  run(nowMs: number): boolean {
    let at = FIRST_AT;
    let isThere = true;
    for (let reads = 0; reads < READS_MAX; reads++) {
      const address = this.#packets.address + at;
      const got = Number(this.#calls.read(this.#tun, BigInt(address), READ_BYTES));
      if (got < 0) {
        const errno = lastErrno();
        // EFAULT is what a device says that is down.
        isThere = errno === ERRNO.EAGAIN || errno === ERRNO.EINTR || errno === ERRNO.EFAULT;
        break;
      }
      if (got <= VNET_HEADER_BYTES) continue;
      at = this.#take(at, got - VNET_HEADER_BYTES, nowMs);
    }
    this.#flush();
    return isThere;
  }

  /** Takes the packet behind the vnet header at `at`; where the next one may be read to. */
  #take(at: number, length: number, nowMs: number): number {
    const { bytes } = this.#packets;
    const offset = at + VNET_HEADER_BYTES;
    const slot = this.#table.outgoing(bytes, offset, length);
    if (slot < 0) {
      this.#refuse(-slot, offset, length, nowMs);
      return at;
    }
    const segment = segmentBytes(bytes, at);
    const isUnfinished = needsChecksum(bytes, at);
    const isKnown = isUnfinished && this.#header.read(bytes, offset, length) &&
      checksumStart(bytes, at) === this.#header.at &&
      checksumOffset(bytes, at) === this.#header.checksumOffset;
    const longest = segment === 0 ? length : this.#header.end + segment;
    if (segment > 0 && (!isKnown || longest > SEND_BYTES_MAX)) {
      this.#statistics.dropped(DROP.badFrame); // never seen: the kernel gives only what it was told we take
      return at;
    }
    if (longest > this.#table.mtuOf(slot) && this.#isTooBig(slot, offset, length, nowMs)) return at;
    if (segment > 0) this.#gatherSegments(slot, offset, length, segment);
    else {
      if (isKnown) bytes[offset] = (bytes[offset] ?? 0) | UNFINISHED;
      else if (isUnfinished) {
        const start = checksumStart(bytes, at);
        if (start + checksumOffset(bytes, at) + 2 <= length) {
          finishChecksum(bytes, offset, length, start, checksumOffset(bytes, at));
        }
      }
      this.#gather(slot, offset, length);
    }
    return this.#behind(offset + length);
  }

  /** Where there is room: behind what waits, which is sent when none is left. */
  #behind(end: number): number {
    const at = Math.ceil(end / LINE_BYTES) * LINE_BYTES + FIRST_AT;
    if (this.#count > 0 && at + PACKET_BYTES_MAX <= GATHERED_BYTES) return at;
    this.#flush();
    return FIRST_AT;
  }

  /** How many more datagrams of that size go with what waits. */
  #room(size: number): number {
    return Math.min(
      DATAGRAMS_MAX - this.#count,
      Math.floor((SEND_BYTES_MAX - this.#bytes) / size),
    );
  }

  /** A packet as it is. Only the last of a message may be shorter. */
  #gather(slot: number, offset: number, length: number): void {
    if (slot !== this.#slot || length > this.#size || this.#room(length) < 1) this.#flush();
    if (this.#count === 0) {
      this.#slot = slot;
      this.#size = length;
    }
    const vectorAt = this.#vectorCount * IOVEC_BYTES;
    putVector(this.#vectors.view, vectorAt, this.#packets.address + offset, length);
    this.#note(offset, length, 0);
    this.#vectorCount++;
    this.#bytes += length;
    if (length < this.#size || this.#room(this.#size) < 1) this.#flush();
  }

  /** A packet that is many: as many as fit go with what waits, and what is left over waits for more. */
  #gatherSegments(slot: number, offset: number, length: number, segment: number): void {
    const { end } = this.#header;
    const payload = length - end;
    const size = end + segment;
    const total = Math.ceil(payload / segment);
    if (slot !== this.#slot || size !== this.#size) this.#flush();
    for (let index = 0; index < total;) {
      if (this.#room(size) < 1) this.#flush();
      this.#slot = slot;
      this.#size = size;
      const count = Math.min(this.#room(size), total - index);
      this.#putSegments(offset, length, segment, index, count);
      index += count;
    }
    if (payload < total * segment) this.#flush();
  }

  #putSegments(
    offset: number,
    length: number,
    segment: number,
    index: number,
    count: number,
  ): void {
    const { view: headers, bytes } = this.#headers;
    const header = this.#header;
    const first = this.#count * HEADER_BYTES_MAX;
    writeSegmentHeaders(
      header,
      this.#packets.view,
      offset,
      length,
      segment,
      index,
      count,
      headers,
      first,
      HEADER_BYTES_MAX,
    );
    const { end } = header;
    const { view } = this.#vectors;
    const payloadAt = this.#packets.address + offset + end;
    const payload = length - end;
    for (let place = 0; place < count; place++) {
      const headerAt = first + place * HEADER_BYTES_MAX;
      bytes[headerAt] = (bytes[headerAt] ?? 0) | UNFINISHED;
      const from = (index + place) * segment;
      const part = Math.min(segment, payload - from);
      const at = this.#vectorCount * IOVEC_BYTES;
      putVector(view, at, this.#headers.address + headerAt, end);
      putVector(view, at + IOVEC_BYTES, payloadAt + from, part);
      this.#note(offset, length, 1);
      this.#vectorCount += 2;
      this.#bytes += end + part;
    }
  }

  #note(offset: number, length: number, isSegment: 0 | 1): void {
    this.#starts[this.#count] = offset;
    this.#lengths[this.#count] = length;
    this.#isSegment[this.#count] = isSegment;
    this.#count++;
  }

  #flush(): void {
    if (this.#count === 0) return;
    const [slot, count, bytes, vectors] = [this.#slot, this.#count, this.#bytes, this.#vectorCount];
    this.#count = this.#bytes = this.#vectorCount = 0;
    const errno = this.#send(slot, count, this.#size, vectors);
    if (errno === 0) this.#statistics.sent(slot, count, bytes);
    else if (errno === ERRNO.EMSGSIZE) this.#sendEach(slot, count);
    else this.#lost(errno, count);
  }

  /** What the path does not take together: of segments TCP learns from the answer, and sends them again. */
  #sendEach(slot: number, count: number): void {
    const nowMs = performance.now();
    let told = -1;
    for (let index = 0; index < count; index++) {
      const offset = this.#starts[index] ?? 0;
      const length = this.#lengths[index] ?? 0;
      if (this.#isSegment[index] === 0) this.#sendLong(slot, offset, length);
      else {
        const mtu = offset === told ? 0 : this.#pathMtu(slot);
        if (offset !== told) {
          this.#say(this.#answers.tooBig(this.#packets.bytes, offset, length, mtu, nowMs));
        }
        told = offset;
        this.#statistics.dropped(DROP.tooBig);
      }
    }
  }

  /** Longer than the path takes, as the kernel has learnt: its sender is told, or it is cut up on the way. */
  #sendLong(slot: number, offset: number, length: number): void {
    const { bytes } = this.#packets;
    const mtu = this.#pathMtu(slot);
    const first = bytes[offset] ?? 0;
    bytes[offset] = first & ~UNFINISHED;
    // Those that were gathered with it may be short enough.
    if (length > mtu && this.#isTooBig(slot, offset, length, performance.now(), mtu)) return;
    bytes[offset] = first;
    putVector(this.#vectors.view, 0, this.#packets.address + offset, length);
    allowFragments(this.#socket, true);
    const errno = this.#send(slot, 1, length, 1);
    allowFragments(this.#socket, false);
    if (errno === 0) this.#statistics.sent(slot, 1, length);
    else this.#lost(errno, 1);
  }

  /** The error number; 0 when the kernel took it. */
  #send(slot: number, datagrams: number, size: number, vectors: number): number {
    const { view } = this.#message;
    putSocketAddress(view, 0, this.#table.addressOf(slot), this.#table.portOf(slot));
    view.setUint32(SOCKADDR_BYTES + 24, vectors, true);
    view.setUint32(SOCKADDR_BYTES + 40, datagrams > 1 ? CONTROL_BYTES : 0, true);
    view.setUint16(CONTROL_AT + 16, size, true);
    for (let attempt = 0;; attempt++) {
      if (Number(this.#calls.sendmsg(this.#socket, this.#msghdr, 0)) >= 0) return 0;
      const errno = lastErrno();
      if (errno === ERRNO.EINTR) continue;
      // What older kernels say of segments that the path does not take.
      if (errno === ERRNO.EINVAL && datagrams > 1) return ERRNO.EMSGSIZE;
      if (errno !== ERRNO.EAGAIN || attempt > 0) return errno;
      // The TUN device's own queue holds back, or drops, what comes meanwhile.
      this.#calls.poll(this.#poll.pointer, 1n, WAIT_MS);
    }
  }

  #pathMtu(slot: number): number {
    const mtu = pathMtu(this.#table.addressOf(slot), this.#table.portOf(slot));
    return mtu === null ? this.#table.mtuOf(slot) : mtu - UDP_OVERHEAD_BYTES;
  }

  /** Whether its sender was told, or may not be: then it goes no further. False for what may be cut up. */
  #isTooBig(
    slot: number,
    offset: number,
    length: number,
    nowMs: number,
    mtu = this.#table.mtuOf(slot),
  ): boolean {
    const { bytes } = this.#packets;
    const mayBeCut = (bytes[offset] ?? 0) >>> 4 === 4 && ((bytes[offset + 6] ?? 0) & 0x40) === 0;
    if (mayBeCut) return false;
    this.#say(this.#answers.tooBig(bytes, offset, length, mtu, nowMs));
    this.#statistics.dropped(DROP.tooBig);
    return true;
  }

  #refuse(reason: number, offset: number, length: number, nowMs: number): void {
    this.#statistics.dropped(reason);
    const isNobody = reason === DROP.noHost || reason === DROP.ownSubnet ||
      reason === DROP.silentHost;
    if (!isNobody) return;
    this.#say(this.#answers.unreachable(this.#packets.bytes, offset, length, nowMs));
  }

  #say(answer: Uint8Array | null): void {
    if (answer === null) return;
    const { bytes, pointer } = this.#answer;
    clearVnetHeader(bytes, 0);
    bytes.set(answer, VNET_HEADER_BYTES);
    const length = VNET_HEADER_BYTES + answer.length;
    const written = Number(this.#calls.write(this.#tun, pointer, BigInt(length)));
    if (written < 0) this.#statistics.dropped(DROP.deviceRefused);
  }

  #lost(errno: number, packets: number): void {
    const isFull = errno === ERRNO.EAGAIN || errno === ERRNO.ENOBUFS;
    this.#statistics.dropped(isFull ? DROP.socketFull : DROP.sendFailed, packets);
  }
}
