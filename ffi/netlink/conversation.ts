/**
 * Requests and replies over datagrams. Requests go out many to a send; the kernel works through a
 * datagram in order, answers each failed message with an error that carries its sequence number,
 * and the last one, which alone asks for an acknowledgement, with the word that all were looked
 * at. So one send and one receive serve hundreds of messages and every error finds its own.
 */
import { pinnedBytes, viewOf } from "../bytes.ts";
import { ERRNO, SysError } from "../errno.ts";
import { decodeAcknowledgement } from "./acknowledgement.ts";
import { Batch } from "./batch.ts";
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

/** On another thread larger ones do no harm, and the kernel waits less often for the next. */
const LATER_BATCHES = 4;

/**
 * The least after answers were lost: a batch whose every request is refused, with the kernel's
 * words, may have more answers than a small receive buffer holds.
 */
const BATCH_BYTES_MIN = 1024;

/** So many full batches go well before larger ones are tried again. */
const GROW_AFTER_BATCHES = 64;

/** A dump torn this often is being changed faster than it can be read. */
export const DUMP_ATTEMPTS = 8;

/** A NetlinkTransport over datagrams. */
export class NetlinkConversation implements NetlinkTransport {
  readonly #datagrams: Datagrams;
  #closed = false;
  #sequence = 0;
  readonly #encoded = new Encoded();
  #batchBytes = BATCH_BYTES;
  #batchesToGrow = 0;
  /** Sent on another thread, its answers not all here. */
  readonly #underWay = new Set<Batch>();
  /** Those of them that answers may be missing for, lost while others were read. */
  readonly #lost = new Set<Batch>();

  constructor(datagrams: Datagrams) {
    this.#datagrams = datagrams;
  }

  get port(): number {
    return this.#datagrams.port;
  }

  request(requests: readonly NetlinkRequest[]): NetlinkReply[] {
    this.#checkOpen();
    const replies: NetlinkReply[] = [];
    for (const some of inBatches(requests, () => this.#batchBytes)) {
      for (const reply of this.#exchange(some)) replies.push(reply);
    }
    return replies;
  }

  /**
   * One datagram is under way at a time, the next is written meanwhile. What others ask for in
   * between has its answers among ours, so each of both takes its own and keeps the other's.
   */
  async requestLater(requests: Iterable<NetlinkRequest>): Promise<NetlinkReply[]> {
    const replies: NetlinkReply[] = [];
    let previous: Promise<Batch> | null = null;
    const collect = async () => {
      for (const reply of (await previous)?.replies ?? []) replies.push(reply);
    };
    for (const some of inBatches(requests, () => LATER_BATCHES * this.#batchBytes)) {
      this.#checkOpen();
      const batch = this.#newBatch(some);
      const bytes = this.#encode(batch, new Encoded());
      await collect();
      this.#checkOpen();
      previous = this.#exchangeLater(batch, bytes);
      previous.catch(() => {}); // whoever awaits it is told
    }
    await collect();
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

  #newBatch(requests: readonly NetlinkRequest[]): Batch {
    return new Batch(requests, this.#sequencesFor(requests.length));
  }

  /** Writes a batch, whose sequence numbers are the next ones; returns the bytes to send. */
  #encode({ requests }: Batch, target: Encoded): Uint8Array<ArrayBuffer> {
    target.reserve(requests.reduce((sum, { payload }) => sum + messageBytes(payload.length), 0));
    let left = requests.length;
    for (const request of requests) {
      const flags = --left === 0 ? NLM_F_REQUEST | NLM_F_ACK : NLM_F_REQUEST;
      target.add(request, flags, this.#nextSequence(), this.port);
    }
    return target.take();
  }

  /** Sends one batch and waits for the verdict on its last message. */
  #exchange(requests: readonly NetlinkRequest[]): readonly NetlinkReply[] {
    const batch = this.#newBatch(requests);
    const bytes = this.#encode(batch, this.#encoded);
    this.#datagrams.send(bytes, `send ${batch.op} to the kernel`);
    while (!batch.isAnswered) {
      for (const message of this.#receive(batch.op)) {
        if (!batch.take(message)) this.#takeForOther(message);
      }
    }
    this.#wentWell(bytes.length);
    return batch.replies;
  }

  async #exchangeLater(batch: Batch, bytes: Uint8Array<ArrayBuffer>): Promise<Batch> {
    this.#underWay.add(batch);
    try {
      await this.#datagrams.sendLater(bytes, `send ${batch.op} to the kernel`);
      this.#checkOpen();
      // The kernel answers within the send: all that is to come is here, and nobody waits.
      while (!batch.isAnswered) {
        if (this.#lost.has(batch)) throw repliesLost(batch.op);
        for (const message of this.#receive(batch.op, false)) this.#takeForOther(message);
      }
      if (this.#lost.has(batch)) throw repliesLost(batch.op);
      this.#wentWell(bytes.length);
      return batch;
    } finally {
      this.#underWay.delete(batch);
      this.#lost.delete(batch);
    }
  }

  #wentWell(bytes: number): void {
    if (this.#batchBytes === BATCH_BYTES) return;
    // Small ones say nothing of what larger ones would do.
    if (bytes < this.#batchBytes >> 1 || --this.#batchesToGrow > 0) return;
    this.#batchBytes *= 2;
    this.#batchesToGrow = GROW_AFTER_BATCHES;
  }

  /** An answer that is not to what was just asked: to what is under way, or to nothing any more. */
  #takeForOther(message: NetlinkMessage): void {
    for (const batch of this.#underWay) if (batch.take(message)) return;
  }

  /** One dump, or null when the kernel says that it was torn. */
  #dumpOnce(request: NetlinkRequest, op: string): NetlinkMessage[] | null {
    const sequence = this.#nextSequence();
    this.#encoded.reserve(messageBytes(request.payload.length));
    this.#encoded.add(request, NLM_F_REQUEST | NLM_F_DUMP, sequence, this.port);
    this.#datagrams.send(this.#encoded.take(), `send ${op} to the kernel`);

    const messages: NetlinkMessage[] = [];
    let torn = false;
    for (;;) {
      for (const message of this.#receive(op)) {
        if (message.sequence !== sequence) {
          this.#takeForOther(message);
          continue;
        }
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
  #receive(op: string, wait = true): NetlinkMessage[] {
    const datagram = this.#datagrams.receive(wait);
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
    for (const batch of this.#underWay) this.#lost.add(batch);
    this.#batchBytes = Math.max(BATCH_BYTES_MIN, this.#batchBytes >> 2);
    this.#batchesToGrow = GROW_AFTER_BATCHES;
    throw repliesLost(op);
  }
}

function repliesLost(op: string): NetlinkError {
  const extack = "replies were lost; dump and try again";
  return new NetlinkError(op, ERRNO.ENOBUFS, { sequence: 0, extack });
}

/** As many at a time as fit into one send, one at least; looks at no more of them than are asked for. */
function* inBatches(
  requests: Iterable<NetlinkRequest>,
  bytesMax: () => number,
): Generator<NetlinkRequest[]> {
  let some: NetlinkRequest[] = [];
  let bytes = 0;
  for (const request of requests) {
    const more = messageBytes(request.payload.length);
    if (some.length > 0 && bytes + more > bytesMax()) {
      yield some;
      some = [];
      bytes = 0;
    }
    some.push(request);
    bytes += more;
  }
  if (some.length > 0) yield some;
}

/** Messages one behind the other in a pinned buffer. */
class Encoded {
  #bytes = pinnedBytes(2 * BATCH_BYTES);
  #view = viewOf(this.#bytes);
  #length = 0;

  /** Makes room for that many bytes in all. */
  reserve(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    this.#bytes = pinnedBytes(bytes);
    this.#view = viewOf(this.#bytes);
  }

  add(request: NetlinkRequest, flags: number, sequence: number, port: number): void {
    this.#length = writeMessage(this.#bytes, this.#view, this.#length, {
      type: request.type,
      flags: request.flags | flags,
      sequence,
      port,
      payload: request.payload,
    });
  }

  /** What was added since the last time; good until something is added. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return bytes;
  }
}
