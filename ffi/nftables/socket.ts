/**
 * The way to nf_tables: dumps as with any netlink, changes in transactions. A transaction is one datagram between two marks;
 * the kernel does all of it or nothing (Documentation: nfnetlink.c nfnetlink_rcv_batch).
 */
import { pinnedBytes, viewOf } from "../bytes.ts";
import { ERRNO, SysError } from "../errno.ts";
import { decodeAcknowledgement } from "../netlink/acknowledgement.ts";
import { NetlinkConversation } from "../netlink/conversation.ts";
import type { Datagrams } from "../netlink/datagrams.ts";
import { NetlinkError } from "../netlink/error.ts";
import {
  messageBytes,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_REQUEST,
  NLMSG_ERROR,
  parseMessages,
  writeMessage,
} from "../netlink/message.ts";
import { openDatagrams } from "../netlink/socket.ts";
import { describe, execute, type NetlinkRequest } from "../netlink/transport.ts";
import { be32, NETLINK_NETFILTER, NFT_MSG, nftPayload, openMessage, SUBSYSTEM } from "./message.ts";

/** NFNL_MSG_BATCH_BEGIN and NFNL_MSG_BATCH_END. */
const BATCH_BEGIN = 0x10;
const BATCH_END = 0x11;
const GENERATION_ID = 1;

/** Sequence numbers of transactions have this bit, those of the conversation on the same socket do not. */
const TRANSACTION_BIT = 0x8000_0000;

export class NftablesSocket {
  readonly #datagrams: Datagrams;
  readonly #conversation: NetlinkConversation;
  #sequence = 0;

  constructor(datagrams: Datagrams) {
    this.#datagrams = datagrams;
    this.#conversation = new NetlinkConversation(datagrams);
  }

  /** Our port id: notifications that carry it are of our own changes. */
  get port(): number {
    return this.#datagrams.port;
  }

  /** All messages of a dump. Throws NetlinkError and SysError as NetlinkTransport's does. */
  dump(request: NetlinkRequest): NetlinkMessage[] {
    return this.#conversation.dump(request);
  }

  /** A number that is another after each change of the rules of this namespace. Throws NetlinkError. */
  generation(): number {
    const request = {
      operation: "generation get",
      subject: "",
      type: NFT_MSG.GETGEN,
      flags: 0,
      payload: nftPayload(null, () => {}),
    };
    for (const message of execute(this.#conversation, request)) {
      if (message.type !== NFT_MSG.NEWGEN) continue;
      return be32(openMessage(message).attributes, GENERATION_ID) ?? 0;
    }
    return 0;
  }

  /**
   * Does all of it at one instant, or nothing. Throws the kernel's first NetlinkError, and SysError when the socket fails; with
   * code ENOBUFS it is not known whether it was done: dump and compare.
   */
  transact(requests: readonly NetlinkRequest[]): void {
    if (requests.length === 0) return;
    const op = requests.length === 1 && requests[0] !== undefined
      ? describe(requests[0])
      : `${requests.length} changes of nftables`;
    const first = this.#nextSequences(requests.length + 2);
    this.#datagrams.send(this.#encode(requests, first), `send ${op} to the kernel`);
    const last = first + requests.length;
    let error: NetlinkError | null = null;
    for (;;) {
      for (const message of this.#receive(op)) {
        const { sequence } = message;
        if (message.type !== NLMSG_ERROR || sequence < first || sequence > last) continue;
        const refused = requests[sequence - first - 1];
        error ??= decodeAcknowledgement(message, refused === undefined ? op : describe(refused));
        // The whole is refused with its beginning; otherwise the last message is the last to be answered.
        if (sequence !== last && (sequence !== first || error === null)) continue;
        if (error === null) return;
        throw error;
      }
    }
  }

  close(): void {
    this.#conversation.close();
  }

  #nextSequences(count: number): number {
    const first = this.#sequence + 1;
    this.#sequence = first + count > TRANSACTION_BIT / 2 ? 0 : first + count;
    return TRANSACTION_BIT + first;
  }

  #encode(requests: readonly NetlinkRequest[], first: number): Uint8Array<ArrayBuffer> {
    const mark = nftPayload(null, () => {}, SUBSYSTEM);
    const sizes = requests.map(({ payload }) => messageBytes(payload.length));
    const length = 2 * messageBytes(mark.length) + sizes.reduce((sum, size) => sum + size, 0);
    const bytes = pinnedBytes(length);
    const view = viewOf(bytes);
    let offset = 0;
    const put = (type: number, flags: number, sequence: number, payload: Uint8Array) => {
      const message = { type, flags: flags | NLM_F_REQUEST, sequence, port: this.port, payload };
      offset = writeMessage(bytes, view, offset, message);
    };
    put(BATCH_BEGIN, 0, first, mark);
    let sequence = first;
    for (const { type, flags, payload } of requests) {
      sequence++;
      const isLast = sequence === first + requests.length;
      put(type, isLast ? flags | NLM_F_ACK : flags, sequence, payload);
    }
    put(BATCH_END, 0, sequence + 1, mark);
    return bytes;
  }

  #receive(op: string): NetlinkMessage[] {
    const datagram = this.#datagrams.receive(true);
    if (typeof datagram !== "number") return parseMessages(datagram);
    if (datagram === ERRNO.ENOBUFS) {
      throw new NetlinkError(op, ERRNO.ENOBUFS, { sequence: 0, extack: "the answer was lost" });
    }
    if (datagram === ERRNO.EAGAIN) {
      throw new SysError(`get an answer to "${op}" from the kernel`, ERRNO.ETIMEDOUT);
    }
    throw new SysError(`receive the answer to "${op}"`, datagram);
  }
}

/** Opens nf_tables of the current network namespace, where it stays. Throws SysError. */
export function openNftables(): NftablesSocket {
  return new NftablesSocket(openDatagrams(NETLINK_NETFILTER));
}
