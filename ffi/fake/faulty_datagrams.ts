/**
 * Datagrams to the fake kernel that go wrong as a seed says: requests refused at random, answers lost, late, twice or in
 * another order, dumps torn, sockets that fail. What the kernel was asked for is done all the same, unless it is refused.
 */
import { viewOf } from "../bytes.ts";
import { ERRNO, SysError } from "../errno.ts";
import type { FakeKernel } from "../fake_kernel.ts";
import type { Datagrams } from "../netlink/datagrams.ts";
import { NetlinkError } from "../netlink/error.ts";
import {
  encodeMessage,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_MULTI,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  parseMessages,
} from "../netlink/message.ts";
import type { NetlinkRequest } from "../netlink/transport.ts";

/** How often things go wrong, each from 0 to 1; all 0 is a kernel as it should be. */
export interface FaultRates {
  /** A request is refused, with one of `errnos`. */
  readonly refuse: number;
  readonly errnos: readonly number[];
  /** The answers that wait are lost, and the socket says so. */
  readonly overrun: number;
  /** An answer overtakes the one before it. */
  readonly reorder: number;
  /** An answer comes twice. */
  readonly repeat: number;
  /** A dump is marked as torn. */
  readonly tear: number;
  /** A send or a receive fails for good. */
  readonly breakSocket: number;
  /** An answer is cut. */
  readonly garble: number;
}

export const NO_FAULTS: FaultRates = {
  refuse: 0,
  errnos: [],
  overrun: 0,
  reorder: 0,
  repeat: 0,
  tear: 0,
  breakSocket: 0,
  garble: 0,
};

/** rtnetlink numbers NEW, DEL, GET and SET of each object in this order, from a multiple of 4. */
const isQuestion = (type: number) => type % 4 === 2;

export class FaultyDatagrams implements Datagrams {
  readonly port = 1;
  readonly #kernel: FakeKernel;
  readonly #rates: () => FaultRates;
  /** From 0 to 1, below 1. */
  readonly #random: () => number;
  readonly #waiting: Uint8Array[] = [];
  #isOverrun = false;

  constructor(kernel: FakeKernel, rates: () => FaultRates, random: () => number) {
    this.#kernel = kernel;
    this.#rates = rates;
    this.#random = random;
  }

  send(bytes: Uint8Array<ArrayBuffer>, op: string): void {
    if (this.#happens("breakSocket")) throw new SysError(op, ERRNO.ENOMEM);
    for (const message of parseMessages(bytes.slice())) this.#answer(message);
  }

  async sendLater(bytes: Uint8Array<ArrayBuffer>, op: string): Promise<void> {
    await Promise.resolve();
    this.send(bytes, op);
  }

  receive(): Uint8Array | number {
    if (this.#happens("breakSocket")) return ERRNO.EIO;
    if (this.#waiting.length > 0 && this.#happens("overrun")) {
      this.#waiting.splice(0);
      this.#isOverrun = true;
    }
    if (this.#isOverrun) {
      this.#isOverrun = false;
      return ERRNO.ENOBUFS;
    }
    const datagram = this.#waiting.shift() ?? ERRNO.EAGAIN;
    if (typeof datagram === "number" || !this.#happens("garble")) return datagram;
    return datagram.slice(0, Math.floor(this.#random() * datagram.length));
  }

  close(): void {
    this.#waiting.splice(0);
  }

  #happens(fault: Exclude<keyof FaultRates, "errnos">): boolean {
    const rate = this.#rates()[fault];
    return rate > 0 && this.#random() < rate;
  }

  #answer(message: NetlinkMessage): void {
    const { sequence } = message;
    const isDump = (message.flags & NLM_F_DUMP) === NLM_F_DUMP && isQuestion(message.type);
    const request: NetlinkRequest = {
      operation: `message ${message.type}`,
      subject: "",
      type: message.type,
      flags: message.flags & ~(NLM_F_REQUEST | NLM_F_ACK | (isDump ? NLM_F_DUMP : 0)),
      payload: message.payload.slice(),
    };
    if (isDump) return this.#dump(request, sequence);
    const errno = this.#refusal();
    if (errno !== null) return this.#queue([verdict(sequence, errno)]);
    const [reply] = this.#kernel.request([request]);
    for (const answer of reply?.messages ?? []) this.#queue([{ ...answer, sequence }]);
    const error = reply?.error ?? null;
    if (error !== null) this.#queue([verdict(sequence, error.errno)]);
    else if ((message.flags & NLM_F_ACK) !== 0) this.#queue([verdict(sequence, 0)]);
  }

  #dump(request: NetlinkRequest, sequence: number): void {
    try {
      const flags = NLM_F_MULTI | (this.#happens("tear") ? NLM_F_DUMP_INTR : 0);
      const messages = this.#kernel.dump(request);
      for (const message of messages) this.#queue([{ ...message, sequence, flags }]);
      this.#queue([{ ...verdict(sequence, 0), type: NLMSG_DONE, flags }]);
    } catch (error) {
      if (!(error instanceof NetlinkError)) throw error;
      this.#queue([verdict(sequence, error.errno)]);
    }
  }

  #refusal(): number | null {
    const { errnos } = this.#rates();
    if (!this.#happens("refuse")) return null;
    return errnos[Math.floor(this.#random() * errnos.length)] ?? null;
  }

  #queue(messages: readonly NetlinkMessage[]): void {
    const [message] = messages;
    if (message === undefined) return;
    const datagram = encodeMessage(message);
    const last = this.#waiting.length - 1;
    if (last >= 0 && this.#happens("reorder")) this.#waiting.splice(last, 0, datagram);
    else this.#waiting.push(datagram);
    if (this.#happens("repeat")) this.#waiting.push(datagram);
  }
}

/** NLMSG_ERROR; 0 acknowledges. */
function verdict(sequence: number, errno: number): NetlinkMessage {
  const payload = new Uint8Array(20);
  viewOf(payload).setInt32(0, -errno, true);
  viewOf(payload).setUint32(4, 16, true);
  return { type: NLMSG_ERROR, flags: 0x100, sequence, port: 1, payload };
}
