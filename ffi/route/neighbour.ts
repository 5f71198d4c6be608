/** Neighbour entries, ARP for IPv4 and ND for IPv6 (rtnetlink RTM_*NEIGH, linux/neighbour.h). */
import { familyOf } from "../inet.ts";
import { encodePayload } from "../netlink/attribute.ts";
import { AttributeScanner } from "../netlink/attribute_scanner.ts";
import { type NetlinkMessage, NLM_F_CREATE, NLM_F_REPLACE } from "../netlink/message.ts";
import { execute, type NetlinkRequest, type NetlinkTransport } from "../netlink/transport.ts";
import { ipFamily, kernelFamily, RTM } from "./family.ts";
import {
  NDA_DST,
  NDA_IFINDEX,
  NDA_LLADDR,
  NDA_PROTOCOL,
  NDMSG_BYTES,
  NUD,
  readNeighbourHeader,
  writeNeighbourHeader,
} from "./neighbour_message.ts";

export { NTF, NUD } from "./neighbour_message.ts";

const scanner = new AttributeScanner();

/** A neighbour entry. */
export interface Neighbour {
  readonly family: 4 | 6;
  /** Index of the device. */
  readonly index: number;
  readonly address: string;
  /** MAC address; null while it is not resolved. */
  readonly linkAddress: string | null;
  /** NUD_* bits. */
  readonly state: number;
  /** NTF_* bits. */
  readonly flags: number;
  /** Who set it (NDA_PROTOCOL, since Linux 5.0), when somebody said so. */
  readonly protocol: number | null;
}

/** A neighbour entry to set. */
export interface NeighbourSpec {
  readonly index: number;
  readonly address: string;
  readonly linkAddress: string;
  /** NUD_* bits; PERMANENT by default. */
  readonly state?: number;
  /** NDA_PROTOCOL, 1 to 255. */
  readonly protocol?: number;
}

/** Which neighbour entry. */
export interface NeighbourKey {
  readonly index: number;
  readonly address: string;
}

/** Equivalent to: ip neighbour replace ADDRESS lladdr MAC dev INDEX nud permanent [protocol P]. */
export function neighbourReplaceRequest(spec: NeighbourSpec): NetlinkRequest {
  const payload = encodePayload((writer) => {
    writeNeighbourHeader(writer, {
      family: kernelFamily(familyOf(spec.address)),
      index: spec.index,
      state: spec.state ?? NUD.PERMANENT,
      flags: 0,
    });
    writer.address(NDA_DST, spec.address);
    writer.mac(NDA_LLADDR, spec.linkAddress);
    if (spec.protocol !== undefined) writer.u8(NDA_PROTOCOL, spec.protocol);
  });
  return {
    operation: "neighbour replace",
    subject: spec.address,
    type: RTM.NEWNEIGH,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    payload,
  };
}

/** Equivalent to: ip neighbour delete ADDRESS dev INDEX. ENOENT when it is not there. */
export function neighbourDeleteRequest(key: NeighbourKey): NetlinkRequest {
  const payload = encodePayload((writer) => {
    const family = kernelFamily(familyOf(key.address));
    writeNeighbourHeader(writer, { family, index: key.index, state: 0, flags: 0 });
    writer.address(NDA_DST, key.address);
  });
  return {
    operation: "neighbour delete",
    subject: key.address,
    type: RTM.DELNEIGH,
    flags: 0,
    payload,
  };
}

/** Sets an entry. Throws NetlinkError. */
export function neighbourReplace(transport: NetlinkTransport, spec: NeighbourSpec): void {
  execute(transport, neighbourReplaceRequest(spec));
}

/** Deletes an entry. Throws NetlinkError. */
export function neighbourDelete(transport: NetlinkTransport, key: NeighbourKey): void {
  execute(transport, neighbourDeleteRequest(key));
}

/** Which entries to dump; all by default. */
export interface NeighbourFilter {
  readonly index?: number;
  readonly family?: 4 | 6;
}

/** Equivalent to: ip -4|-6 neighbour show [dev INDEX] nud all. */
export function neighbourDumpRequest(family: 4 | 6, filter: NeighbourFilter = {}): NetlinkRequest {
  const payload = encodePayload((writer) => {
    writeNeighbourHeader(writer, { family: kernelFamily(family), index: 0, state: 0, flags: 0 });
    if (filter.index !== undefined) writer.u32(NDA_IFINDEX, filter.index);
  });
  return {
    operation: "neighbour show",
    subject: filter.index === undefined ? "" : `dev ${filter.index}`,
    type: RTM.GETNEIGH,
    flags: 0,
    payload,
  };
}

/** The entries that match, in every state. */
export function neighbourDump(
  transport: NetlinkTransport,
  filter: NeighbourFilter = {},
): Neighbour[] {
  const families = filter.family === undefined ? [4, 6] as const : [filter.family];
  const neighbours: Neighbour[] = [];
  for (const family of families) {
    for (const message of transport.dump(neighbourDumpRequest(family, filter))) {
      const neighbour = decodeNeighbour(message);
      if (neighbour === null) continue;
      if (filter.index === undefined || neighbour.index === filter.index) {
        neighbours.push(neighbour);
      }
    }
  }
  return neighbours;
}

/**
 * Reads RTM_NEWNEIGH or RTM_DELNEIGH; null for entries of another family or without an address.
 * Throws NetlinkFormatError.
 */
export function decodeNeighbour(message: NetlinkMessage): Neighbour | null {
  const { payload } = message;
  const header = readNeighbourHeader(payload);
  const family = ipFamily(header.family);
  if (family === null) return null;
  scanner.scan(payload, NDMSG_BYTES);
  const address = scanner.address(NDA_DST);
  if (address === null) return null;
  return {
    family,
    index: header.index,
    state: header.state,
    flags: header.flags,
    address,
    linkAddress: scanner.mac(NDA_LLADDR),
    protocol: scanner.u8(NDA_PROTOCOL),
  };
}
