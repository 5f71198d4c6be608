/**
 * The netlink socket: the real NetlinkTransport. Requests go out many to a send; the kernel works
 * through a datagram in order, answers each failed message with an error that carries its sequence
 * number, and the last one, which alone asks for an acknowledgement, with the word that all were
 * looked at. So one send and one receive serve hundreds of messages and every error finds its own.
 */
import { pinnedBytes, viewOf } from "../bytes.ts";
import { ERRNO, SysError } from "../errno.ts";
import { check, libc } from "../libc.ts";
import {
  AF_NETLINK,
  bindSocket,
  closeDescriptor,
  MSG_DONTWAIT,
  openSocket,
  receiveBytes,
  sendBytes,
  setReceiveTimeout,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SOCK_RAW,
  SOL_SOCKET,
  tryOption,
} from "../socket.ts";
import { decodeAcknowledgement } from "./acknowledgement.ts";
import { NetlinkError, NetlinkFormatError } from "./error.ts";
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

/** Protocol of routes, links, addresses and neighbours (linux/netlink.h). */
export const NETLINK_ROUTE = 0;

const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
/** Bytes of struct sockaddr_nl: family, padding, port id, groups. */
const SOCKADDR_NL_BYTES = 12;

/**
 * Room for replies. 5,000 peers of three messages that all fail give 15,000 errors of about 500
 * bytes of kernel memory each, 7.5 MB, were they sent as one batch.
 */
const SOCKET_BUFFER_BYTES = 8 * 1024 * 1024;

/**
 * Bytes of requests in one send: about 150 peers of three messages, after which larger sends
 * gain nothing. Far below the 212,992 bytes an unprivileged socket may send.
 */
const BATCH_BYTES = 32 * 1024;

/** The kernel builds dump parts of at most 32 KiB (af_netlink.c netlink_recvmsg). */
const RECEIVE_BYTES = 64 * 1024;

/** rtnetlink answers within the send; only a stuck kernel takes longer than this. */
const REPLY_TIMEOUT_MS = 10_000;

/** A dump torn this often is being changed faster than it can be read. */
const DUMP_ATTEMPTS = 8;

/** The reply to nearly every message, made once. */
const DONE: NetlinkReply = Object.freeze({ error: null, messages: Object.freeze([]) });

/** A bound netlink socket's descriptor and port id. Groups is the bit set of multicast groups. */
export function bindNetlink(protocol: number, groups: number): { fd: number; port: number } {
  const fd = openSocket(AF_NETLINK, SOCK_RAW, protocol, "open a netlink socket");
  try {
    // Beyond rmem_max needs CAP_NET_ADMIN in the initial user namespace; take what we are given.
    if (!tryOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER_BYTES)) {
      tryOption(fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER_BYTES);
    }
    if (!tryOption(fd, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER_BYTES)) {
      tryOption(fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER_BYTES);
    }
    // Since Linux 4.3, 4.12 and 4.20; without them errors have no text and dumps come unfiltered.
    tryOption(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
    tryOption(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
    tryOption(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
    const address = pinnedBytes(SOCKADDR_NL_BYTES);
    const view = viewOf(address);
    view.setUint16(0, AF_NETLINK, true);
    view.setUint32(8, groups, true);
    bindSocket(fd, address, "bind a netlink socket");
    const length = pinnedBytes(4);
    viewOf(length).setUint32(0, SOCKADDR_NL_BYTES, true);
    check("read a netlink socket's port id", libc().getsockname(fd, address, length));
    return { fd, port: view.getUint32(4, true) };
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

class NetlinkSocket implements NetlinkTransport {
  readonly port: number;
  #fd: number;
  #sequence = 0;
  readonly #receive = pinnedBytes(RECEIVE_BYTES);
  #send = pinnedBytes(2 * BATCH_BYTES);
  #sendView = viewOf(this.#send);

  constructor(protocol: number) {
    const { fd, port } = bindNetlink(protocol, 0);
    this.#fd = fd;
    this.port = port;
    setReceiveTimeout(fd, REPLY_TIMEOUT_MS);
  }

  request(requests: readonly NetlinkRequest[]): NetlinkReply[] {
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
      const batch = requests.slice(start, end);
      replies.push(...this.#exchange(batch, bytes));
      start = end;
    }
    return replies;
  }

  dump(request: NetlinkRequest): NetlinkMessage[] {
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
    if (this.#fd < 0) return;
    closeDescriptor(this.#fd);
    this.#fd = -1;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #descriptor(): number {
    if (this.#fd < 0) throw new Error("This netlink socket is closed");
    return this.#fd;
  }

  #nextSequence(): number {
    this.#sequence = this.#sequence === 0xffff_ffff ? 1 : this.#sequence + 1;
    return this.#sequence;
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

  #reserve(bytes: number): void {
    if (bytes <= this.#send.length) return;
    this.#send = pinnedBytes(bytes);
    this.#sendView = viewOf(this.#send);
  }

  /** Sends one batch of `bytes` bytes and waits for the verdict on its last message. */
  #exchange(batch: readonly NetlinkRequest[], bytes: number): NetlinkReply[] {
    const fd = this.#descriptor();
    this.#reserve(bytes);
    const indexes = new Map<number, number>();
    let offset = 0;
    for (const [index, request] of batch.entries()) {
      const last = index === batch.length - 1;
      const sequence = this.#nextSequence();
      indexes.set(sequence, index);
      const flags = last ? NLM_F_REQUEST | NLM_F_ACK : NLM_F_REQUEST;
      offset = this.#write(offset, request, flags, sequence);
    }
    const [first] = batch;
    const op = batch.length === 1 && first !== undefined
      ? describe(first)
      : `${batch.length} requests`;
    sendBytes(fd, this.#send.subarray(0, offset), `send ${op} to the kernel`);

    const replies: NetlinkReply[] = batch.map(() => DONE);
    for (;;) {
      for (const message of this.#receiveMessages(op)) {
        const index = indexes.get(message.sequence);
        const request = index === undefined ? undefined : batch[index];
        if (index === undefined || request === undefined) continue; // late reply to a lost batch
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
    const fd = this.#descriptor();
    const sequence = this.#nextSequence();
    this.#reserve(messageBytes(request.payload.length));
    const length = this.#write(0, request, NLM_F_REQUEST | NLM_F_DUMP, sequence);
    sendBytes(fd, this.#send.subarray(0, length), `send ${op} to the kernel`);

    const messages: NetlinkMessage[] = [];
    let torn = false;
    for (;;) {
      for (const message of this.#receiveMessages(op)) {
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

  /** The messages of the next datagram, copied out of the receive buffer. */
  #receiveMessages(op: string): NetlinkMessage[] {
    const length = receiveBytes(this.#descriptor(), this.#receive, 0);
    if (length === -ERRNO.ENOBUFS) this.#overrun(op);
    if (length === -ERRNO.EAGAIN) {
      throw new SysError(`get an answer to ${op} within ${REPLY_TIMEOUT_MS} ms`, ERRNO.ETIMEDOUT);
    }
    if (length < 0) throw new SysError(`receive the answer to ${op}`, -length);
    if (length > this.#receive.length) {
      throw new NetlinkFormatError(`datagram of ${length} bytes, more than ${RECEIVE_BYTES}`);
    }
    const messages = parseMessages(this.#receive.slice(0, length));
    if (messages.some((message) => message.type === NLMSG_OVERRUN)) this.#overrun(op);
    return messages;
  }

  /** Replies were lost: empties the socket, so that the next request starts clean, and throws. */
  #overrun(op: string): never {
    for (;;) {
      const length = receiveBytes(this.#descriptor(), this.#receive, MSG_DONTWAIT);
      if (length < 0 && length !== -ERRNO.ENOBUFS) break;
    }
    throw new NetlinkError(op, ERRNO.ENOBUFS, {
      sequence: 0,
      extack: "replies were lost; dump and try again",
    });
  }
}

/** Opens a netlink socket in the current network namespace, where it stays. Throws SysError. */
export function openNetlinkSocket(protocol = NETLINK_ROUTE): NetlinkTransport {
  return new NetlinkSocket(protocol);
}
