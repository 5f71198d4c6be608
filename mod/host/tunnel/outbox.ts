/**
 * Datagrams of one size for one host, sent by one call: the kernel cuts them up (UDP_SEGMENT). Where it does not, or one of
 * them is too long for the path, they are sent one by one. A full socket is waited for by the caller, who meanwhile
 * has other things to do, and not for long.
 */
import { ERRNO } from "../../../ffi/errno.ts";
import { lastErrno, packetCalls } from "../../../ffi/libc.ts";
import {
  IOVEC_BYTES,
  MMSGHDR_BYTES,
  MSGHDR_BYTES,
  PinnedMemory,
  putAddress,
  putVector,
} from "../../../ffi/pinned_memory.ts";
import {
  allowFragments,
  canSegment,
  pathMtu,
  putSocketAddress,
  SOCKADDR_BYTES,
  SOL_UDP,
  UDP_SEGMENT,
} from "../../../ffi/udp_offload.ts";
import { UDP_IPV6_OVERHEAD_BYTES, UDP_OVERHEAD_BYTES } from "../../base/limits.ts";
import { DROP } from "../../dataplane/drop_reason.ts";
import type { ForwardingTable } from "../../dataplane/forwarding_table.ts";
import type { Statistics } from "../../dataplane/statistics.ts";
import { type TransportHeader, writeSegmentHeaders } from "../../dataplane/transport_header.ts";
import { UNFINISHED } from "../../dataplane/vnet_header.ts";
import type { DeviceAnswers } from "./device_answers.ts";

/** So long a full socket is waited for. */
export const SEND_WAIT_MS = 20;
/** What one call may send: an IPv4 packet's 65,535 bytes less its headers (RFC 768). */
export const SEND_BYTES_MAX = 65_535 - UDP_OVERHEAD_BYTES;
/** Datagrams that are sent together: half of what the kernel takes (UDP_MAX_SEGMENTS, 64 before Linux 6.9). */
const DATAGRAMS_MAX = 64;
/** Headers of TCP with all options behind those of IPv4 with all options. */
const HEADER_BYTES_MAX = 128;
/** What a struct sockaddr_in6 takes, aligned to eight. */
const NAME_BYTES = 32;
/** Behind struct sockaddr_in6 and struct msghdr: struct cmsghdr of 16 bytes and two more, aligned to eight. */
const CONTROL_AT = NAME_BYTES + MSGHDR_BYTES;
const CONTROL_BYTES = 24;
const CONTROL_LENGTH = 18;
/** Said of datagrams together that may go one by one; EINVAL of a path too short for them before Linux 6.15. */
const SPLITTING: ReadonlySet<number> = new Set([
  ERRNO.EMSGSIZE,
  ERRNO.EINVAL,
  ERRNO.EIO,
  ERRNO.EOPNOTSUPP,
]);
const NONE = -1;

export class Outbox {
  readonly #socket: number;
  readonly #packets: PinnedMemory;
  readonly #answers: DeviceAnswers;
  readonly #statistics: Statistics;
  readonly #slowed: () => void;
  readonly #calls = packetCalls();
  readonly #headers = new PinnedMemory(DATAGRAMS_MAX * HEADER_BYTES_MAX);
  readonly #vectors = new PinnedMemory(2 * DATAGRAMS_MAX * IOVEC_BYTES);
  readonly #message = new PinnedMemory(CONTROL_AT + CONTROL_BYTES);
  readonly #msghdr = this.#message.pointer + BigInt(NAME_BYTES);
  /** For one by one: struct mmsghdr each. */
  readonly #messages = new PinnedMemory(DATAGRAMS_MAX * MMSGHDR_BYTES);
  #table: ForwardingTable;
  #slot = NONE;
  /** Of each datagram but the last, which may be shorter. */
  #size = 0;
  #count = 0;
  #bytes = 0;
  #vectorCount = 0;
  /** Of each one: the packet it is, or of which it is a segment; its own length; its first vector. */
  readonly #starts = new Int32Array(DATAGRAMS_MAX);
  readonly #lengths = new Int32Array(DATAGRAMS_MAX);
  readonly #sizes = new Int32Array(DATAGRAMS_MAX);
  readonly #firstVectors = new Int32Array(DATAGRAMS_MAX + 1);
  /** Whether these go one by one, and how many have gone; longer ones than this are not even tried. */
  #isSplit: boolean;
  #done = 0;
  #isFirstSent = false;
  #mtu = Infinity;
  /** Whether all do: this kernel, or what is below the underlay, cuts up nothing. */
  #sendsApart: boolean;
  #waitsSinceMs: number | null = null;
  /** The packet of which its sender was told last that it is too long: of segments once is enough. */
  #told = NONE;

  /**
   * @param packets where those are that offsets speak of.
   * @param slowed called when all go one by one from now on.
   */
  constructor(
    socket: number,
    packets: PinnedMemory,
    answers: DeviceAnswers,
    statistics: Statistics,
    table: ForwardingTable,
    slowed: () => void,
  ) {
    this.#slowed = slowed;
    this.#socket = socket;
    this.#packets = packets;
    this.#answers = answers;
    this.#statistics = statistics;
    this.#table = table;
    this.#sendsApart = this.#isSplit = !canSegment(socket);
    if (this.#sendsApart) slowed();
    const { view, address } = this.#message;
    putAddress(view, NAME_BYTES, address);
    view.setUint32(NAME_BYTES + 8, SOCKADDR_BYTES, true);
    putAddress(view, NAME_BYTES + 16, this.#vectors.address);
    putAddress(view, NAME_BYTES + 32, address + CONTROL_AT);
    putAddress(view, CONTROL_AT, CONTROL_LENGTH);
    view.setInt32(CONTROL_AT + 8, SOL_UDP, true);
    view.setInt32(CONTROL_AT + 12, UDP_SEGMENT, true);
    for (let index = 0; index < DATAGRAMS_MAX; index++) {
      const at = index * MMSGHDR_BYTES;
      putAddress(this.#messages.view, at, address);
      this.#messages.view.setUint32(at + 8, SOCKADDR_BYTES, true);
    }
  }

  /** What waits for a host that is another one now is dropped. */
  use(table: ForwardingTable): void {
    const before = this.#table;
    this.#table = table;
    if (this.#count === 0 || isSameWay(before, table, this.#slot)) return;
    this.#statistics.dropped(DROP.noHost, this.#count - this.#done);
    this.#clear();
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Whether the socket is full: nothing can be added before {@linkcode flush} says so. */
  get isWaiting(): boolean {
    return this.#waitsSinceMs !== null;
  }

  /** Whether a datagram of `size` bytes can be added; one that may be the last, if it `isLast`, may be shorter. */
  takes(slot: number, size: number, isLast: boolean): boolean {
    if (this.#count === 0) return true;
    const isOfSize = isLast ? size <= this.#size : size === this.#size;
    return slot === this.#slot && isOfSize && this.#room(size) >= 1;
  }

  /** How many more datagrams of that size there is room for. */
  #room(size: number): number {
    return Math.min(
      DATAGRAMS_MAX - this.#count,
      Math.floor((SEND_BYTES_MAX - this.#bytes) / size),
    );
  }

  /** Whether it is full after that. */
  add(slot: number, offset: number, length: number): boolean {
    this.#begin(slot, length);
    const vectorAt = this.#vectorCount * IOVEC_BYTES;
    putVector(this.#vectors.view, vectorAt, this.#packets.address + offset, length);
    this.#note(offset, length, length, 1);
    return length < this.#size || this.#room(this.#size) < 1;
  }

  /** Adds segments of a packet from the `index`-th on, `segment` bytes of payload each; how many there was room for. */
  addSegments(
    slot: number,
    header: TransportHeader,
    offset: number,
    length: number,
    segment: number,
    index: number,
  ): number {
    const { end } = header;
    const payload = length - end;
    this.#begin(slot, end + segment);
    const count = Math.min(this.#room(end + segment), Math.ceil(payload / segment) - index);
    const { view: headers, bytes, address } = this.#headers;
    const first = this.#count * HEADER_BYTES_MAX;
    const packets = this.#packets.view;
    writeSegmentHeaders(
      header,
      packets,
      offset,
      length,
      segment,
      index,
      count,
      headers,
      first,
      HEADER_BYTES_MAX,
    );
    const { view } = this.#vectors;
    const payloadAt = this.#packets.address + offset + end;
    for (let place = 0; place < count; place++) {
      const headerAt = first + place * HEADER_BYTES_MAX;
      bytes[headerAt] = (bytes[headerAt] ?? 0) | UNFINISHED;
      const from = (index + place) * segment;
      const part = Math.min(segment, payload - from);
      const at = this.#vectorCount * IOVEC_BYTES;
      putVector(view, at, address + headerAt, end);
      putVector(view, at + IOVEC_BYTES, payloadAt + from, part);
      this.#note(offset, length, end + part, 2);
    }
    return count;
  }

  #begin(slot: number, size: number): void {
    if (this.#count > 0) return;
    this.#slot = slot;
    this.#size = size;
    const { view } = this.#message;
    putSocketAddress(view, 0, this.#table.addressOf(slot), this.#table.portOf(slot));
  }

  #note(offset: number, length: number, size: number, vectors: number): void {
    this.#starts[this.#count] = offset;
    this.#lengths[this.#count] = length;
    this.#sizes[this.#count] = size;
    this.#firstVectors[this.#count] = this.#vectorCount;
    this.#vectorCount += vectors;
    this.#bytes += size;
    this.#count++;
    this.#firstVectors[this.#count] = this.#vectorCount;
  }

  /** Sends what there is. False while the socket is full; then it is to be called again, at the latest after 20 ms. */
  flush(): boolean {
    if (this.#count === 0) return true;
    const errno = this.#isSplit ? this.#sendApart() : this.#sendTogether();
    if (errno === ERRNO.EAGAIN) {
      const nowMs = performance.now();
      this.#waitsSinceMs ??= nowMs;
      // The TUN device's own queue holds back, or drops, what comes meanwhile.
      if (nowMs - this.#waitsSinceMs < SEND_WAIT_MS) return false;
      this.#lost(errno, this.#count - this.#done);
    }
    this.#clear();
    return true;
  }

  #clear(): void {
    this.#count =
      this.#bytes =
      this.#vectorCount =
      this.#done =
        0;
    this.#isSplit = this.#sendsApart;
    this.#mtu = Infinity;
    this.#told = NONE;
    this.#waitsSinceMs = null;
  }

  /** EAGAIN when the socket is full, 0 when nothing is left to be sent. */
  #sendTogether(): number {
    const [slot, count, bytes] = [this.#slot, this.#count, this.#bytes];
    const errno = this.#send(this.#vectors.address, this.#vectorCount, count);
    if (errno === 0) this.#statistics.sent(slot, count, bytes);
    if (errno === 0 || errno === ERRNO.EAGAIN) return errno;
    const mayGoApart = count > 1 ? SPLITTING.has(errno) : errno === ERRNO.EMSGSIZE;
    if (!mayGoApart) {
      this.#lost(errno, count);
      return 0;
    }
    this.#isSplit = true;
    this.#mtu = this.#pathMtu();
    const left = this.#sendApart();
    // What was refused together and taken one by one, though none was too long, is refused together for ever.
    const isTaken = this.#isFirstSent && this.#size <= this.#mtu && this.#sizes[0] === this.#size;
    if (errno === ERRNO.EMSGSIZE || !isTaken || this.#sendsApart) return left;
    this.#sendsApart = true;
    this.#slowed();
    return left;
  }

  /** Goes on where it stopped. EAGAIN when the socket is full, 0 when nothing is left to be sent. */
  #sendApart(): number {
    const { view, pointer } = this.#messages;
    const sizes = this.#sizes;
    for (let index = this.#done; index < this.#count; index++) {
      const [first = 0, next = 0] = [this.#firstVectors[index], this.#firstVectors[index + 1]];
      const at = index * MMSGHDR_BYTES;
      putAddress(view, at + 16, this.#vectors.address + first * IOVEC_BYTES);
      view.setUint32(at + 24, next - first, true);
    }
    if (this.#done === 0) this.#isFirstSent = false;
    while (this.#done < this.#count) {
      const index = this.#done;
      let until = index;
      while (until < this.#count && (sizes[until] ?? 0) <= this.#mtu) until++;
      if (until === index) {
        this.#sendLong(index);
        this.#done++;
        continue;
      }
      const from = pointer + BigInt(index * MMSGHDR_BYTES);
      const sent = this.#calls.sendmmsg(this.#socket, from, until - index, 0);
      if (sent > 0) {
        let bytes = 0;
        for (let place = index; place < index + sent; place++) bytes += sizes[place] ?? 0;
        this.#statistics.sent(this.#slot, sent, bytes);
        if (index === 0) this.#isFirstSent = true;
        this.#done += sent;
        continue;
      }
      const errno = lastErrno();
      if (errno === ERRNO.EINTR) continue;
      if (errno === ERRNO.EAGAIN) return errno;
      if (errno === ERRNO.EMSGSIZE) this.#sendLong(index);
      else this.#lost(errno, 1);
      this.#done++;
    }
    return 0;
  }

  /** Longer than the path takes, as the kernel has learnt: its sender is told, or it is cut up on the way. */
  #sendLong(index: number): void {
    const size = this.#sizes[index] ?? 0;
    const mtu = this.#pathMtu();
    // Those that were gathered with it may be short enough.
    if (size > mtu && this.#isRefused(index, mtu)) return;
    const [first = 0, next = 0] = [this.#firstVectors[index], this.#firstVectors[index + 1]];
    const isIpv4 = typeof this.#table.addressOf(this.#slot) === "number";
    allowFragments(this.#socket, true, isIpv4);
    const errno = this.#send(this.#vectors.address + first * IOVEC_BYTES, next - first, 1);
    allowFragments(this.#socket, false, isIpv4);
    if (errno === 0) this.#statistics.sent(this.#slot, 1, size);
    else this.#lost(errno, 1);
  }

  /** Of segments TCP learns from the answer, and sends them again. */
  #isRefused(index: number, mtu: number): boolean {
    const { bytes } = this.#packets;
    const [offset = 0, length = 0] = [this.#starts[index], this.#lengths[index]];
    const size = this.#sizes[index] ?? 0;
    if (offset === this.#told) {
      this.#statistics.dropped(DROP.tooBig);
      return true;
    }
    const first = bytes[offset] ?? 0;
    bytes[offset] = first & ~UNFINISHED;
    const isTold = this.#answers.tooBig(offset, length, size, mtu, performance.now());
    bytes[offset] = first;
    if (isTold) this.#told = offset;
    return isTold;
  }

  /** The error number; 0 when the kernel took it. */
  #send(vectorsAt: number, vectors: number, datagrams: number): number {
    const { view } = this.#message;
    putAddress(view, NAME_BYTES + 16, vectorsAt);
    view.setUint32(NAME_BYTES + 24, vectors, true);
    view.setUint32(NAME_BYTES + 40, datagrams > 1 ? CONTROL_BYTES : 0, true);
    view.setUint16(CONTROL_AT + 16, this.#size, true);
    for (;;) {
      if (Number(this.#calls.sendmsg(this.#socket, this.#msghdr, 0)) >= 0) return 0;
      const errno = lastErrno();
      if (errno !== ERRNO.EINTR) return errno;
    }
  }

  #pathMtu(): number {
    const address = this.#table.addressOf(this.#slot);
    const overhead = typeof address === "number" ? UDP_OVERHEAD_BYTES : UDP_IPV6_OVERHEAD_BYTES;
    const mtu = pathMtu(address, this.#table.portOf(this.#slot));
    return mtu === null ? this.#table.mtuOf(this.#slot) : mtu - overhead;
  }

  #lost(errno: number, packets: number): void {
    const isFull = errno === ERRNO.EAGAIN || errno === ERRNO.ENOBUFS;
    this.#statistics.dropped(isFull ? DROP.socketFull : DROP.sendFailed, packets);
  }
}

/** Whether what was meant for that place goes to the same host. */
export function isSameWay(before: ForwardingTable, now: ForwardingTable, slot: number): boolean {
  return before.isSameWay(now, slot);
}
