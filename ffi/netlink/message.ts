/**
 * The netlink message: a 16-byte header (linux/netlink.h struct nlmsghdr) and a payload, aligned
 * to four bytes, several in a datagram. Parsing trusts nothing: lengths are checked before use.
 */
import { viewOf } from "../bytes.ts";
import { NetlinkFormatError } from "./error.ts";

/** Bytes of struct nlmsghdr. */
export const HEADER_BYTES = 16;

/** Control message types below NLMSG_MIN_TYPE. */
export const NLMSG_NOOP = 1;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLMSG_OVERRUN = 4;

/** Flags of every message. */
export const NLM_F_REQUEST = 0x1;
export const NLM_F_MULTI = 0x2;
export const NLM_F_ACK = 0x4;
export const NLM_F_ECHO = 0x8;
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_DUMP_FILTERED = 0x20;

/** Modifiers of GET requests. */
export const NLM_F_ROOT = 0x100;
export const NLM_F_MATCH = 0x200;
export const NLM_F_DUMP = NLM_F_ROOT | NLM_F_MATCH;

/** Modifiers of NEW requests. */
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;

/** Modifiers of error replies. */
export const NLM_F_CAPPED = 0x100;
export const NLM_F_ACK_TLVS = 0x200;

/** What kind of request the flags belong to: the bits above 0xff mean different things in each. */
export type FlagContext = "get" | "new" | "reply";

const COMMON_FLAGS: readonly [number, string][] = [
  [NLM_F_REQUEST, "REQUEST"],
  [NLM_F_MULTI, "MULTI"],
  [NLM_F_ACK, "ACK"],
  [NLM_F_ECHO, "ECHO"],
  [NLM_F_DUMP_INTR, "DUMP_INTR"],
  [NLM_F_DUMP_FILTERED, "DUMP_FILTERED"],
];

const CONTEXT_FLAGS: Readonly<Record<FlagContext, readonly [number, string][]>> = {
  get: [[NLM_F_ROOT, "ROOT"], [NLM_F_MATCH, "MATCH"]],
  new: [
    [NLM_F_REPLACE, "REPLACE"],
    [NLM_F_EXCL, "EXCL"],
    [NLM_F_CREATE, "CREATE"],
    [NLM_F_APPEND, "APPEND"],
  ],
  reply: [[NLM_F_CAPPED, "CAPPED"], [NLM_F_ACK_TLVS, "ACK_TLVS"]],
};

/** "REQUEST|ACK|CREATE|EXCL": the flags by name, unknown bits in hex, "0" for none. */
export function formatFlags(flags: number, context: FlagContext): string {
  let rest = flags;
  const names: string[] = [];
  for (const [bit, name] of [...COMMON_FLAGS, ...CONTEXT_FLAGS[context]]) {
    if ((rest & bit) === 0) continue;
    names.push(name);
    rest &= ~bit;
  }
  if (rest !== 0) names.push(`0x${rest.toString(16)}`);
  return names.length === 0 ? "0" : names.join("|");
}

/** One received message. */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Port id of the socket whose request caused it; 0 for the kernel itself. */
  readonly port: number;
  readonly payload: Uint8Array;
}

/** Rounds up to NLMSG_ALIGNTO, which is NLA_ALIGNTO too. */
export function align(length: number): number {
  return (length + 3) & ~3;
}

/** Bytes that a message with a payload of this length takes in a datagram. */
export function messageBytes(payloadLength: number): number {
  return align(HEADER_BYTES + payloadLength);
}

/** Writes one message at `offset`; returns the offset behind its padding. */
export function writeMessage(
  target: Uint8Array,
  view: DataView,
  offset: number,
  message: NetlinkMessage,
): number {
  const length = HEADER_BYTES + message.payload.length;
  const end = offset + align(length);
  view.setUint32(offset, length, true);
  view.setUint16(offset + 4, message.type, true);
  view.setUint16(offset + 6, message.flags, true);
  view.setUint32(offset + 8, message.sequence, true);
  view.setUint32(offset + 12, message.port, true);
  target.set(message.payload, offset + HEADER_BYTES);
  target.fill(0, offset + length, end);
  return end;
}

/** The bytes of one message on its own. */
export function encodeMessage(message: NetlinkMessage): Uint8Array {
  const bytes = new Uint8Array(messageBytes(message.payload.length));
  writeMessage(bytes, viewOf(bytes), 0, message);
  return bytes;
}

/**
 * All messages of a datagram; payloads are views into it. Throws NetlinkFormatError when a length
 * is impossible.
 */
export function parseMessages(datagram: Uint8Array): NetlinkMessage[] {
  const view = viewOf(datagram);
  const messages: NetlinkMessage[] = [];
  let offset = 0;
  while (offset < datagram.length) {
    if (datagram.length - offset < HEADER_BYTES) {
      throw new NetlinkFormatError(`${datagram.length - offset} bytes where a header should be`);
    }
    const length = view.getUint32(offset, true);
    if (length < HEADER_BYTES || length > datagram.length - offset) {
      throw new NetlinkFormatError(
        `message of ${length} bytes at byte ${offset} of a datagram of ${datagram.length}`,
      );
    }
    messages.push({
      type: view.getUint16(offset + 4, true),
      flags: view.getUint16(offset + 6, true),
      sequence: view.getUint32(offset + 8, true),
      port: view.getUint32(offset + 12, true),
      payload: datagram.subarray(offset + HEADER_BYTES, offset + length),
    });
    offset += align(length);
  }
  return messages;
}
