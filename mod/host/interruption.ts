/** Tells faults that say nothing of what the kernel holds from those that do. */
import { ERRNO, SysError } from "../../ffi/errno.ts";
import { NetlinkError, NetlinkFormatError } from "../../ffi/netlink/error.ts";

/**
 * Whether the kernel's answers were lost, torn all the time, or came over a socket that failed: what was done is not
 * known, and the answer is to look again. Anything else is the kernel's word, or a mistake of ours.
 */
export function isInterruption(error: unknown): boolean {
  if (error instanceof NetlinkFormatError || error instanceof SysError) return true;
  if (!(error instanceof NetlinkError)) return false;
  return error.errno === ERRNO.ENOBUFS || error.errno === ERRNO.EINTR;
}
