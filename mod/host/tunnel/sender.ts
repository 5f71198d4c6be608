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
/** Small packets that are sent together: half of what the kernel takes (UDP_MAX_SEGMENTS, 64 before Linux 6.9). */
const DATAGRAMS_MAX = 64;
/** What one call may send: an IPv4 packet's 65,535 bytes less its headers (RFC 768). */
const SEND_BYTES_MAX = 65_535 - UDP_OVERHEAD_BYTES;
/** Headers of TCP with all options behind those of IPv4 with all options. */
const HEADER_BYTES_MAX = 128;
/** Packets that are read before it is the other direction's turn. */
const READS_MAX = 256;
/** Where packets are gathered: what is sent together, and the longest one behind it. */
const GATHERED_BYTES = SEND_BYTES_MAX + DATAGRAMS_MAX * VNET_HEADER_BYTES + PACKET_BYTES_MAX;
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
    let at = 0;
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
      return this.#count > 0 ? at : 0;
    }
    const segment = segmentBytes(bytes, at);
    const isUnfinished = needsChecksum(bytes, at);
    const isKnown = isUnfinished && this.#header.read(bytes, offset, length) &&
      checksumStart(bytes, at) === this.#header.at &&
      checksumOffset(bytes, at) === this.#header.checksumOffset;
    if (segment > 0 && !isKnown) {
      this.#statistics.dropped(DROP.badFrame); // never seen: the kernel gives only what it was told we take
      return this.#count > 0 ? at : 0;
    }
    const longest = segment === 0 ? length : this.#header.end + segment;
    if (longest > this.#table.mtuOf(slot) && this.#isTooBig(slot, offset, length, nowMs)) {
      return this.#count > 0 ? at : 0;
    }
    if (segment > 0) {
      this.#flush();
      this.#sendSegments(slot, offset, length, segment, nowMs);
      return 0;
    }
    if (isKnown) bytes[offset] = (bytes[offset] ?? 0) | UNFINISHED;
    else if (isUnfinished) {
      const start = checksumStart(bytes, at);
      if (start + checksumOffset(bytes, at) + 2 <= length) {
        finishChecksum(bytes, offset, length, start, checksumOffset(bytes, at));
      }
    }
    return this.#gather(slot, offset, length) ? offset + length : 0;
  }

  /** Whether the packet waits where it is for others. */
  #gather(slot: number, offset: number, length: number): boolean {
    const fits = this.#count > 0 && slot === this.#slot && length <= this.#size &&
      this.#count < DATAGRAMS_MAX && this.#bytes + length <= SEND_BYTES_MAX;
    if (!fits) this.#flush();
    if (this.#count === 0) {
      this.#slot = slot;
      this.#size = length;
    }
    putVector(
      this.#vectors.view,
      this.#count * IOVEC_BYTES,
      this.#packets.address + offset,
      length,
    );
    this.#count++;
    this.#bytes += length;
    // Only the last of a message may be shorter; and the next packet needs its room.
    const isLast = length < this.#size || this.#count === DATAGRAMS_MAX ||
      offset + length + PACKET_BYTES_MAX > GATHERED_BYTES;
    if (isLast) this.#flush();
    return !isLast;
  }

  #flush(): void {
    const { view } = this.#vectors;
    if (this.#count === 0) return;
    const [slot, count, bytes] = [this.#slot, this.#count, this.#bytes];
    this.#count = 0;
    this.#bytes = 0;
    const errno = this.#send(slot, count, this.#size, count);
    if (errno === 0) this.#statistics.sent(slot, count, bytes);
    else if (errno === ERRNO.EMSGSIZE) {
      for (let index = 0; index < count; index++) {
        const at = index * IOVEC_BYTES;
        const offset = view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x1_0000_0000 -
          this.#packets.address;
        this.#sendLong(slot, offset, view.getUint32(at + 8, true));
      }
    } else this.#lost(errno, count);
  }

  /** Longer than the path takes, as the kernel has learnt: its sender is told, or it is cut up on the way. */
  #sendLong(slot: number, offset: number, length: number): void {
    const { bytes } = this.#packets;
    bytes[offset] = (bytes[offset] ?? 0) & ~UNFINISHED;
    if (this.#isTooBig(slot, offset, length, performance.now(), this.#pathMtu(slot))) return;
    bytes[offset] = (bytes[offset] ?? 0) |
      (this.#header.read(bytes, offset, length) ? UNFINISHED : 0);
    putVector(this.#vectors.view, 0, this.#packets.address + offset, length);
    allowFragments(this.#socket, true);
    const errno = this.#send(slot, 1, length, 1);
    allowFragments(this.#socket, false);
    if (errno === 0) this.#statistics.sent(slot, 1, length);
    else this.#lost(errno, 1);
  }

  #sendSegments(
    slot: number,
    offset: number,
    length: number,
    segment: number,
    nowMs: number,
  ): void {
    const { end } = this.#header;
    const payload = length - end;
    const size = end + segment;
    const total = Math.ceil(payload / segment);
    const atOnce = Math.min(DATAGRAMS_MAX, Math.max(1, Math.floor(SEND_BYTES_MAX / size)));
    for (let index = 0; index < total; index += atOnce) {
      const count = Math.min(atOnce, total - index);
      const bytes = count * end + Math.min(count * segment, payload - index * segment);
      this.#putSegments(offset, length, segment, index, count);
      const errno = this.#send(slot, count, size, 2 * count);
      if (errno === 0) this.#statistics.sent(slot, count, bytes);
      else if (errno === ERRNO.EMSGSIZE) {
        // Segments that the path does not take: TCP learns from the answer, and sends the rest again.
        const mtu = this.#pathMtu(slot);
        if (this.#isTooBig(slot, offset, length, nowMs, mtu)) return;
        this.#statistics.dropped(DROP.tooBig, count);
      } else this.#lost(errno, count);
    }
  }

  #putSegments(
    offset: number,
    length: number,
    segment: number,
    index: number,
    count: number,
  ): void {
    const { view: headers, bytes } = this.#headers;
    const packets = this.#packets.view;
    const header = this.#header;
    const stride = HEADER_BYTES_MAX;
    writeSegmentHeaders(header, packets, offset, length, segment, index, count, headers, stride);
    const { end } = header;
    const { view } = this.#vectors;
    const payloadAt = this.#packets.address + offset + end;
    const payload = length - end;
    for (let place = 0; place < count; place++) {
      const headerAt = place * HEADER_BYTES_MAX;
      bytes[headerAt] = (bytes[headerAt] ?? 0) | UNFINISHED;
      const at = 2 * place * IOVEC_BYTES;
      const from = (index + place) * segment;
      putVector(view, at, this.#headers.address + headerAt, end);
      putVector(view, at + IOVEC_BYTES, payloadAt + from, Math.min(segment, payload - from));
    }
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
    const isFull = errno === ERRNO.EAGAIN || errno === ENOBUFS;
    this.#statistics.dropped(isFull ? DROP.socketFull : DROP.sendFailed, packets);
  }
}

/** The device below drops what it has no room for (asm-generic/errno.h). */
const ENOBUFS = 105;
