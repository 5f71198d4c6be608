/** Notifications of what changes in nf_tables (nfnetlink group NFNLGRP_NFTABLES). */
import { NetlinkFormatError } from "../netlink/error.ts";
import { type NetlinkMessage, NLMSG_OVERRUN, parseMessages } from "../netlink/message.ts";
import { Notifications } from "../netlink/notifications.ts";
import { NETLINK_NETFILTER, openMessage, SUBSYSTEM, type TableFamily } from "./message.ts";

/** NFNLGRP_NFTABLES is group 7. */
const GROUP = 1 << 6;
/** Every message about a table, or something in one, has the table's name as its first attribute. */
const TABLE_NAME = 1;
/** NFT_MSG_NEWGEN ends what one transaction changed; NFT_MSG_TRACE is about packets. */
const NEWGEN = 15;
const GETGEN = 16;
const TRACE = 17;

/** What changed: something in a table, or nobody knows what. */
export type NftEvent =
  | {
    readonly kind: "table";
    readonly family: TableFamily;
    readonly table: string;
    /** Port id of the socket that caused it. */
    readonly port: number;
  }
  | { readonly kind: "overrun"; readonly reason: string };

/** Null for a notification that is about no table. Throws NetlinkFormatError when it is cut. */
export function decodeNftEvent(message: NetlinkMessage): NftEvent | null {
  if (message.type === NLMSG_OVERRUN) {
    return { kind: "overrun", reason: "the kernel says that notifications were lost" };
  }
  const what = message.type & 0xff;
  if (message.type >> 8 !== SUBSYSTEM || what === NEWGEN || what === GETGEN || what === TRACE) {
    return null;
  }
  const { family, attributes } = openMessage(message);
  const table = attributes.string(TABLE_NAME);
  if (family === null || table === null) return null;
  return { kind: "table", family, table, port: message.port };
}

/** The events of one datagram. Bytes that make no sense are an overrun: something was missed. */
export function decodeNftEvents(datagram: Uint8Array): NftEvent[] {
  try {
    return parseMessages(datagram).map(decodeNftEvent).filter((event) => event !== null);
  } catch (error) {
    if (!(error instanceof NetlinkFormatError)) throw error;
    return [{ kind: "overrun", reason: error.message }];
  }
}

/** Subscribes to changes of nf_tables in the current network namespace. Throws SysError. */
export function openNftMonitor(onEvents: (events: NftEvent[]) => void): Notifications<NftEvent> {
  return new Notifications({
    protocol: NETLINK_NETFILTER,
    groups: GROUP,
    decode: decodeNftEvents,
    overrun: (reason) => ({ kind: "overrun", reason }),
    onEvents,
  });
}
