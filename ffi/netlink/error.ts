/**
 * What the kernel says when it refuses a netlink request: an error number and, with
 * NETLINK_EXT_ACK, a sentence and the offset of the offending attribute
 * (linux/netlink.h enum nlmsgerr_attrs).
 */
import { ERRNO, errnoName, errnoText } from "../errno.ts";

/** Where in the request the kernel found fault, and its own words. */
export interface NetlinkErrorDetail {
  readonly sequence: number;
  readonly extack?: string | null;
  /** Bytes from the start of the request message, its header included. */
  readonly offset?: number | null;
}

/** A request the kernel refused. */
export class NetlinkError extends Error {
  /** What was asked, such as "route replace 10.244.9.0/24". */
  readonly op: string;
  /** Positive error number. */
  readonly errno: number;
  /** Symbolic name, such as "EEXIST". */
  readonly code: string;
  /** The kernel's own explanation, if it gave one. */
  readonly extack: string | null;
  /** Offset of the attribute the kernel objects to, in bytes from the message's start. */
  readonly offset: number | null;
  /** Sequence number of the refused message; 0 when it cannot be told. */
  readonly sequence: number;

  constructor(op: string, errno: number, detail: NetlinkErrorDetail = { sequence: 0 }) {
    const extack = detail.extack ?? null;
    const offset = detail.offset ?? null;
    const said = extack === null ? "" : `: ${extack}`;
    const where = offset === null ? "" : ` (at byte ${offset} of the request)`;
    super(`Kernel refused "${op}": ${errnoText(errno)} (${errnoName(errno)})${said}${where}`);
    this.name = "NetlinkError";
    this.op = op;
    this.errno = errno;
    this.code = errnoName(errno);
    this.extack = extack;
    this.offset = offset;
    this.sequence = detail.sequence;
  }
}

/** Bytes from the kernel (or a fake) that are not well-formed netlink. */
export class NetlinkFormatError extends Error {
  constructor(what: string) {
    super(`Malformed netlink reply: ${what}`);
    this.name = "NetlinkFormatError";
  }
}

/** True when a delete or get failed because the object is not there. */
export function isMissing(error: unknown): boolean {
  if (!(error instanceof NetlinkError)) return false;
  const { errno } = error;
  return errno === ERRNO.ENOENT || errno === ERRNO.ESRCH || errno === ERRNO.ENODEV ||
    errno === ERRNO.EADDRNOTAVAIL;
}

/** True when an exclusive create failed because the object is there already. */
export function isExisting(error: unknown): boolean {
  return error instanceof NetlinkError && error.errno === ERRNO.EEXIST;
}
