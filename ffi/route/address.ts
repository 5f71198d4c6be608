/** Addresses of devices (rtnetlink RTM_*ADDR, linux/if_addr.h). */
import { addressToBytes, bytesToAddress, familyOf } from "../inet.ts";
import { decodeAttributes, encodePayload, fixedHeader } from "../netlink/attribute.ts";
import { NetlinkFormatError } from "../netlink/error.ts";
import {
  type NetlinkMessage,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
} from "../netlink/message.ts";
import { execute, type NetlinkRequest, type NetlinkTransport } from "../netlink/transport.ts";
import { ipFamily, kernelFamily, RTM } from "./family.ts";

/** Bytes of struct ifaddrmsg: family, prefix length, flags, scope, index. */
const IFADDRMSG_BYTES = 8;
const IFA_ADDRESS = 1;
export const IFA_LOCAL = 2;
const IFA_LABEL = 3;
const IFA_BROADCAST = 4;
export const IFA_FLAGS = 8;
const IFA_PROTO = 11;

/** Address flags (linux/if_addr.h IFA_F_*). */
export const IFA_F = {
  SECONDARY: 0x01,
  NODAD: 0x02,
  DADFAILED: 0x08,
  DEPRECATED: 0x20,
  TENTATIVE: 0x40,
  PERMANENT: 0x80,
  NOPREFIXROUTE: 0x200,
} as const;

/** An address of a device. */
export interface InterfaceAddress {
  readonly family: 4 | 6;
  /** Index of the device. */
  readonly index: number;
  /** The device's own address (IFA_LOCAL). */
  readonly address: string;
  readonly prefixLength: number;
  /** The other end of a point-to-point address. */
  readonly peer: string | null;
  /** RT_SCOPE_*: 0 global, 253 link, 254 host. */
  readonly scope: number;
  readonly broadcast: string | null;
  readonly label: string | null;
  /** IFA_F_* bits. */
  readonly flags: number;
  /** Who set it (IFA_PROTO, since Linux 5.18), when somebody said so. */
  readonly protocol: number | null;
}

/** An address to add or delete. */
export interface AddressSpec {
  readonly index: number;
  readonly address: string;
  readonly prefixLength: number;
  /** RT_SCOPE_*; global by default. */
  readonly scope?: number;
  readonly broadcast?: string;
  readonly peer?: string;
  /** IFA_PROTO, 1 to 255. Kernels before 5.18 ignore it. */
  readonly protocol?: number;
  /** IFA_F_* bits. */
  readonly flags?: number;
}

function addressRequest(
  operation: string,
  type: number,
  flags: number,
  spec: AddressSpec,
): NetlinkRequest {
  const family = familyOf(spec.address);
  const local = addressToBytes(spec.address);
  if (spec.prefixLength < 0 || spec.prefixLength > local.length * 8) {
    throw new Error(
      `Prefix length ${spec.prefixLength} of ${spec.address} is not within 0 to ${
        local.length * 8
      }`,
    );
  }
  const payload = encodePayload((writer) => {
    writer.header(IFADDRMSG_BYTES, (view) => {
      view.setUint8(0, kernelFamily(family));
      view.setUint8(1, spec.prefixLength);
      view.setUint8(3, spec.scope ?? 0);
      view.setUint32(4, spec.index, true);
    });
    writer.bytes(IFA_LOCAL, local);
    writer.bytes(IFA_ADDRESS, spec.peer === undefined ? local : addressToBytes(spec.peer));
    if (spec.broadcast !== undefined) writer.bytes(IFA_BROADCAST, addressToBytes(spec.broadcast));
    if (spec.flags !== undefined) writer.u32(IFA_FLAGS, spec.flags);
    if (spec.protocol !== undefined) writer.u8(IFA_PROTO, spec.protocol);
  });
  const subject = `${spec.address}/${spec.prefixLength} dev ${spec.index}`;
  return { operation, subject, type, flags, payload };
}

/** Equivalent to: ip address add ADDRESS/LENGTH dev INDEX. EEXIST when it is there. */
export function addressAddRequest(spec: AddressSpec): NetlinkRequest {
  return addressRequest("address add", RTM.NEWADDR, NLM_F_CREATE | NLM_F_EXCL, spec);
}

/** Equivalent to: ip address replace ADDRESS/LENGTH dev INDEX. */
export function addressReplaceRequest(spec: AddressSpec): NetlinkRequest {
  return addressRequest("address replace", RTM.NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, spec);
}

/** Equivalent to: ip address delete ADDRESS/LENGTH dev INDEX. EADDRNOTAVAIL when not there. */
export function addressDeleteRequest(spec: AddressSpec): NetlinkRequest {
  return addressRequest("address delete", RTM.DELADDR, 0, spec);
}

/** Adds an address. Throws NetlinkError. */
export function addressAdd(transport: NetlinkTransport, spec: AddressSpec): void {
  execute(transport, addressAddRequest(spec));
}

/** Adds or changes an address. Throws NetlinkError. */
export function addressReplace(transport: NetlinkTransport, spec: AddressSpec): void {
  execute(transport, addressReplaceRequest(spec));
}

/** Deletes an address. Throws NetlinkError. */
export function addressDelete(transport: NetlinkTransport, spec: AddressSpec): void {
  execute(transport, addressDeleteRequest(spec));
}

/** Which addresses to dump; all by default. */
export interface AddressFilter {
  readonly index?: number;
  readonly family?: 4 | 6;
}

/** Equivalent to: ip [-4|-6] address show [dev INDEX]. */
export function addressDumpRequest(filter: AddressFilter = {}): NetlinkRequest {
  const payload = encodePayload((writer) => {
    writer.header(IFADDRMSG_BYTES, (view) => {
      view.setUint8(0, filter.family === undefined ? 0 : kernelFamily(filter.family));
      view.setUint32(4, filter.index ?? 0, true);
    });
  });
  const subject = filter.index === undefined ? "" : `dev ${filter.index}`;
  return { operation: "address show", subject, type: RTM.GETADDR, flags: 0, payload };
}

/** The addresses that match. Families other than IPv4 and IPv6 are left out. */
export function addressDump(
  transport: NetlinkTransport,
  filter: AddressFilter = {},
): InterfaceAddress[] {
  return transport.dump(addressDumpRequest(filter))
    .map(decodeAddress)
    .filter((address) => address !== null)
    .filter((address) => filter.index === undefined || address.index === filter.index)
    .filter((address) => filter.family === undefined || address.family === filter.family);
}

/** Reads RTM_NEWADDR or RTM_DELADDR; null for another family. Throws NetlinkFormatError. */
export function decodeAddress(message: NetlinkMessage): InterfaceAddress | null {
  const header = fixedHeader(message.payload, IFADDRMSG_BYTES, "ifaddrmsg");
  const family = ipFamily(header.getUint8(0));
  if (family === null) return null;
  const attributes = decodeAttributes(message.payload, IFADDRMSG_BYTES);
  const text = (type: number): string | null => {
    const bytes = attributes.bytes(type);
    return bytes === null ? null : bytesToAddress(bytes);
  };
  const other = text(IFA_ADDRESS);
  const address = text(IFA_LOCAL) ?? other; // IPv6 states IFA_LOCAL only for point-to-point
  if (address === null) throw new NetlinkFormatError("an interface address without an address");
  return {
    family,
    index: header.getUint32(4, true),
    address,
    prefixLength: header.getUint8(1),
    peer: other === address ? null : other,
    scope: header.getUint8(3),
    broadcast: text(IFA_BROADCAST),
    label: attributes.string(IFA_LABEL),
    flags: attributes.u32(IFA_FLAGS) ?? header.getUint8(2),
    protocol: attributes.u8(IFA_PROTO),
  };
}
