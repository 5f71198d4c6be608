/** Named sets of addresses and of address ranges (linux/netfilter/nf_tables.h NFTA_SET_*, NFTA_SET_ELEM_*). */
import { addressToBytes, bytesToAddress } from "../inet.ts";
import { decodeAttributes } from "../netlink/attribute.ts";
import { type NetlinkMessage, NLM_F_CREATE } from "../netlink/message.ts";
import type { NetlinkRequest } from "../netlink/transport.ts";
import {
  be32,
  listElements,
  NFT_MSG,
  nftPayload,
  NLA_F_NESTED,
  openMessage,
  putBe32,
  putElement,
} from "./message.ts";
import type { TableKey } from "./table.ts";

const SET = { TABLE: 1, NAME: 2, FLAGS: 3, KEY_TYPE: 4, KEY_LENGTH: 5, ID: 10 } as const;
const ELEMENT = { KEY: 1, FLAGS: 3 } as const;
const LIST = { TABLE: 1, SET: 2, ELEMENTS: 3 } as const;
const DATA_VALUE = 1;
/** NFT_SET_INTERVAL: elements are where ranges begin and, flagged, where they have ended. */
const INTERVAL = 0x4;
const INTERVAL_END = 0x1;

/** nft's own numbers for its types of keys (nftables datatype.h): the kernel keeps them for it. */
const KEY_TYPES = { ipv4_addr: 7, ipv6_addr: 8 } as const;
const KEY_BYTES = { ipv4_addr: 4, ipv6_addr: 16 } as const;
export type KeyType = keyof typeof KEY_TYPES;

/**
 * Elements in one message: 1,000 of IPv6 are 28 KB, of the 64 KB that an attribute may have, and all of 5,000 hosts take five
 * messages.
 */
const ELEMENTS_PER_MESSAGE = 1_000;

/** Which set. */
export interface SetKey {
  readonly table: TableKey;
  readonly name: string;
}

export interface NftSet extends SetKey {
  /** Null for a type that gossamer has no use for. */
  readonly keyType: KeyType | null;
  readonly hasRanges: boolean;
  /** NFT_SET_* bits. */
  readonly flags: number;
}

/** One element; in a set with ranges, one of the two ends of one. */
export interface SetElement {
  readonly address: string;
  /** The range ended before this address. */
  readonly isEnd: boolean;
}

/** Equivalent to: nft add set FAMILY TABLE NAME { type TYPE; flags interval; }. */
export function setAddRequest(
  { table, name }: SetKey,
  keyType: KeyType,
  hasRanges: boolean,
  /** Tells sets of one batch apart, any number. */
  id: number,
): NetlinkRequest {
  const payload = nftPayload(table.family, (writer) => {
    writer.string(SET.TABLE, table.name);
    writer.string(SET.NAME, name);
    putBe32(writer, SET.FLAGS, hasRanges ? INTERVAL : 0);
    putBe32(writer, SET.KEY_TYPE, KEY_TYPES[keyType]);
    putBe32(writer, SET.KEY_LENGTH, KEY_BYTES[keyType]);
    putBe32(writer, SET.ID, id);
  });
  return {
    operation: "set add",
    subject: `${table.name} ${name}`,
    type: NFT_MSG.NEWSET,
    flags: NLM_F_CREATE,
    payload,
  };
}

/** Equivalent to: nft add element FAMILY TABLE SET { ... }. What is there already is success. */
export function elementsAddRequests(
  set: SetKey,
  elements: readonly SetElement[],
): NetlinkRequest[] {
  return elementRequests(set, elements, "element add", NFT_MSG.NEWSETELEM, NLM_F_CREATE);
}

/** Equivalent to: nft delete element FAMILY TABLE SET { ... }. ENOENT when one is not there. */
export function elementsDeleteRequests(
  set: SetKey,
  elements: readonly SetElement[],
): NetlinkRequest[] {
  return elementRequests(set, elements, "element delete", NFT_MSG.DELSETELEM, 0);
}

function elementRequests(
  { table, name }: SetKey,
  elements: readonly SetElement[],
  operation: string,
  type: number,
  flags: number,
): NetlinkRequest[] {
  const requests: NetlinkRequest[] = [];
  for (let start = 0; start < elements.length; start += ELEMENTS_PER_MESSAGE) {
    const payload = nftPayload(table.family, (writer) => {
      writer.string(LIST.TABLE, table.name);
      writer.string(LIST.SET, name);
      writer.nested(LIST.ELEMENTS, () => {
        for (const { address, isEnd } of elements.slice(start, start + ELEMENTS_PER_MESSAGE)) {
          putElement(writer, () => {
            if (isEnd) putBe32(writer, ELEMENT.FLAGS, INTERVAL_END);
            writer.nested(
              ELEMENT.KEY,
              () => writer.bytes(DATA_VALUE, addressToBytes(address)),
              NLA_F_NESTED,
            );
          });
        }
      }, NLA_F_NESTED);
    });
    requests.push({ operation, subject: `${table.name} ${name}`, type, flags, payload });
  }
  return requests;
}

/** For a dump of a table's sets. */
export function setDumpRequest(table: TableKey): NetlinkRequest {
  const payload = nftPayload(table.family, (writer) => writer.string(SET.TABLE, table.name));
  return { operation: "set list", subject: table.name, type: NFT_MSG.GETSET, flags: 0, payload };
}

/** For a dump of a set's elements. */
export function elementDumpRequest({ table, name }: SetKey): NetlinkRequest {
  const payload = nftPayload(table.family, (writer) => {
    writer.string(LIST.TABLE, table.name);
    writer.string(LIST.SET, name);
  });
  return {
    operation: "element list",
    subject: `${table.name} ${name}`,
    type: NFT_MSG.GETSETELEM,
    flags: 0,
    payload,
  };
}

/** Null for a message that is no set. Throws NetlinkFormatError when it is cut. */
export function decodeSet(message: NetlinkMessage): NftSet | null {
  if (message.type !== NFT_MSG.NEWSET) return null;
  const { family, attributes } = openMessage(message);
  const table = attributes.string(SET.TABLE);
  const name = attributes.string(SET.NAME);
  if (family === null || table === null || name === null) return null;
  const flags = be32(attributes, SET.FLAGS) ?? 0;
  return {
    table: { family, name: table },
    name,
    keyType: keyTypeOf(be32(attributes, SET.KEY_TYPE)),
    hasRanges: (flags & INTERVAL) !== 0,
    flags,
  };
}

function keyTypeOf(value: number | null): KeyType | null {
  if (value === KEY_TYPES.ipv4_addr) return "ipv4_addr";
  return value === KEY_TYPES.ipv6_addr ? "ipv6_addr" : null;
}

/**
 * The elements in one message of a dump; those whose keys are no addresses are left out. Throws NetlinkFormatError when it is
 * cut.
 */
export function decodeElements(message: NetlinkMessage): SetElement[] {
  if (message.type !== NFT_MSG.NEWSETELEM) return [];
  const { attributes } = openMessage(message);
  const elements: SetElement[] = [];
  for (const bytes of listElements(attributes.bytes(LIST.ELEMENTS))) {
    const element = decodeAttributes(bytes);
    const key = element.nested(ELEMENT.KEY)?.bytes(DATA_VALUE) ?? null;
    const address = key === null ? null : bytesToAddress(key);
    if (address === null) continue;
    elements.push({ address, isEnd: ((be32(element, ELEMENT.FLAGS) ?? 0) & INTERVAL_END) !== 0 });
  }
  return elements;
}
