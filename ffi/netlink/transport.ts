/**
 * What everything above speaks to: something that takes request messages and gives reply messages.
 * The kernel's socket (socket.ts) is one, ffi/fake_kernel.ts another, so nothing above knows
 * whether a kernel is there.
 */
import type { NetlinkError } from "./error.ts";
import type { NetlinkMessage } from "./message.ts";

/** A request without sequence number and port, which the transport gives it. */
export interface NetlinkRequest {
  /** What it does in iproute2's words, such as "route replace": for errors and traces. */
  readonly operation: string;
  /** What it does it to, such as "10.244.9.0/24". */
  readonly subject: string;
  readonly type: number;
  /** Modifiers such as NLM_F_CREATE; the transport adds REQUEST, ACK and DUMP. */
  readonly flags: number;
  readonly payload: Uint8Array;
}

/** The answer to one request. */
export interface NetlinkReply {
  /** Why the kernel refused it; null when it was done. */
  readonly error: NetlinkError | null;
  /** What a GET gave; empty for everything else. */
  readonly messages: readonly NetlinkMessage[];
}

/** A way to the kernel's tables. Every call is synchronous. */
export interface NetlinkTransport {
  /** Our port id: notifications that carry it were caused by this transport. */
  readonly port: number;
  /**
   * Sends all requests in order and returns one reply per request in the same order. A refused
   * request is a reply with an error and does not stop the others. Throws SysError when the
   * socket fails, and NetlinkError with code ENOBUFS when replies were lost: compare and try again.
   */
  request(requests: readonly NetlinkRequest[]): NetlinkReply[];
  /**
   * As `request`, for thousands of them: the kernel works on another thread meanwhile, so that
   * everything else goes on, other calls on this transport among it. The requests are taken one
   * batch ahead of the kernel. Rejects as `request` throws.
   */
  requestLater(requests: Iterable<NetlinkRequest>): Promise<NetlinkReply[]>;
  /**
   * All messages of a dump. A dump the kernel marks as torn (NLM_F_DUMP_INTR) is repeated a few
   * times. Throws NetlinkError: the kernel's, EINTR when every attempt was torn, ENOBUFS when
   * replies were lost.
   */
  dump(request: NetlinkRequest): NetlinkMessage[];
  close(): void;
  [Symbol.dispose](): void;
}

/** "route replace 10.244.9.0/24". */
export function describe(request: NetlinkRequest): string {
  return request.subject === "" ? request.operation : `${request.operation} ${request.subject}`;
}

/** Sends one request; returns its replies or throws its NetlinkError. */
export function execute(
  transport: NetlinkTransport,
  request: NetlinkRequest,
): readonly NetlinkMessage[] {
  const [reply] = transport.request([request]);
  if (reply === undefined) throw new Error(`No reply to "${describe(request)}"`);
  if (reply.error !== null) throw reply.error;
  return reply.messages;
}
