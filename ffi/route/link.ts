/**
 * Network devices (rtnetlink RTM_*LINK, linux/if_link.h): dump, get, set, delete, and the create
 * that vxlan.ts, veth.ts and bridge.ts build on. We mark our devices with an alias, because a name
 * proves nothing: anybody may call a device flannel.1.
 */
import { bytesToMac, macToBytes } from "../inet.ts";
import {
  type Attributes,
  type AttributeWriter,
  decodeAttributes,
  encodePayload,
  fixedHeader,
} from "../netlink/attribute.ts";
import { isMissing, NetlinkFormatError } from "../netlink/error.ts";
import { type NetlinkMessage, NLM_F_CREATE, NLM_F_EXCL } from "../netlink/message.ts";
import { execute, type NetlinkRequest, type NetlinkTransport } from "../netlink/transport.ts";
import { RTM } from "./family.ts";
import { decodeTunData, type TunInfo } from "./tun_data.ts";
import { decodeVxlanData, type VxlanInfo } from "./vxlan_data.ts";

/** Bytes of struct ifinfomsg: family, pad, type, index, flags, change mask. */
export const IFINFOMSG_BYTES = 16;
/** Device is administratively up (linux/if.h). */
export const IFF_UP = 0x1;
/** There is one other end, and no addresses to tell ends apart (linux/if.h). */
export const IFF_POINTOPOINT = 0x10;
/** Nobody is asked for MAC addresses (linux/if.h). */
export const IFF_NOARP = 0x80;
/** The lower layer has carrier (linux/if.h). */
export const IFF_LOWER_UP = 0x1_0000;
/** Longest device name without its zero (linux/if.h IFNAMSIZ - 1). */
export const LONGEST_NAME_BYTES = 15;

export const IFLA_ADDRESS = 1;
export const IFLA_IFNAME = 3;
export const IFLA_MTU = 4;
export const IFLA_LINK = 5;
export const IFLA_MASTER = 10;
export const IFLA_TXQLEN = 13;
export const IFLA_OPERSTATE = 16;
export const IFLA_LINKINFO = 18;
export const IFLA_IFALIAS = 20;
export const IFLA_NET_NS_FD = 28;
export const IFLA_EXT_MASK = 29;
const IFLA_LINK_NETNSID = 37;
const IFLA_INFO_KIND = 1;
export const IFLA_INFO_DATA = 2;
/** Leaves counters out of the answer, which are half of its bytes. */
const RTEXT_FILTER_SKIP_STATS = 8;

/** RFC 2863 states as the kernel numbers them (linux/if.h IF_OPER_*). */
const OPERATIONAL_STATES = [
  "unknown",
  "notpresent",
  "down",
  "lowerlayerdown",
  "testing",
  "dormant",
  "up",
] as const;

/** State of the device's carrier and protocol, as `ip link` prints after "state". */
export type OperationalState = typeof OPERATIONAL_STATES[number];

/** A network device. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** "vxlan", "veth", "bridge", "dummy"…; null for physical devices and loopback. */
  readonly kind: string | null;
  /** IFF_* bits. */
  readonly flags: number;
  readonly up: boolean;
  readonly lowerUp: boolean;
  readonly mtu: number;
  /** MAC address; null for devices without one. */
  readonly address: string | null;
  readonly alias: string | null;
  /** Index of the bridge (or bond, VRF) it is a port of. */
  readonly master: number | null;
  /** Index of the lower device, or of a veth's peer. */
  readonly link: number | null;
  /** Id of the namespace that `link` lives in when it is another one. */
  readonly linkNamespaceId: number | null;
  readonly txQueueLength: number;
  readonly operationalState: OperationalState;
  /** Parameters of a vxlan device; null for every other kind. */
  readonly vxlan: VxlanInfo | null;
  /** Of a TUN or TAP device; absent for every other kind. */
  readonly tun?: TunInfo;
}

/** What can be changed on a device; what is absent stays. */
export interface LinkSettings {
  readonly name?: string;
  readonly up?: boolean;
  /** Bytes. */
  readonly mtu?: number;
  readonly address?: string;
  /** Packets. */
  readonly txQueueLength?: number;
  /** At most 255 bytes; "" takes it away. */
  readonly alias?: string;
  /** Index of the new master; 0 for none. */
  readonly master?: number;
  /** Descriptor of the namespace to move the device to. */
  readonly namespaceFd?: number;
}

/** What a new device is given besides its kind. It appears in the transport's own namespace. */
export interface NewLink extends Omit<LinkSettings, "namespaceFd"> {
  readonly name: string;
}

/** A device to create. */
export interface LinkCreate extends NewLink {
  readonly kind: string;
  /** Writes the contents of IFLA_INFO_DATA. */
  readonly data?: (writer: AttributeWriter) => void;
}

/** Writes struct ifinfomsg. */
export function writeLinkHeader(writer: AttributeWriter, index: number, up?: boolean): void {
  writer.header(IFINFOMSG_BYTES, (view) => {
    view.setInt32(4, index, true);
    if (up === undefined) return;
    view.setUint32(8, up ? IFF_UP : 0, true);
    view.setUint32(12, IFF_UP, true);
  });
}

/** Writes the attributes of `settings` that are present; `up` is in the header. */
export function writeLinkSettings(writer: AttributeWriter, settings: LinkSettings): void {
  const { name, mtu, address, txQueueLength, alias, master, namespaceFd } = settings;
  if (name !== undefined) {
    checkName(name);
    writer.string(IFLA_IFNAME, name);
  }
  if (address !== undefined) writer.bytes(IFLA_ADDRESS, macToBytes(address));
  if (mtu !== undefined) writer.u32(IFLA_MTU, mtu);
  if (txQueueLength !== undefined) writer.u32(IFLA_TXQLEN, txQueueLength);
  if (alias !== undefined) writer.bytes(IFLA_IFALIAS, new TextEncoder().encode(alias));
  if (master !== undefined) writer.u32(IFLA_MASTER, master);
  if (namespaceFd !== undefined) writer.u32(IFLA_NET_NS_FD, namespaceFd);
}

function checkName(name: string): void {
  const bytes = new TextEncoder().encode(name).length;
  if (bytes === 0 || bytes > LONGEST_NAME_BYTES) {
    throw new Error(
      `Device name ${JSON.stringify(name)} has ${bytes} bytes; Linux allows 1 to 15`,
    );
  }
}

/**
 * Equivalent to: ip link add NAME [address MAC] [mtu N] [txqueuelen N] type KIND DATA.
 * The kernel ignores an alias here and we want devices down until they are marked, so `alias` and
 * `up` go into a second message: see linkAdd.
 */
export function linkAddRequest(create: LinkCreate): NetlinkRequest {
  const { alias: _alias, up: _up, ...settings } = create;
  const payload = encodePayload((writer) => {
    writeLinkHeader(writer, 0);
    writeLinkSettings(writer, settings);
    writer.nested(IFLA_LINKINFO, () => {
      writer.string(IFLA_INFO_KIND, create.kind);
      if (create.data !== undefined) writer.nested(IFLA_INFO_DATA, create.data);
    });
  });
  return {
    operation: "link add",
    subject: `${create.name} type ${create.kind}`,
    type: RTM.NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    payload,
  };
}

function linkJustMade(transport: NetlinkTransport, which: string | number): Link {
  const link = linkGet(transport, which);
  if (link === null) throw new Error(`Device ${which} vanished as soon as it was made`);
  return link;
}

/**
 * Creates a device, marks it with its alias and sets it up. Throws NetlinkError, EEXIST when the
 * name is taken, and then has changed nothing; a device that could be created but not marked is
 * deleted again.
 */
export function linkAdd(transport: NetlinkTransport, create: LinkCreate): Link {
  execute(transport, linkAddRequest(create));
  const created = linkJustMade(transport, create.name);
  const { alias, up } = create;
  if (alias === undefined && up === undefined) return created;
  try {
    linkSet(transport, created.index, {
      ...(alias === undefined ? {} : { alias }),
      ...(up === undefined ? {} : { up }),
    });
  } catch (error) {
    transport.request([linkDeleteRequest(created.index)]);
    throw error;
  }
  return linkJustMade(transport, created.index);
}

/** Equivalent to: ip link add NAME type dummy. See linkAdd. */
export function dummyAdd(transport: NetlinkTransport, settings: NewLink): Link {
  return linkAdd(transport, { ...settings, kind: "dummy" });
}

/** Equivalent to: ip link set dev INDEX [name N] [up|down] [mtu N] [alias TEXT] [master M] … */
export function linkSetRequest(index: number, settings: LinkSettings): NetlinkRequest {
  const payload = encodePayload((writer) => {
    writeLinkHeader(writer, index, settings.up);
    writeLinkSettings(writer, settings);
  });
  return {
    operation: "link set",
    subject: `dev ${index}`,
    type: RTM.SETLINK,
    flags: 0,
    payload,
  };
}

/** Equivalent to: ip link set dev INDEX type KIND DATA. RTM_SETLINK would ignore the data without a word. */
export function linkChangeRequest(
  index: number,
  kind: string,
  data: (writer: AttributeWriter) => void,
): NetlinkRequest {
  const payload = encodePayload((writer) => {
    writeLinkHeader(writer, index);
    writer.nested(IFLA_LINKINFO, () => {
      writer.string(IFLA_INFO_KIND, kind);
      writer.nested(IFLA_INFO_DATA, data);
    });
  });
  return {
    operation: "link set",
    subject: `dev ${index} type ${kind}`,
    type: RTM.NEWLINK,
    flags: 0,
    payload,
  };
}

/** Changes a device. Throws NetlinkError. */
export function linkSet(transport: NetlinkTransport, index: number, settings: LinkSettings): void {
  execute(transport, linkSetRequest(index, settings));
}

/** Equivalent to: ip link delete dev INDEX. */
export function linkDeleteRequest(index: number): NetlinkRequest {
  const payload = encodePayload((writer) => writeLinkHeader(writer, index));
  return {
    operation: "link delete",
    subject: `dev ${index}`,
    type: RTM.DELLINK,
    flags: 0,
    payload,
  };
}

/** Deletes a device. Throws NetlinkError, ENODEV when it is not there. */
export function linkDelete(transport: NetlinkTransport, index: number): void {
  execute(transport, linkDeleteRequest(index));
}

/** Equivalent to: ip link show [dev NAME|INDEX]. */
export function linkGetRequest(which: string | number): NetlinkRequest {
  const payload = encodePayload((writer) => {
    writeLinkHeader(writer, typeof which === "number" ? which : 0);
    writer.u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    if (typeof which === "string") {
      checkName(which);
      writer.string(IFLA_IFNAME, which);
    }
  });
  return { operation: "link show", subject: `dev ${which}`, type: RTM.GETLINK, flags: 0, payload };
}

/** One device by name or index; null when there is none. */
export function linkGet(transport: NetlinkTransport, which: string | number): Link | null {
  const [reply] = transport.request([linkGetRequest(which)]);
  if (isMissing(reply?.error)) return null;
  if (reply?.error) throw reply.error;
  const [message] = reply?.messages ?? [];
  return message === undefined ? null : decodeLink(message);
}

/** Equivalent to: ip link show. */
export function linkDumpRequest(): NetlinkRequest {
  const payload = encodePayload((writer) => {
    writeLinkHeader(writer, 0);
    writer.u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  });
  return { operation: "link show", subject: "", type: RTM.GETLINK, flags: 0, payload };
}

/** All devices of the transport's namespace. */
export function linkDump(transport: NetlinkTransport): Link[] {
  return transport.dump(linkDumpRequest()).map(decodeLink);
}

function decodeInfo(info: Attributes | null): Pick<Link, "kind" | "vxlan" | "tun"> {
  const kind = info?.string(IFLA_INFO_KIND) ?? null;
  const data = kind === "vxlan" || kind === "tun" ? info?.nested(IFLA_INFO_DATA) ?? null : null;
  if (data === null) return { kind, vxlan: null };
  return kind === "tun"
    ? { kind, vxlan: null, tun: decodeTunData(data) }
    : { kind, vxlan: decodeVxlanData(data) };
}

/** Reads RTM_NEWLINK or RTM_DELLINK. Throws NetlinkFormatError. */
export function decodeLink(message: NetlinkMessage): Link {
  const header = fixedHeader(message.payload, IFINFOMSG_BYTES, "ifinfomsg");
  const attributes = decodeAttributes(message.payload, IFINFOMSG_BYTES);
  const name = attributes.string(IFLA_IFNAME);
  if (name === null) throw new NetlinkFormatError("a link without a name");
  const flags = header.getUint32(8, true);
  const address = attributes.bytes(IFLA_ADDRESS);
  const state = OPERATIONAL_STATES[attributes.u8(IFLA_OPERSTATE) ?? 0] ?? "unknown";
  return {
    index: header.getInt32(4, true),
    name,
    ...decodeInfo(attributes.nested(IFLA_LINKINFO)),
    flags,
    up: (flags & IFF_UP) !== 0,
    lowerUp: (flags & IFF_LOWER_UP) !== 0,
    mtu: attributes.u32(IFLA_MTU) ?? 0,
    address: address === null || address.length === 0 ? null : bytesToMac(address),
    alias: attributes.string(IFLA_IFALIAS),
    master: attributes.u32(IFLA_MASTER),
    link: attributes.u32(IFLA_LINK),
    linkNamespaceId: attributes.i32(IFLA_LINK_NETNSID),
    txQueueLength: attributes.u32(IFLA_TXQLEN) ?? 0,
    operationalState: state,
  };
}
