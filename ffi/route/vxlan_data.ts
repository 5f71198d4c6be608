/**
 * IFLA_INFO_DATA of a vxlan device (linux/if_link.h IFLA_VXLAN_*): the parameters a device is made
 * with, most of which can never be changed, and what the kernel reports of them.
 */
import { addressToBytes, bytesToAddress, familyOf } from "../inet.ts";
import type { Attributes, AttributeWriter } from "../netlink/attribute.ts";

const IFLA_VXLAN_ID = 1;
const IFLA_VXLAN_GROUP = 2;
const IFLA_VXLAN_LINK = 3;
const IFLA_VXLAN_LOCAL = 4;
const IFLA_VXLAN_TTL = 5;
const IFLA_VXLAN_TOS = 6;
const IFLA_VXLAN_LEARNING = 7;
const IFLA_VXLAN_PROXY = 11;
const IFLA_VXLAN_RSC = 12;
const IFLA_VXLAN_L2MISS = 13;
const IFLA_VXLAN_L3MISS = 14;
export const IFLA_VXLAN_PORT = 15;
const IFLA_VXLAN_GROUP6 = 16;
const IFLA_VXLAN_LOCAL6 = 17;
export const IFLA_VXLAN_UDP_CSUM = 18;
const IFLA_VXLAN_UDP_ZERO_CSUM6_TX = 19;
const IFLA_VXLAN_UDP_ZERO_CSUM6_RX = 20;
const IFLA_VXLAN_GBP = 23;

/** VXLAN network identifiers have 24 bits (RFC 7348 §5). */
const HIGHEST_VNI = 2 ** 24 - 1;

/** Parameters of a vxlan device to create. */
export interface VxlanParameters {
  /** VNI, 0 to 16,777,215. */
  readonly id: number;
  /** Index of the underlay device. */
  readonly link?: number;
  /** Source address of the outer header; its family is the tunnel's. */
  readonly local?: string;
  /** Multicast group or default destination. */
  readonly group?: string;
  /** Outer TTL; 0 (default) is the kernel's choice. */
  readonly ttl?: number;
  /** Outer TOS; 0 by default. */
  readonly tos?: number;
  /** Learn addresses from received frames; off by default. */
  readonly learning?: boolean;
  /** Answer ARP for known neighbours; off by default. */
  readonly proxy?: boolean;
  /** Route short circuit; off by default. */
  readonly rsc?: boolean;
  /** Notify when a MAC address has no entry; off by default. */
  readonly l2miss?: boolean;
  /** Notify when an address has no neighbour; off by default. */
  readonly l3miss?: boolean;
  /** Send UDP over IPv6 without checksum; off by default. */
  readonly udpZeroCsum6Tx?: boolean;
  /** Accept UDP over IPv6 without checksum; off by default. */
  readonly udpZeroCsum6Rx?: boolean;
  /** Group-based policy extension; off by default. */
  readonly gbp?: boolean;
  /** UDP port; absent or 0 is the kernel's default, 8472. */
  readonly port?: number;
}

/** Where an existing vxlan device is to stand on the underlay; what is absent stays. */
export type VxlanMove = Pick<VxlanParameters, "link" | "local">;

/** Parameters of an existing vxlan device, as the kernel reports them. */
export interface VxlanInfo {
  readonly id: number;
  readonly link: number | null;
  readonly local: string | null;
  readonly group: string | null;
  readonly ttl: number;
  readonly tos: number;
  readonly learning: boolean;
  readonly proxy: boolean;
  readonly rsc: boolean;
  readonly l2miss: boolean;
  readonly l3miss: boolean;
  /** Checksums on UDP over IPv4; the kernel's default is on and we never send it. */
  readonly udpCsum: boolean;
  readonly udpZeroCsum6Tx: boolean;
  readonly udpZeroCsum6Rx: boolean;
  readonly gbp: boolean;
  readonly port: number;
}

function writeAddress(writer: AttributeWriter, v4: number, v6: number, address: string): void {
  writer.bytes(familyOf(address) === 4 ? v4 : v6, addressToBytes(address));
}

/**
 * Writes the attributes in flannel's order and choice: every switch is stated, the UDP checksum
 * over IPv4 is left to the kernel, group-based policy and the port appear only when asked for.
 */
export function writeVxlanData(writer: AttributeWriter, vxlan: VxlanParameters): void {
  if (!Number.isInteger(vxlan.id) || vxlan.id < 0 || vxlan.id > HIGHEST_VNI) {
    throw new Error(`VNI ${vxlan.id} is not within 0 to ${HIGHEST_VNI}`);
  }
  const bit = (value: boolean | undefined) => value === true ? 1 : 0;
  writer.u32(IFLA_VXLAN_ID, vxlan.id);
  if (vxlan.link !== undefined) writer.u32(IFLA_VXLAN_LINK, vxlan.link);
  if (vxlan.local !== undefined) {
    writeAddress(writer, IFLA_VXLAN_LOCAL, IFLA_VXLAN_LOCAL6, vxlan.local);
  }
  if (vxlan.group !== undefined) {
    writeAddress(writer, IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6, vxlan.group);
  }
  writer.u8(IFLA_VXLAN_TTL, vxlan.ttl ?? 0);
  writer.u8(IFLA_VXLAN_TOS, vxlan.tos ?? 0);
  writer.u8(IFLA_VXLAN_LEARNING, bit(vxlan.learning));
  writer.u8(IFLA_VXLAN_PROXY, bit(vxlan.proxy));
  writer.u8(IFLA_VXLAN_RSC, bit(vxlan.rsc));
  writer.u8(IFLA_VXLAN_L2MISS, bit(vxlan.l2miss));
  writer.u8(IFLA_VXLAN_L3MISS, bit(vxlan.l3miss));
  writer.u8(IFLA_VXLAN_UDP_ZERO_CSUM6_TX, bit(vxlan.udpZeroCsum6Tx));
  writer.u8(IFLA_VXLAN_UDP_ZERO_CSUM6_RX, bit(vxlan.udpZeroCsum6Rx));
  if (vxlan.gbp === true) writer.flag(IFLA_VXLAN_GBP);
  if (vxlan.port !== undefined && vxlan.port > 0) writer.be16(IFLA_VXLAN_PORT, vxlan.port);
}

/**
 * Writes only what a device that is there may be given anew (drivers/net/vxlan, vxlan_changelink): the kernel refuses the
 * port, even the same one.
 */
export function writeVxlanMove(writer: AttributeWriter, { link, local }: VxlanMove): void {
  if (link !== undefined) writer.u32(IFLA_VXLAN_LINK, link);
  if (local !== undefined) writeAddress(writer, IFLA_VXLAN_LOCAL, IFLA_VXLAN_LOCAL6, local);
}

/** Reads IFLA_INFO_DATA of a vxlan device. Throws NetlinkFormatError. */
export function decodeVxlanData(data: Attributes): VxlanInfo {
  const address = (v4: number, v6: number): string | null => {
    const bytes = data.bytes(v4) ?? data.bytes(v6);
    return bytes === null ? null : bytesToAddress(bytes);
  };
  const bit = (type: number) => (data.u8(type) ?? 0) !== 0;
  return {
    id: data.u32(IFLA_VXLAN_ID) ?? 0,
    link: data.u32(IFLA_VXLAN_LINK),
    local: address(IFLA_VXLAN_LOCAL, IFLA_VXLAN_LOCAL6),
    group: address(IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6),
    ttl: data.u8(IFLA_VXLAN_TTL) ?? 0,
    tos: data.u8(IFLA_VXLAN_TOS) ?? 0,
    learning: bit(IFLA_VXLAN_LEARNING),
    proxy: bit(IFLA_VXLAN_PROXY),
    rsc: bit(IFLA_VXLAN_RSC),
    l2miss: bit(IFLA_VXLAN_L2MISS),
    l3miss: bit(IFLA_VXLAN_L3MISS),
    udpCsum: bit(IFLA_VXLAN_UDP_CSUM),
    udpZeroCsum6Tx: bit(IFLA_VXLAN_UDP_ZERO_CSUM6_TX),
    udpZeroCsum6Rx: bit(IFLA_VXLAN_UDP_ZERO_CSUM6_RX),
    gbp: data.has(IFLA_VXLAN_GBP),
    port: data.be16(IFLA_VXLAN_PORT) ?? 0,
  };
}
