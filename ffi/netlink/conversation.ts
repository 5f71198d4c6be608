/**
 * Requests and replies over datagrams. Requests go out many to a send; the kernel works through a
 * datagram in order, answers each failed message with an error that carries its sequence number,
 * and the last one, which alone asks for an acknowledgement, with the word that all were looked
 * at. So one send and one receive serve hundreds of messages and every error finds its own.
 */
import { pinnedBytes, viewOf } from "../bytes.ts";
import { ERRNO, SysError } from "../errno.ts";
import { decodeAcknowledgement } from "./acknowledgement.ts";
import type { Datagrams } from "./datagrams.ts";
import { NetlinkError } from "./error.ts";
import {
  messageBytes,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_NOOP,
  NLMSG_OVERRUN,
  parseMessages,
  writeMessage,
} from "./message.ts";
import {
  describe,
  type NetlinkReply,
  type NetlinkRequest,
  type NetlinkTransport,
} from "./transport.ts";

/**
 * Bytes of requests in one send: about 150 peers of three messages, after which larger sends
 * gain nothing. Far below the 212,992 bytes an unprivileged socket may send.
 */
const BATCH_BYTES = 32 * 1024;

/** A dump torn this often is being changed faster than it can be read. */
export const DUMP_ATTEMPTS = 8;

/** The reply to nearly every message, made once. */
const DONE: NetlinkReply = Object.freeze({ error: null, messages: Object.freeze([]) });

/** A NetlinkTransport over datagrams. */
export class NetlinkConversation implements NetlinkTransport {
  readonly #datagrams: Datagrams;
  #closed = false;
  #sequence = 0;
  #send = pinnedBytes(2 * BATCH_BYTES);
  #sendView = viewOf(this.#send);

  constructor(datagrams: Datagrams) {
    this.#datagrams = datagrams;
  }

  get port(): number {
    return this.#datagrams.port;
  }

  request(requests: readonly NetlinkRequest[]): NetlinkReply[] {
    this.#checkOpen();
    const replies: NetlinkReply[] = [];
    let start = 0;
    while (start < requests.length) {
      let end = start;
      let bytes = 0;
      for (; end < requests.length; end++) {
        const next = messageBytes(requests[end]?.payload.length ?? 0);
        if (end > start && bytes + next > BATCH_BYTES) break;
        bytes += next;
      }
      for (const reply of this.#exchange(requests.slice(start, end), bytes)) replies.push(reply);
      start = end;
    }
    return replies;
  }

  dump(request: NetlinkRequest): NetlinkMessage[] {
    this.#checkOpen();
    const op = describe(request);
    for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
      const messages = this.#dumpOnce(request, op);
      if (messages !== null) return messages;
    }
    throw new NetlinkError(op, ERRNO.EINTR, {
      sequence: this.#sequence,
      extack: `the table changed during each of ${DUMP_ATTEMPTS} dumps`,
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#datagrams.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new Error("This netlink socket is closed");
  }

  #nextSequence(): number {
    this.#sequence = this.#sequence === 0xffff_ffff ? 1 : this.#sequence + 1;
    return this.#sequence;
  }

  /** The first of so many sequence numbers to come, which do not wrap in between. */
  #sequencesFor(count: number): number {
    if (this.#sequence + count > 0xffff_ffff) this.#sequence = 0;
    return this.#sequence + 1;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#send.length) return;
    this.#send = pinnedBytes(bytes);
    this.#sendView = viewOf(this.#send);
  }

  /** Puts one message into the send buffer; returns the offset behind it. */
  #write(offset: number, request: NetlinkRequest, flags: number, sequence: number): number {
    return writeMessage(this.#send, this.#sendView, offset, {
      type: request.type,
      flags: request.flags | flags,
      sequence,
      port: this.port,
      payload: request.payload,
    });
  }

  /** Sends one batch of `bytes` bytes and waits for the verdict on its last message. */
  #exchange(batch: readonly NetlinkRequest[], bytes: number): NetlinkReply[] {
    this.#reserve(bytes);
    const firstSequence = this.#sequencesFor(batch.length);
    let offset = 0;
    let left = batch.length;
    for (const request of batch) {
      const flags = --left === 0 ? NLM_F_REQUEST | NLM_F_ACK : NLM_F_REQUEST;
      offset = this.#write(offset, request, flags, this.#nextSequence());
    }
    const [first] = batch;
    const alone = batch.length === 1 && first !== undefined;
    const op = alone ? describe(first) : `${batch.length} requests`;
    this.#datagrams.send(this.#send.subarray(0, offset), `send ${op} to the kernel`);

    const replies: NetlinkReply[] = batch.map(() => DONE);
    for (;;) {
      for (const message of this.#receive(op)) {
        const index = message.sequence - firstSequence;
        const request = batch[index];
        if (request === undefined) continue; // reply to a lost batch
        if (message.type === NLMSG_ERROR) {
          const error = decodeAcknowledgement(message, describe(request));
          if (error !== null) replies[index] = { error, messages: [] };
          if (index === batch.length - 1) return replies;
        } else if (message.type !== NLMSG_NOOP) {
          const messages = [...replies[index]?.messages ?? [], message];
          replies[index] = { error: null, messages };
        }
      }
    }
  }

  /** One dump, or null when the kernel says that it was torn. */
  #dumpOnce(request: NetlinkRequest, op: string): NetlinkMessage[] | null {
    const sequence = this.#nextSequence();
    this.#reserve(messageBytes(request.payload.length));
    const length = this.#write(0, request, NLM_F_REQUEST | NLM_F_DUMP, sequence);
    this.#datagrams.send(this.#send.subarray(0, length), `send ${op} to the kernel`);

    const messages: NetlinkMessage[] = [];
    let torn = false;
    for (;;) {
      for (const message of this.#receive(op)) {
        if (message.sequence !== sequence) continue;
        if ((message.flags & NLM_F_DUMP_INTR) !== 0) torn = true;
        if (message.type === NLMSG_DONE || message.type === NLMSG_ERROR) {
          const error = decodeAcknowledgement(message, op);
          if (error !== null) throw error;
          return torn ? null : messages;
        }
        if (message.type !== NLMSG_NOOP) messages.push(message);
      }
    }
  }

  /** The messages of the next datagram. */
  #receive(op: string): NetlinkMessage[] {
    const datagram = this.#datagrams.receive(true);
    if (datagram === ERRNO.ENOBUFS) this.#overrun(op);
    if (datagram === ERRNO.EAGAIN) {
      throw new SysError(`get an answer to "${op}" from the kernel`, ERRNO.ETIMEDOUT);
    }
    if (typeof datagram === "number") {
      throw new SysError(`receive the answer to "${op}"`, datagram);
    }
    const messages = parseMessages(datagram);
    if (messages.some((message) => message.type === NLMSG_OVERRUN)) this.#overrun(op);
    return messages;
  }

  /** Replies were lost: empties the socket, so that the next request starts clean, and throws. */
  #overrun(op: string): never {
    for (;;) {
      const datagram = this.#datagrams.receive(false);
      if (typeof datagram === "number" && datagram !== ERRNO.ENOBUFS) break;
    }
    throw new NetlinkError(op, ERRNO.ENOBUFS, {
      sequence: 0,
      extack: "replies were lost; dump and try again",
    });
  }
}
