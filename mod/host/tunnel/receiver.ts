/**
 * From the underlay to the TUN device. Many datagrams are taken by one call, those of one size that came together even in one
 * piece; each packet in them is checked, and those that are segments of one stream go to the device in one call again,
 * whether or not the underlay had joined them.
 */
import { ERRNO, SysError } from "../../../ffi/errno.ts";
import { AF_INET } from "../../../ffi/socket.ts";
import { lastErrno, packetCalls } from "../../../ffi/libc.ts";
import {
  IOVEC_BYTES,
  MMSGHDR_BYTES,
  PinnedMemory,
  putAddress,
  putVector,
} from "../../../ffi/pinned_memory.ts";
import {
  SOCKADDR_BYTES,
  SOCKADDR_IPV4_AT,
  SOCKADDR_IPV6_AT,
  SocketDrops,
  SOL_UDP,
  UDP_GRO,
} from "../../../ffi/udp_offload.ts";
import { DROP } from "../../dataplane/drop_reason.ts";
import type { ForwardingTable } from "../../dataplane/forwarding_table.ts";
import type { Statistics } from "../../dataplane/statistics.ts";
import {
  continues,
  endsRun,
  mayBegin,
  TransportHeader,
  widenHeader,
} from "../../dataplane/transport_header.ts";
import {
  clearVnetHeader,
  putVnetHeader,
  UNFINISHED,
  VNET_HEADER_BYTES,
} from "../../dataplane/vnet_header.ts";

/** What is taken before it is the other direction's turn: as much as that one takes. */
const MESSAGES_MAX = 256;
const TURN_BYTES_MAX = 2 * 1024 * 1024;
/** A socket that gives nothing but errors is given up. */
const FAILURES_MAX = 1_000;
/** By one call, while they are small; of large ones so few that the processor's cache holds them. */
const SMALL_AT_ONCE = 32;
const LARGE_AT_ONCE = 4;
const LARGE_BYTES = 8_192;
const MESSAGE_BYTES_MAX = 65_536;
/** As many as UDP_MAX_SEGMENTS of linux/udp.h. */
const SEGMENTS_MAX = 128;
/** An IP packet's length has 16 bits; the joined one is a packet, too. */
const JOINED_BYTES_MAX = 65_535;
/** Before the first packet there is room for its vnet header; before each other lies one that is done with. */
const FIRST_AT = 64;
/** From one message to the next: 2 KiB more than it takes, or beginnings of all would share the same lines of the cache. */
const STRIDE_BYTES = FIRST_AT + MESSAGE_BYTES_MAX + 2_048;
const CONTROL_BYTES = 64;
/** What a struct sockaddr_in6 takes, aligned to eight. */
const NAME_BYTES = 32;
/** The same memory holds for each message: struct mmsghdr, then struct sockaddr_in6, struct iovec, control messages. */
const NAMES_AT = SMALL_AT_ONCE * MMSGHDR_BYTES;
const VECTORS_AT = NAMES_AT + SMALL_AT_ONCE * NAME_BYTES;
const CONTROLS_AT = VECTORS_AT + SMALL_AT_ONCE * IOVEC_BYTES;
/** Within struct mmsghdr. */
const NAME_LENGTH_AT = 8;
const CONTROL_LENGTH_AT = 40;
const RECEIVED_AT = 56;

export class Receiver {
  readonly #tun: number;
  readonly #socket: number;
  readonly #joinsUdp: boolean;
  readonly #statistics: Statistics;
  readonly #calls = packetCalls();
  readonly #packets = new PinnedMemory(SMALL_AT_ONCE * STRIDE_BYTES);
  readonly #messages = new PinnedMemory(CONTROLS_AT + SMALL_AT_ONCE * CONTROL_BYTES);
  readonly #vectors = new PinnedMemory((SEGMENTS_MAX + 1) * IOVEC_BYTES);
  readonly #header = new TransportHeader();
  #table: ForwardingTable;
  #atOnce = SMALL_AT_ONCE;
  /** The run of segments that is being joined: where it begins, its first length, its last segment, how many, how long. */
  #first = 0;
  #firstLength = 0;
  #last = 0;
  #count = 0;
  #length = 0;
  #isUnfinished = false;
  /** Who sent it. */
  #slot = 0;
  /** Who sent the message that is being taken; of IPv4 the first word alone is other than 0. */
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;
  #port = 0;
  #failures = 0;
  readonly #socketDrops: SocketDrops;

  /** @param joinsUdp whether the device takes several packets of UDP as one. */
  constructor(
    tun: number,
    socket: number,
    joinsUdp: boolean,
    statistics: Statistics,
    table: ForwardingTable,
  ) {
    this.#tun = tun;
    this.#socket = socket;
    this.#joinsUdp = joinsUdp;
    this.#statistics = statistics;
    this.#table = table;
    this.#socketDrops = new SocketDrops(socket);
    const { view, address } = this.#messages;
    for (let index = 0; index < SMALL_AT_ONCE; index++) {
      const at = index * MMSGHDR_BYTES;
      const vectorAt = VECTORS_AT + index * IOVEC_BYTES;
      putAddress(view, at, address + NAMES_AT + index * NAME_BYTES);
      putAddress(view, at + 16, address + vectorAt);
      view.setUint32(at + 24, 1, true);
      putAddress(view, at + 32, address + CONTROLS_AT + index * CONTROL_BYTES);
      const packetsAt = this.#packets.address + index * STRIDE_BYTES + FIRST_AT;
      putVector(view, vectorAt, packetsAt, MESSAGE_BYTES_MAX);
      this.#makeReady(index);
    }
  }

  use(table: ForwardingTable): void {
    this.#table = table;
  }

  /** Takes what has come, but not for ever. Throws SysError when nothing can be taken. */
  run(): void {
    const { pointer } = this.#messages;
    let bytes = 0;
    for (let taken = 0; taken < MESSAGES_MAX && bytes < TURN_BYTES_MAX;) {
      const wanted = this.#atOnce;
      const got = this.#calls.recvmmsg(this.#socket, pointer, wanted, 0, 0n);
      if (got < 0) {
        const errno = lastErrno();
        if (errno === ERRNO.EAGAIN) return;
        // An error that came back for something sent, such as a host that is gone, is told once and is over.
        if (++this.#failures > FAILURES_MAX) throw new SysError("receive packets", errno);
        taken++;
        continue;
      }
      this.#failures = 0;
      let most = 0;
      for (let index = 0; index < got; index++) {
        const length = this.#takeAll(index);
        most = Math.max(most, length);
        bytes += length;
      }
      this.#flush();
      this.#atOnce = most >= LARGE_BYTES ? LARGE_AT_ONCE : SMALL_AT_ONCE;
      if (got < wanted) return;
      // Only a long queue can have been full.
      const dropped = this.#socketDrops.more();
      if (dropped > 0) this.#statistics.dropped(DROP.queueFull, dropped);
      taken += got;
    }
  }

  /** The kernel writes how long name and control messages were over how much room there is. */
  #makeReady(index: number): void {
    const at = index * MMSGHDR_BYTES;
    this.#messages.view.setUint32(at + NAME_LENGTH_AT, SOCKADDR_BYTES, true);
    this.#messages.view.setUint32(at + CONTROL_LENGTH_AT, CONTROL_BYTES, true);
  }

  /** Gives the length of the message. */
  #takeAll(index: number): number {
    const { view } = this.#messages;
    const length = view.getUint32(index * MMSGHDR_BYTES + RECEIVED_AT, true);
    const size = this.#datagramBytes(index) || length;
    this.#makeReady(index);
    if (length === 0) this.#statistics.dropped(DROP.truncated);
    const isSame = this.#readName(NAMES_AT + index * NAME_BYTES);
    // What others sent continues nothing.
    if (!isSame) this.#flush();
    const begin = index * STRIDE_BYTES + FIRST_AT;
    for (let from = 0; from < length; from += size) {
      this.#take(begin + from, Math.min(size, length - from));
    }
    return length;
  }

  /** Whether it is the same sender's as the message before it. */
  #readName(at: number): boolean {
    const { view } = this.#messages;
    const port = view.getUint16(at + 2);
    const isIpv4 = view.getUint16(at, true) === AF_INET;
    const wordsAt = at + (isIpv4 ? SOCKADDR_IPV4_AT : SOCKADDR_IPV6_AT);
    const a = view.getUint32(wordsAt);
    const b = isIpv4 ? 0 : view.getUint32(wordsAt + 4);
    const c = isIpv4 ? 0 : view.getUint32(wordsAt + 8);
    const d = isIpv4 ? 0 : view.getUint32(wordsAt + 12);
    const isSame = a === this.#a && port === this.#port && b === this.#b && c === this.#c &&
      d === this.#d;
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#d = d;
    this.#port = port;
    return isSame;
  }

  /** Of each datagram that was joined; 0 when the message is one. */
  #datagramBytes(index: number): number {
    const { view } = this.#messages;
    const at = CONTROLS_AT + index * CONTROL_BYTES;
    const isThere = view.getUint32(index * MMSGHDR_BYTES + CONTROL_LENGTH_AT, true) >= 20 &&
      view.getInt32(at + 8, true) === SOL_UDP && view.getInt32(at + 12, true) === UDP_GRO;
    return isThere ? Math.max(0, view.getInt32(at + 16, true)) : 0;
  }

  #take(offset: number, length: number): void {
    const { bytes } = this.#packets;
    const first = bytes[offset] ?? 0;
    const isUnfinished = (first & UNFINISHED) !== 0;
    bytes[offset] = first & ~UNFINISHED;
    if (isUnfinished && this.#goesOn(offset, length)) {
      return this.#join(offset, length);
    }
    this.#flush();
    const slot = this.#table.incoming(
      bytes,
      offset,
      length,
      this.#a,
      this.#port,
      this.#b,
      this.#c,
      this.#d,
    );
    if (slot < 0) return this.#statistics.dropped(-slot);
    if (isUnfinished && !this.#header.read(bytes, offset, length)) {
      return this.#statistics.dropped(DROP.badFrame);
    }
    this.#slot = slot;
    this.#begin(offset, length, isUnfinished);
  }

  #goesOn(offset: number, length: number): boolean {
    const count = this.#count;
    if (count === 0) return false;
    const header = this.#header;
    const { end } = header;
    if (count >= SEGMENTS_MAX || this.#length + length - end > JOINED_BYTES_MAX) return false;
    const segment = this.#firstLength - end;
    const joined = this.#length - end;
    const { view } = this.#packets;
    return continues(header, view, this.#first, offset, length, count, joined, segment);
  }

  #begin(offset: number, length: number, isUnfinished: boolean): void {
    this.#first = this.#last = offset;
    this.#firstLength = this.#length = length;
    this.#count = 1;
    this.#isUnfinished = isUnfinished;
    const isAlone = !isUnfinished || !mayBegin(this.#header, this.#packets.view, offset, length) ||
      (!this.#header.isTcp && !this.#joinsUdp) ||
      endsRun(this.#header, this.#packets.bytes, offset);
    if (isAlone) this.#flush();
  }

  #join(offset: number, length: number): void {
    const { end } = this.#header;
    const at = this.#count * IOVEC_BYTES;
    putVector(this.#vectors.view, at, this.#packets.address + offset + end, length - end);
    this.#last = offset;
    this.#count++;
    this.#length += length - end;
    // Only the last segment may be shorter.
    if (length < this.#firstLength || endsRun(this.#header, this.#packets.bytes, offset)) {
      this.#flush();
    }
  }

  #flush(): void {
    const count = this.#count;
    if (count === 0) return;
    this.#count = 0;
    const { bytes, view, address } = this.#packets;
    const { end } = this.#header;
    const at = this.#first - VNET_HEADER_BYTES;
    if (this.#isUnfinished) {
      putVnetHeader(bytes, at, this.#header, count === 1 ? 0 : this.#firstLength - end);
    } else clearVnetHeader(bytes, at);
    const firstBytes = VNET_HEADER_BYTES + this.#firstLength;
    const received = this.#length + (count - 1) * end;
    let written;
    if (count === 1) {
      written = this.#calls.write(this.#tun, BigInt(address + at), BigInt(firstBytes));
    } else {
      widenHeader(this.#header, view, this.#first, this.#last, this.#firstLength, this.#length);
      putVector(this.#vectors.view, 0, address + at, firstBytes);
      written = this.#calls.writev(this.#tun, this.#vectors.pointer, count);
    }
    if (Number(written) < 0) this.#statistics.dropped(DROP.deviceRefused, count);
    else this.#statistics.received(this.#slot, count, received);
  }
}
