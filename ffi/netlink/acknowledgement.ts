/**
 * NLMSG_ERROR and NLMSG_DONE: the kernel's verdict on a request, good or bad, with its extended
 * acknowledgement (linux/netlink.h struct nlmsgerr, enum nlmsgerr_attrs).
 */
import { decodeAttributes, fixedHeader } from "./attribute.ts";
import { NetlinkError, NetlinkFormatError } from "./error.ts";
import {
  align,
  HEADER_BYTES,
  type NetlinkMessage,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
} from "./message.ts";
import { NLMSG_ERROR } from "./message.ts";

const NLMSGERR_ATTR_MSG = 1;
const NLMSGERR_ATTR_OFFS = 2;
const ERRNO_BYTES = 4;

/** Where the extended acknowledgement begins in the payload. */
function attributesOffset(message: NetlinkMessage): number {
  if (message.type !== NLMSG_ERROR) return ERRNO_BYTES;
  const view = fixedHeader(message.payload, ERRNO_BYTES + HEADER_BYTES, "nlmsgerr");
  const echoed = (message.flags & NLM_F_CAPPED) !== 0
    ? HEADER_BYTES
    : Math.max(HEADER_BYTES, view.getUint32(ERRNO_BYTES, true));
  const bytes = message.payload.length;
  if (echoed > bytes) {
    throw new NetlinkFormatError(`a request of ${echoed} bytes echoed in a verdict of ${bytes}`);
  }
  return ERRNO_BYTES + align(echoed);
}

/**
 * The error in an NLMSG_ERROR or NLMSG_DONE message, or null when it says that all went well.
 * `op` describes the request. Throws NetlinkFormatError when the message is cut.
 */
export function decodeAcknowledgement(message: NetlinkMessage, op: string): NetlinkError | null {
  // An old kernel may end a dump with an empty NLMSG_DONE.
  if (message.type !== NLMSG_ERROR && message.payload.length < ERRNO_BYTES) return null;
  const errno = -fixedHeader(message.payload, ERRNO_BYTES, "nlmsgerr").getInt32(0, true);
  // Above zero is a count (NLMSG_DONE of some dumps), zero is the acknowledgement.
  if (errno <= 0) return null;
  const { sequence } = message;
  if ((message.flags & NLM_F_ACK_TLVS) === 0) return new NetlinkError(op, errno, { sequence });
  const attributes = decodeAttributes(message.payload, attributesOffset(message));
  return new NetlinkError(op, errno, {
    sequence,
    extack: attributes.string(NLMSGERR_ATTR_MSG),
    offset: attributes.u32(NLMSGERR_ATTR_OFFS),
  });
}
