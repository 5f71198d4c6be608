/**
 * From the underlay to the TUN device. The kernel gives datagrams of one size that came together in one piece; each packet in
 * it is checked, and those that are segments of one stream go to the device in one call again.
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
import { SOCKADDR_BYTES, SOL_UDP, UDP_GRO } from "../../../ffi/udp_offload.ts";
import { DROP } from "../../dataplane/drop_reason.ts";
import type { ForwardingTable } from "../../dataplane/forwarding_table.ts";
import { versionOf } from "../../dataplane/ip_header.ts";
import type { Statistics } from "../../dataplane/statistics.ts";
import {
  continues,
  endsRun,
  TransportHeader,
  widenHeader,
} from "../../dataplane/transport_header.ts";
import {
  clearVnetHeader,
  putVnetHeader,
  UNFINISHED,
  VNET_HEADER_BYTES,
} from "../../dataplane/vnet_header.ts";

/** Messages that are taken before it is the other direction's turn. */
const MESSAGES_MAX = 64;
const MESSAGE_BYTES_MAX = 65_536;
/** As many as UDP_MAX_SEGMENTS of linux/udp.h. */
const SEGMENTS_MAX = 128;
/** An IP packet's length has 16 bits; the joined one is a packet, too. */
const JOINED_BYTES_MAX = 65_535;
/** Before the first packet there is room for its vnet header; before each other lies one that is done with. */
const FIRST_AT = 64;
const CONTROL_AT = SOCKADDR_BYTES + MSGHDR_BYTES;
const CONTROL_BYTES = 64;

export class Receiver {
  readonly #tun: number;
  readonly #socket: number;
  readonly #statistics: Statistics;
  readonly #calls = packetCalls();
  readonly #packets = new PinnedMemory(FIRST_AT + MESSAGE_BYTES_MAX);
  readonly #message = new PinnedMemory(CONTROL_AT + CONTROL_BYTES);
  readonly #vector = new PinnedMemory(IOVEC_BYTES);
  readonly #vectors = new PinnedMemory((SEGMENTS_MAX + 1) * IOVEC_BYTES);
  readonly #msghdr = this.#message.pointer + BigInt(SOCKADDR_BYTES);
  readonly #header = new TransportHeader();
  readonly #next = new TransportHeader();
  #table: ForwardingTable;
  /** The run of segments that is being joined: where it begins, its first length, its last segment, how many, how long. */
  #first = 0;
  #firstLength = 0;
  #last = 0;
  #count = 0;
  #length = 0;
  #slot = 0;
  #isUnfinished = false;

  constructor(tun: number, socket: number, statistics: Statistics, table: ForwardingTable) {
    this.#tun = tun;
    this.#socket = socket;
    this.#statistics = statistics;
    this.#table = table;
    putVector(this.#vector.view, 0, this.#packets.address + FIRST_AT, MESSAGE_BYTES_MAX);
    const { view, address } = this.#message;
    putAddress(view, SOCKADDR_BYTES, address);
    putAddress(view, SOCKADDR_BYTES + 16, this.#vector.address);
    view.setUint32(SOCKADDR_BYTES + 24, 1, true);
    putAddress(view, SOCKADDR_BYTES + 32, address + CONTROL_AT);
  }

  use(table: ForwardingTable): void {
    this.#table = table;
  }

  /** Takes what has come, but not for ever. */
  run(): void {
    const { view } = this.#message;
    for (let messages = 0; messages < MESSAGES_MAX; messages++) {
      view.setUint32(SOCKADDR_BYTES + 8, SOCKADDR_BYTES, true);
      view.setUint32(SOCKADDR_BYTES + 40, CONTROL_BYTES, true);
      const got = Number(this.#calls.recvmsg(this.#socket, this.#msghdr, 0));
      if (got < 0) {
        const errno = lastErrno();
        // An error that came back for something sent, such as a host that is gone, is told once and is over.
        if (errno === ERRNO.EAGAIN) return;
        continue;
      }
      this.#takeAll(got);
    }
  }

  #takeAll(length: number): void {
    const { view } = this.#message;
    const address = view.getUint32(4);
    const port = view.getUint16(2);
    const size = this.#datagramBytes() || length;
    if (length === 0) return this.#statistics.dropped(DROP.truncated);
    for (let from = 0; from < length; from += size) {
      this.#take(FIRST_AT + from, Math.min(size, length - from), address, port);
    }
    this.#flush();
  }

  /** Of each datagram that was joined; 0 when the message is one. */
  #datagramBytes(): number {
    const { view } = this.#message;
    const isThere = view.getUint32(SOCKADDR_BYTES + 40, true) >= 20 &&
      view.getInt32(CONTROL_AT + 8, true) === SOL_UDP &&
      view.getInt32(CONTROL_AT + 12, true) === UDP_GRO;
    return isThere ? Math.max(0, view.getInt32(CONTROL_AT + 16, true)) : 0;
  }

  #take(offset: number, length: number, address: number, port: number): void {
    const { bytes } = this.#packets;
    const first = bytes[offset] ?? 0;
    const isUnfinished = (first & UNFINISHED) !== 0;
    bytes[offset] = first & ~UNFINISHED;
    const slot = this.#table.incoming(bytes, offset, length, address, port);
    if (slot < 0) {
      this.#flush();
      return this.#statistics.dropped(-slot);
    }
    this.#statistics.received(slot, 1, length);
    const header = this.#count === 0 ? this.#header : this.#next;
    if (isUnfinished && !header.read(bytes, offset, length)) {
      this.#flush();
      return this.#statistics.dropped(DROP.badFrame);
    }
    if (isUnfinished && this.#isNext(slot, offset, length)) {
      return this.#join(offset, length);
    }
    const isFresh = this.#count === 0;
    this.#flush();
    if (!isFresh && isUnfinished) this.#header.read(bytes, offset, length);
    this.#begin(slot, offset, length, isUnfinished);
  }

  #isNext(slot: number, offset: number, length: number): boolean {
    if (this.#count === 0 || !this.#isUnfinished || slot !== this.#slot) return false;
    const { at, end, isTcp } = this.#header;
    const next = this.#next;
    if (next.at !== at || next.end !== end || next.isTcp !== isTcp) return false;
    const { bytes } = this.#packets;
    if (versionOf(bytes, offset) !== versionOf(bytes, this.#first)) return false;
    const payload = length - end;
    const joined = this.#length - end;
    return payload > 0 && length <= this.#firstLength && this.#count < SEGMENTS_MAX &&
      this.#length + payload <= JOINED_BYTES_MAX &&
      continues(this.#header, bytes, this.#first, offset, this.#count, joined);
  }

  #begin(slot: number, offset: number, length: number, isUnfinished: boolean): void {
    this.#first = this.#last = offset;
    this.#firstLength = this.#length = length;
    this.#slot = slot;
    this.#count = 1;
    this.#isUnfinished = isUnfinished;
    const isAlone = !isUnfinished || length <= this.#header.end ||
      endsRun(this.#header, this.#packets.bytes, offset);
    if (isAlone) this.#flush();
  }

  #join(offset: number, length: number): void {
    const { end } = this.#header;
    putVector(
      this.#vectors.view,
      this.#count * IOVEC_BYTES,
      this.#packets.address + offset + end,
      length - end,
    );
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
    const { bytes, address } = this.#packets;
    const at = this.#first - VNET_HEADER_BYTES;
    const segment = count === 1 ? 0 : this.#firstLength - this.#header.end;
    if (this.#isUnfinished) putVnetHeader(bytes, at, this.#header, segment);
    else clearVnetHeader(bytes, at);
    const firstBytes = VNET_HEADER_BYTES + this.#firstLength;
    let written;
    if (count === 1) {
      written = this.#calls.write(this.#tun, BigInt(address + at), BigInt(firstBytes));
    } else {
      widenHeader(this.#header, bytes, this.#first, this.#last, this.#firstLength, this.#length);
      putVector(this.#vectors.view, 0, address + at, firstBytes);
      written = this.#calls.writev(this.#tun, this.#vectors.pointer, count);
    }
    if (Number(written) < 0) this.#statistics.dropped(DROP.deviceRefused, count);
  }
}
