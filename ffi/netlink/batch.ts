/**
 * Requests that go out in one datagram, and their replies as they come in. Only the last request asks for an
 * acknowledgement, so the kernel's word on it says that all were looked at.
 */
import { decodeAcknowledgement } from "./acknowledgement.ts";
import { type NetlinkMessage, NLMSG_ERROR, NLMSG_NOOP } from "./message.ts";
import { describe, type NetlinkReply, type NetlinkRequest } from "./transport.ts";

/** The reply to nearly every message, made once. */
const DONE: NetlinkReply = Object.freeze({ error: null, messages: Object.freeze([]) });

export class Batch {
  readonly requests: readonly NetlinkRequest[];
  /** Words for errors that concern all of it. */
  readonly op: string;
  readonly #firstSequence: number;
  readonly #replies: NetlinkReply[];
  #isAnswered = false;

  /** @param firstSequence sequence number of the first request; those of the others follow. */
  constructor(requests: readonly NetlinkRequest[], firstSequence: number) {
    this.requests = requests;
    this.#firstSequence = firstSequence;
    this.#replies = new Array<NetlinkReply>(requests.length).fill(DONE);
    const [first] = requests;
    const alone = requests.length === 1 && first !== undefined;
    this.op = alone ? describe(first) : `${requests.length} requests`;
  }

  /** Whether the kernel has looked at all of it. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** One for each request, once it is answered. */
  get replies(): readonly NetlinkReply[] {
    return this.#replies;
  }

  /** Takes a message that answers one of the requests; false when it answers none of them. */
  take(message: NetlinkMessage): boolean {
    const index = message.sequence - this.#firstSequence;
    const request = this.requests[index];
    if (request === undefined) return false;
    if (message.type === NLMSG_ERROR) {
      const error = decodeAcknowledgement(message, describe(request));
      if (error !== null) this.#replies[index] = { error, messages: [] };
      if (index === this.requests.length - 1) this.#isAnswered = true;
    } else if (message.type !== NLMSG_NOOP) {
      const messages = [...this.#replies[index]?.messages ?? [], message];
      this.#replies[index] = { error: null, messages };
    }
    return true;
  }
}
