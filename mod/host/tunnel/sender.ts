/**
 * From the TUN device to the underlay. What is read in one piece of up to 64 KiB goes out in one call too, cut by the kernel
 * into datagrams of one inner packet each, so that the loss of one costs one packet; and so do small packets of one size that
 * were waiting together. Payloads are not copied: headers are written beside them, and vectors name both.
 */
import { ERRNO, SysError } from "../../../ffi/errno.ts";
import { lastErrno, packetCalls } from "../../../ffi/libc.ts";
import { PinnedMemory } from "../../../ffi/pinned_memory.ts";
import { DROP } from "../../dataplane/drop_reason.ts";
import type { ForwardingTable } from "../../dataplane/forwarding_table.ts";
import type { Statistics } from "../../dataplane/statistics.ts";
import { finishChecksum, TransportHeader } from "../../dataplane/transport_header.ts";
import {
  checksumOffset,
  checksumStart,
  needsChecksum,
  segmentBytes,
  UNFINISHED,
  VNET_HEADER_BYTES,
} from "../../dataplane/vnet_header.ts";
import { DeviceAnswers } from "./device_answers.ts";
import { isSameWay, Outbox, SEND_BYTES_MAX } from "./outbox.ts";

/** The longest that the kernel gives at once. */
const PACKET_BYTES_MAX = VNET_HEADER_BYTES + 65_535;
const READ_BYTES = BigInt(PACKET_BYTES_MAX);
/** What is read before it is the other direction's turn, and the agent is heard: 2 ms at 8 Gbit/s. */
const READS_MAX = 256;
const TURN_BYTES_MAX = 2 * 1024 * 1024;
/** Where packets are gathered: behind what waits to be sent there is room for the longest one. */
const GATHERED_BYTES = 5 * 65_536;
/** Packets begin where a line of the processor's cache does, and their vnet header before that. */
const LINE_BYTES = 64;
const FIRST_AT = LINE_BYTES - VNET_HEADER_BYTES;
/** A device that gives nothing but errors is given up. */
const FAILURES_MAX = 1_000;

export class Sender {
  readonly #tun: number;
  readonly #statistics: Statistics;
  readonly #calls = packetCalls();
  readonly #packets = new PinnedMemory(GATHERED_BYTES);
  readonly #answers: DeviceAnswers;
  readonly #outbox: Outbox;
  readonly #header = new TransportHeader();
  #table: ForwardingTable;
  /** Where the next packet is read to, with its vnet header before it. */
  #at = FIRST_AT;
  /** The last packet that was taken: to whom, where, of how many datagrams it consists and how many are in the outbox. */
  #slot = 0;
  #offset = 0;
  #length = 0;
  /** Payload of each of its segments; 0 when it is one as it is. */
  #segment = 0;
  #total = 0;
  #gathered = 0;
  #failures = 0;

  /** @param slowed called when packets go one by one from now on. */
  constructor(
    tun: number,
    socket: number,
    statistics: Statistics,
    table: ForwardingTable,
    slowed: () => void = () => {},
  ) {
    this.#tun = tun;
    this.#statistics = statistics;
    this.#table = table;
    this.#answers = new DeviceAnswers(tun, this.#packets.bytes, statistics);
    this.#outbox = new Outbox(socket, this.#packets, this.#answers, statistics, table, slowed);
  }

  use(table: ForwardingTable): void {
    const before = this.#table;
    this.#table = table;
    this.#outbox.use(table);
    if (isSameWay(before, table, this.#slot)) return;
    this.#statistics.dropped(DROP.noHost, this.#total - this.#gathered);
    this.#gathered = this.#total;
  }

  /** Whether something is left since the socket was full: nothing is read until it is sent, or 20 ms have passed. */
  get isWaiting(): boolean {
    return this.#outbox.isWaiting || this.#gathered < this.#total;
  }

  /**
   * Sends what waits and what is there to be read, but not for ever. False when the device is gone. Throws SysError when
   * nothing can be read from it.
   *
   * @param nowMs for how often senders are answered.
   */
  run(nowMs: number): boolean {
    if (!this.#outbox.flush()) return true;
    this.#gather();
    this.#at = this.#behind();
    let isThere = true;
    let bytes = 0;
    for (let reads = 0; reads < READS_MAX && bytes < TURN_BYTES_MAX && !this.isWaiting; reads++) {
      const address = this.#packets.address + this.#at;
      const got = Number(this.#calls.read(this.#tun, BigInt(address), READ_BYTES));
      if (got < 0) {
        const errno = lastErrno();
        isThere = errno !== ERRNO.EBADFD;
        if (errno === ERRNO.EAGAIN || !isThere) break;
        this.#failed(errno);
        continue;
      }
      this.#failures = 0;
      bytes += got;
      if (got > VNET_HEADER_BYTES) this.#take(this.#at, got - VNET_HEADER_BYTES, nowMs);
    }
    if (!this.isWaiting) this.#outbox.flush();
    return isThere;
  }

  /** A packet that cannot be had is one lost. */
  #failed(errno: number): void {
    if (errno === ERRNO.EINTR) return;
    this.#statistics.dropped(DROP.deviceRefused);
    if (++this.#failures > FAILURES_MAX) throw new SysError("read from the TUN device", errno);
  }

  /** Takes the packet behind the vnet header at `at`. */
  #take(at: number, length: number, nowMs: number): void {
    const { bytes } = this.#packets;
    const offset = at + VNET_HEADER_BYTES;
    const slot = this.#table.outgoing(bytes, offset, length);
    if (slot < 0) return this.#refuse(-slot, offset, length, nowMs);
    const segment = segmentBytes(bytes, at);
    const isUnfinished = needsChecksum(bytes, at);
    const [start, place] = [checksumStart(bytes, at), checksumOffset(bytes, at)];
    const isKnown = isUnfinished && this.#header.read(bytes, offset, length) &&
      start === this.#header.at && place === this.#header.checksumOffset;
    const longest = segment === 0 ? length : this.#header.end + segment;
    // Never seen: the kernel gives only what it was told we take.
    const isWrong = segment > 0
      ? !isKnown || longest > SEND_BYTES_MAX
      : isUnfinished && !isKnown && start + place + 2 > length;
    if (isWrong) return this.#statistics.dropped(DROP.badFrame);
    const mtu = this.#table.mtuOf(slot);
    if (longest > mtu && this.#answers.tooBig(offset, length, longest, mtu, nowMs)) return;
    if (segment === 0 && isKnown) bytes[offset] = (bytes[offset] ?? 0) | UNFINISHED;
    else if (isUnfinished && !isKnown) finishChecksum(bytes, offset, length, start, place);
    this.#slot = slot;
    this.#offset = offset;
    this.#length = length;
    this.#segment = segment;
    this.#gathered = 0;
    this.#total = segment === 0 ? 1 : Math.ceil((length - this.#header.end) / segment);
    this.#gather();
    this.#at = this.#behind();
  }

  /** What is left of the last packet: as much as goes with what waits, and what does not fit is sent with what follows. */
  #gather(): void {
    const [slot, offset, length, segment] = [this.#slot, this.#offset, this.#length, this.#segment];
    const { end } = this.#header;
    const size = segment === 0 ? length : end + segment;
    while (this.#gathered < this.#total) {
      if (!this.#outbox.takes(slot, size, segment === 0) && !this.#outbox.flush()) return;
      if (segment === 0) {
        this.#gathered = 1;
        if (this.#outbox.add(slot, offset, length)) this.#outbox.flush();
        return;
      }
      const index = this.#gathered;
      this.#gathered += this.#outbox.addSegments(
        slot,
        this.#header,
        offset,
        length,
        segment,
        index,
      );
      // Nothing may follow a shorter one.
      const isShort = length - end < this.#total * segment;
      if (this.#gathered === this.#total && isShort) this.#outbox.flush();
    }
  }

  /** Where there is room: behind what waits, which is sent when none is left. */
  #behind(): number {
    if (this.#outbox.isEmpty) return FIRST_AT;
    const at = Math.ceil((this.#offset + this.#length) / LINE_BYTES) * LINE_BYTES + FIRST_AT;
    if (at + PACKET_BYTES_MAX <= GATHERED_BYTES) return at;
    if (!this.isWaiting) this.#outbox.flush();
    return FIRST_AT;
  }

  #refuse(reason: number, offset: number, length: number, nowMs: number): void {
    this.#statistics.dropped(reason);
    const isNobody = reason === DROP.noHost || reason === DROP.ownSubnet ||
      reason === DROP.silentHost;
    if (isNobody) this.#answers.unreachable(offset, length, nowMs);
  }
}
