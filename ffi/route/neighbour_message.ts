/**
 * struct ndmsg and its attributes (linux/neighbour.h), which the neighbour tables of IPv4 and IPv6
 * and the forwarding tables of bridges and vxlan devices share.
 */
import { type AttributeWriter, fixedHeader } from "../netlink/attribute.ts";

/** Bytes of struct ndmsg: family, padding, ifindex, state, flags, type. */
export const NDMSG_BYTES = 12;

export const NDA_DST = 1;
export const NDA_LLADDR = 2;
export const NDA_PORT = 6;
export const NDA_VNI = 7;
export const NDA_IFINDEX = 8;
export const NDA_MASTER = 9;
export const NDA_PROTOCOL = 12;

/** States of an entry (NUD_*). */
export const NUD = {
  NONE: 0x00,
  INCOMPLETE: 0x01,
  REACHABLE: 0x02,
  STALE: 0x04,
  DELAY: 0x08,
  PROBE: 0x10,
  FAILED: 0x20,
  NOARP: 0x40,
  PERMANENT: 0x80,
} as const;

/** Flags of an entry (NTF_*): whose table it is in, and how it got there. */
export const NTF = {
  USE: 0x01,
  SELF: 0x02,
  MASTER: 0x04,
  PROXY: 0x08,
  EXT_LEARNED: 0x10,
  ROUTER: 0x80,
} as const;

/** The fixed part of a neighbour or forwarding entry. */
export interface NeighbourHeader {
  /** AF_INET, AF_INET6 or AF_BRIDGE. */
  readonly family: number;
  readonly index: number;
  readonly state: number;
  readonly flags: number;
}

/** Writes struct ndmsg. */
export function writeNeighbourHeader(writer: AttributeWriter, header: NeighbourHeader): void {
  const at = writer.space(NDMSG_BYTES);
  writer.setU8(at, header.family);
  writer.setU32(at + 4, header.index);
  writer.setU16(at + 8, header.state);
  writer.setU8(at + 10, header.flags);
}

/** Reads struct ndmsg. Throws NetlinkFormatError when it is cut. */
export function readNeighbourHeader(payload: Uint8Array): NeighbourHeader {
  const view = fixedHeader(payload, NDMSG_BYTES, "ndmsg");
  return {
    family: view.getUint8(0),
    index: view.getInt32(4, true),
    state: view.getUint16(8, true),
    flags: view.getUint8(10),
  };
}
