/** One device, one socket, one thread: packets in both directions in turn, and news of the agent in between. */
import { closeDescriptor } from "../../../ffi/socket.ts";
import { ERRNO, SysError } from "../../../ffi/errno.ts";
import { lastErrno, packetCalls } from "../../../ffi/libc.ts";
import { PinnedMemory } from "../../../ffi/pinned_memory.ts";
import { setTunOffloads } from "../../../ffi/tun_device.ts";
import { openOffloadSocket, type SocketAddress } from "../../../ffi/udp_offload.ts";
import {
  ForwardingTable,
  type TableSpec,
  underlayWords,
} from "../../dataplane/forwarding_table.ts";
import { Statistics } from "../../dataplane/statistics.ts";
import { openOwnTun } from "../tun.ts";
import { SEND_WAIT_MS } from "./outbox.ts";
import { Receiver } from "./receiver.ts";
import { Sender } from "./sender.ts";

const POLLFD_BYTES = 8;
const POLLS = 3n;
const POLLIN = 1;
const POLLOUT = 4;
const POLLERR = 8;

export interface PumpStart {
  readonly device: string;
  /** Which proves it ours. */
  readonly alias: string;
  /** Of the underlay, from which datagrams leave. */
  readonly address: string;
  readonly port: number;
  readonly statistics: SharedArrayBuffer;
  readonly table: TableSpec;
  /** An eventfd that is written to when the agent has news. */
  readonly wake: number;
}

function socketAddress(address: string): SocketAddress {
  const words = underlayWords(address);
  const [only] = words;
  return words.length === 1 && only !== undefined ? only : words;
}

/** `news`: the agent wants to be heard. `gone`: the device is. */
export type PumpPause = "news" | "gone";

export class Pump {
  readonly #tun: number;
  readonly #socket: number;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #polls = new PinnedMemory(3 * POLLFD_BYTES);
  readonly #scratch = new PinnedMemory(8);
  readonly #wake: number;

  /**
   * Throws SysError when device or port cannot be had; then it has neither.
   *
   * @param slowed called when packets go one by one from now on.
   */
  constructor(
    { device, alias, address, port, statistics, table, wake }: PumpStart,
    slowed: () => void = () => {},
  ) {
    const counters = new Statistics(statistics);
    const forwarding = new ForwardingTable(table);
    const opened: number[] = [];
    try {
      opened.push(this.#tun = openOwnTun(device, alias));
      const joinsUdp = setTunOffloads(this.#tun);
      opened.push(this.#socket = openOffloadSocket(socketAddress(address), port));
      this.#sender = new Sender(this.#tun, this.#socket, counters, forwarding, slowed);
      this.#receiver = new Receiver(this.#tun, this.#socket, joinsUdp, counters, forwarding);
    } catch (error) {
      for (const fd of opened) closeDescriptor(fd);
      throw error;
    }
    this.#wake = wake;
    for (const [index, fd] of [this.#tun, this.#socket, wake].entries()) {
      this.#polls.view.setInt32(index * POLLFD_BYTES, fd, true);
      this.#polls.view.setInt16(index * POLLFD_BYTES + 4, POLLIN, true);
    }
  }

  use(spec: TableSpec): void {
    const table = new ForwardingTable(spec);
    this.#sender.use(table);
    this.#receiver.use(table);
  }

  /** Moves packets until something else is to be done. Throws SysError when the kernel lets it no more. */
  run(): PumpPause {
    const calls = packetCalls();
    for (;;) {
      const { isWaiting } = this.#sender;
      // What cannot be sent on need not be read, but it is still received.
      this.#listen(0, isWaiting ? 0 : POLLIN);
      this.#listen(1, isWaiting ? POLLIN | POLLOUT : POLLIN);
      if (calls.poll(this.#polls.pointer, POLLS, isWaiting ? SEND_WAIT_MS : -1) < 0) {
        const errno = lastErrno();
        if (errno === ERRNO.EINTR) continue;
        throw new SysError("wait for packets", errno);
      }
      const [tun, socket, wake] = [this.#events(0), this.#events(1), this.#events(2)];
      if ((tun & POLLERR) !== 0) return "gone";
      const isToSend = isWaiting || (tun & POLLIN) !== 0;
      if (isToSend && !this.#sender.run(performance.now())) return "gone";
      // An error of the socket is taken by reading from it.
      if ((socket & ~POLLOUT) !== 0) this.#receiver.run();
      if (wake !== 0) {
        calls.read(this.#wake, this.#scratch.pointer, 8n);
        return "news";
      }
    }
  }

  close(): void {
    closeDescriptor(this.#socket);
    closeDescriptor(this.#tun);
  }

  #listen(index: number, events: number): void {
    this.#polls.view.setInt16(index * POLLFD_BYTES + 4, events, true);
  }

  #events(index: number): number {
    return this.#polls.view.getInt16(index * POLLFD_BYTES + 6, true);
  }
}
