/**
 * Forwarding entries of vxlan devices and bridges (rtnetlink RTM_*NEIGH with family AF_BRIDGE,
 * linux/neighbour.h): which remote tunnel end, or which port, a MAC address is behind.
 */
import { encodePayload } from "../netlink/attribute.ts";
import { AttributeScanner } from "../netlink/attribute_scanner.ts";
import {
  type NetlinkMessage,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_REPLACE,
} from "../netlink/message.ts";
import { execute, type NetlinkRequest, type NetlinkTransport } from "../netlink/transport.ts";
import { AF_BRIDGE } from "../socket.ts";
import { RTM } from "./family.ts";
import {
  NDA_DST,
  NDA_IFINDEX,
  NDA_LLADDR,
  NDA_MASTER,
  NDA_PORT,
  NDA_VNI,
  NDMSG_BYTES,
  NTF,
  NUD,
  readNeighbourHeader,
  writeNeighbourHeader,
} from "./neighbour_message.ts";

const scanner = new AttributeScanner();

/** A forwarding entry. */
export interface FdbEntry {
  /** Index of the device whose table it is in. */
  readonly index: number;
  readonly linkAddress: string;
  /** Remote tunnel end; null for local entries and bridge ports. */
  readonly destination: string | null;
  /** UDP port, when it is not the device's. */
  readonly port: number | null;
  /** VNI, when it is not the device's. */
  readonly vni: number | null;
  /** Index of the device to send through, when it is not the device's lower one. */
  readonly outInterface: number | null;
  /** NUD_* bits. */
  readonly state: number;
  /** NTF_* bits. */
  readonly flags: number;
  /** Index of the bridge, for entries of a bridge's table. */
  readonly master: number | null;
}

/** A forwarding entry to set. */
export interface FdbSpec {
  readonly index: number;
  readonly linkAddress: string;
  readonly destination?: string;
  readonly port?: number;
  readonly vni?: number;
  readonly outInterface?: number;
  /** NUD_* bits; PERMANENT by default. */
  readonly state?: number;
}

function fdbRequest(
  operation: string,
  type: number,
  flags: number,
  state: number,
  spec: FdbSpec,
): NetlinkRequest {
  const payload = encodePayload((writer) => {
    writeNeighbourHeader(writer, {
      family: AF_BRIDGE,
      index: spec.index,
      state,
      flags: NTF.SELF,
    });
    writer.mac(NDA_LLADDR, spec.linkAddress);
    if (spec.destination !== undefined) writer.address(NDA_DST, spec.destination);
    if (spec.port !== undefined) writer.be16(NDA_PORT, spec.port);
    if (spec.vni !== undefined) writer.u32(NDA_VNI, spec.vni);
    if (spec.outInterface !== undefined) writer.u32(NDA_IFINDEX, spec.outInterface);
  });
  return { operation, subject: spec.linkAddress, type, flags, payload };
}

/** Equivalent to: bridge fdb replace MAC dev INDEX dst ADDRESS self permanent. */
export function fdbReplaceRequest(spec: FdbSpec): NetlinkRequest {
  const flags = NLM_F_CREATE | NLM_F_REPLACE;
  return fdbRequest("fdb replace", RTM.NEWNEIGH, flags, spec.state ?? NUD.PERMANENT, spec);
}

/** Equivalent to: bridge fdb append MAC dev INDEX dst ADDRESS self permanent: a further remote. */
export function fdbAppendRequest(spec: FdbSpec): NetlinkRequest {
  const flags = NLM_F_CREATE | NLM_F_APPEND;
  return fdbRequest("fdb append", RTM.NEWNEIGH, flags, spec.state ?? NUD.PERMANENT, spec);
}

/** Equivalent to: bridge fdb delete MAC dev INDEX [dst ADDRESS] self. ENOENT when not there. */
export function fdbDeleteRequest(spec: FdbSpec): NetlinkRequest {
  return fdbRequest("fdb delete", RTM.DELNEIGH, 0, 0, spec);
}

/** Sets the one remote of a MAC address. Throws NetlinkError. */
export function fdbReplace(transport: NetlinkTransport, spec: FdbSpec): void {
  execute(transport, fdbReplaceRequest(spec));
}

/** Adds a further remote to a MAC address: frames to the all-zero one go to each. */
export function fdbAppend(transport: NetlinkTransport, spec: FdbSpec): void {
  execute(transport, fdbAppendRequest(spec));
}

/** Deletes an entry. Throws NetlinkError. */
export function fdbDelete(transport: NetlinkTransport, spec: FdbSpec): void {
  execute(transport, fdbDeleteRequest(spec));
}

/** Equivalent to: bridge fdb show dev INDEX; the kernel filters. */
export function fdbDumpRequest(index: number): NetlinkRequest {
  const payload = encodePayload((writer) => {
    writeNeighbourHeader(writer, { family: AF_BRIDGE, index, state: 0, flags: 0 });
  });
  return { operation: "fdb show", subject: `dev ${index}`, type: RTM.GETNEIGH, flags: 0, payload };
}

/** The forwarding entries of one device. */
export function fdbDump(transport: NetlinkTransport, index: number): FdbEntry[] {
  const entries: FdbEntry[] = [];
  for (const message of transport.dump(fdbDumpRequest(index))) {
    const entry = decodeFdbEntry(message);
    if (entry?.index === index) entries.push(entry); // kernels before 4.20 send every device's
  }
  return entries;
}

/**
 * Reads RTM_NEWNEIGH or RTM_DELNEIGH of family AF_BRIDGE; null for another family or an entry
 * without MAC address. Throws NetlinkFormatError.
 */
export function decodeFdbEntry(message: NetlinkMessage): FdbEntry | null {
  const { payload } = message;
  const header = readNeighbourHeader(payload);
  if (header.family !== AF_BRIDGE) return null;
  scanner.scan(payload, NDMSG_BYTES);
  const linkAddress = scanner.mac(NDA_LLADDR);
  if (linkAddress === null) return null;
  return {
    index: header.index,
    state: header.state,
    flags: header.flags,
    linkAddress,
    destination: scanner.address(NDA_DST),
    port: scanner.be16(NDA_PORT),
    vni: scanner.u32(NDA_VNI),
    outInterface: scanner.u32(NDA_IFINDEX),
    master: scanner.u32(NDA_MASTER),
  };
}
