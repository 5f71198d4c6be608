/**
 * nf_tables messages: type numbers, the header behind nlmsghdr, numbers in network order and lists (linux/netfilter/nfnetlink.h,
 * linux/netfilter/nf_tables.h). Everything that speaks nf_tables is made of these.
 */
import { viewOf } from "../bytes.ts";
import { type AttributeWriter, encodePayload } from "../netlink/attribute.ts";
import { type Attributes, decodeAttributes, fixedHeader } from "../netlink/attribute.ts";
import { NetlinkFormatError } from "../netlink/error.ts";
import { align, type NetlinkMessage } from "../netlink/message.ts";

/** Protocol of nfnetlink sockets (linux/netlink.h). */
export const NETLINK_NETFILTER = 12;

/** NFNL_SUBSYS_NFTABLES, the upper byte of a message type. */
export const SUBSYSTEM = 10;

/** NFT_MSG_*, with the subsystem in front. */
export const NFT_MSG = {
  NEWTABLE: 0xa00,
  GETTABLE: 0xa01,
  DELTABLE: 0xa02,
  NEWCHAIN: 0xa03,
  GETCHAIN: 0xa04,
  DELCHAIN: 0xa05,
  NEWRULE: 0xa06,
  GETRULE: 0xa07,
  DELRULE: 0xa08,
  NEWSET: 0xa09,
  GETSET: 0xa0a,
  DELSET: 0xa0b,
  NEWSETELEM: 0xa0c,
  GETSETELEM: 0xa0d,
  DELSETELEM: 0xa0e,
  NEWGEN: 0xa0f,
  GETGEN: 0xa10,
} as const;

/** Families of tables by nft's names (linux/netfilter.h NFPROTO_*). */
const FAMILY_NUMBERS = { inet: 1, ip: 2, arp: 3, netdev: 5, bridge: 7, ip6: 10 } as const;

/** Family of a table, as `nft` calls it. */
export type TableFamily = keyof typeof FAMILY_NUMBERS;

/** Bytes of struct nfgenmsg: family, version, resource id. */
const HEADER_BYTES = 4;
/** NFTA_LIST_ELEM: the type of each attribute of a list. */
const LIST_ELEMENT = 1;
const ATTRIBUTE_HEADER_BYTES = 4;

/** Null for families of no interest, such as NFPROTO_UNSPEC. */
export function tableFamily(value: number): TableFamily | null {
  for (const [name, known] of Object.entries(FAMILY_NUMBERS)) {
    if (known === value) return name as TableFamily;
  }
  return null;
}

/** A payload: struct nfgenmsg, then attributes. Null is every family. */
export function nftPayload(
  family: TableFamily | null,
  fill: (writer: AttributeWriter) => void,
  resource = 0,
): Uint8Array {
  return encodePayload((writer) => {
    writer.header(HEADER_BYTES, (view) => {
      view.setUint8(0, family === null ? 0 : FAMILY_NUMBERS[family]);
      view.setUint16(2, resource, false);
    });
    fill(writer);
  });
}

/** Family and attributes of a message. Throws NetlinkFormatError when it is cut. */
export function openMessage(
  { payload }: NetlinkMessage,
): { family: TableFamily | null; attributes: Attributes } {
  const header = fixedHeader(payload, HEADER_BYTES, "nfgenmsg");
  return {
    family: tableFamily(header.getUint8(0)),
    attributes: decodeAttributes(payload, HEADER_BYTES),
  };
}

/** A 32-bit number in network order, as all of nf_tables' are. */
export function putBe32(writer: AttributeWriter, type: number, value: number): void {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value, false);
  writer.bytes(type, bytes);
}

/** Null when it is not there. Throws NetlinkFormatError when it is cut. */
export function be32(attributes: Attributes, type: number): number | null {
  const bytes = attributes.bytes(type);
  if (bytes === null) return null;
  if (bytes.length < 4) {
    throw new NetlinkFormatError(`attribute ${type} has ${bytes.length} bytes, not 4`);
  }
  return viewOf(bytes).getUint32(0, false);
}

/** A 64-bit number in network order; null when it is not there. */
export function be64(attributes: Attributes, type: number): bigint | null {
  const bytes = attributes.bytes(type);
  if (bytes === null) return null;
  if (bytes.length < 8) {
    throw new NetlinkFormatError(`attribute ${type} has ${bytes.length} bytes, not 8`);
  }
  return viewOf(bytes).getBigUint64(0, false);
}

/** The values of a list's elements, in order. Throws NetlinkFormatError on impossible lengths. */
export function listElements(bytes: Uint8Array | null): Uint8Array[] {
  if (bytes === null) return [];
  const view = viewOf(bytes);
  const values: Uint8Array[] = [];
  for (let at = 0; bytes.length - at >= ATTRIBUTE_HEADER_BYTES;) {
    const length = view.getUint16(at, true);
    if (length < ATTRIBUTE_HEADER_BYTES || length > bytes.length - at) {
      throw new NetlinkFormatError(`list element of ${length} bytes at byte ${at}`);
    }
    values.push(bytes.subarray(at + ATTRIBUTE_HEADER_BYTES, at + length));
    at += align(length);
  }
  return values;
}

/** Adds one element to a list that is being written. */
export function putElement(writer: AttributeWriter, fill: (writer: AttributeWriter) => void): void {
  writer.nested(LIST_ELEMENT, fill, NLA_F_NESTED);
}

/** nf_tables' policies know nested attributes by this bit. */
export const NLA_F_NESTED = 0x8000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** libnftnl's user data of one comment: type, length, text with its zero (libnftnl udata.h). */
export function commentData(type: number, comment: string): Uint8Array {
  const text = encoder.encode(`${comment}\0`);
  if (text.length > 0xff) throw new Error(`A comment of ${text.length} bytes: nft allows 255`);
  return Uint8Array.of(type, text.length, ...text);
}

/** The comment in such user data; null when there is none. */
export function commentIn(type: number, data: Uint8Array | null): string | null {
  for (let at = 0; data !== null && at + 2 <= data.length;) {
    const length = data[at + 1] ?? 0;
    const end = at + 2 + length;
    if (data[at] === type && end <= data.length) {
      return decoder.decode(data.subarray(at + 2, end)).replace(/\0.*$/s, "");
    }
    at = end;
  }
  return null;
}
