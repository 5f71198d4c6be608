/** Tables and base chains of nf_tables (linux/netfilter/nf_tables.h NFTA_TABLE_*, NFTA_CHAIN_*, NFTA_HOOK_*). */
import type { NetlinkMessage } from "../netlink/message.ts";
import { NLM_F_CREATE } from "../netlink/message.ts";
import type { NetlinkRequest } from "../netlink/transport.ts";
import { type VerdictName, verdictName } from "./expression.ts";
import {
  be32,
  commentData,
  commentIn,
  NFT_MSG,
  nftPayload,
  NLA_F_NESTED,
  openMessage,
  putBe32,
  type TableFamily,
} from "./message.ts";

const TABLE = { NAME: 1, FLAGS: 2, USERDATA: 6 } as const;
const CHAIN = { TABLE: 1, NAME: 3, HOOK: 4, POLICY: 5, TYPE: 7 } as const;
const HOOK = { NUMBER: 1, PRIORITY: 2 } as const;
/** NFTNL_UDATA_TABLE_COMMENT. */
const TABLE_COMMENT = 0;
const NF_DROP = 0;
const NF_ACCEPT = 1;

/** Hooks of the IP families by nft's names (linux/netfilter.h NF_INET_*). */
const HOOKS = ["prerouting", "input", "forward", "output", "postrouting"] as const;
export type HookName = typeof HOOKS[number];

/** Which table. */
export interface TableKey {
  readonly family: TableFamily;
  readonly name: string;
}

export interface NftTable extends TableKey {
  /** NFT_TABLE_F_*: 1 is dormant, which switches all of its chains off. */
  readonly flags: number;
  /** As `nft` shows it; kept by the kernel since Linux 5.10. */
  readonly comment: string | null;
}

/** Where a base chain stands in the way of packets. */
export interface NftHook {
  readonly type: string;
  readonly hook: HookName;
  readonly priority: number;
  readonly policy: VerdictName;
}

export interface NftChain {
  readonly table: TableKey;
  readonly name: string;
  /** Null for chains that are only jumped to, and for hooks outside the IP families. */
  readonly base: NftHook | null;
}

/** Equivalent to: nft add table FAMILY NAME { comment COMMENT }. Success when it is there. */
export function tableAddRequest({ family, name }: TableKey, comment: string): NetlinkRequest {
  const payload = nftPayload(family, (writer) => {
    writer.string(TABLE.NAME, name);
    putBe32(writer, TABLE.FLAGS, 0);
    writer.bytes(TABLE.USERDATA, commentData(TABLE_COMMENT, comment));
  });
  return request("table add", `${family} ${name}`, NFT_MSG.NEWTABLE, NLM_F_CREATE, payload);
}

/** Equivalent to: nft delete table FAMILY NAME, with all that it holds. ENOENT when it is not there. */
export function tableDeleteRequest({ family, name }: TableKey): NetlinkRequest {
  const payload = nftPayload(family, (writer) => writer.string(TABLE.NAME, name));
  return request("table delete", `${family} ${name}`, NFT_MSG.DELTABLE, 0, payload);
}

/** Equivalent to: nft add chain FAMILY TABLE NAME { type TYPE hook HOOK priority N; policy P; }. */
export function chainAddRequest({ table, name, base }: NftChain): NetlinkRequest {
  const payload = nftPayload(table.family, (writer) => {
    writer.string(CHAIN.TABLE, table.name);
    writer.string(CHAIN.NAME, name);
    if (base === null) return;
    writer.nested(CHAIN.HOOK, () => {
      putBe32(writer, HOOK.NUMBER, HOOKS.indexOf(base.hook));
      putBe32(writer, HOOK.PRIORITY, base.priority);
    }, NLA_F_NESTED);
    putBe32(writer, CHAIN.POLICY, base.policy === "drop" ? NF_DROP : NF_ACCEPT);
    writer.string(CHAIN.TYPE, base.type);
  });
  return request("chain add", `${table.name} ${name}`, NFT_MSG.NEWCHAIN, NLM_F_CREATE, payload);
}

/** For a dump of all tables, of all families. */
export function tableDumpRequest(): NetlinkRequest {
  return request("table list", "", NFT_MSG.GETTABLE, 0, nftPayload(null, () => {}));
}

/** For a dump of all chains of a family, or of all. */
export function chainDumpRequest(family: TableFamily | null): NetlinkRequest {
  return request("chain list", "", NFT_MSG.GETCHAIN, 0, nftPayload(family, () => {}));
}

/** Null for a message that is no table. Throws NetlinkFormatError when it is cut. */
export function decodeTable(message: NetlinkMessage): NftTable | null {
  if (message.type !== NFT_MSG.NEWTABLE) return null;
  const { family, attributes } = openMessage(message);
  const name = attributes.string(TABLE.NAME);
  if (family === null || name === null) return null;
  return {
    family,
    name,
    flags: be32(attributes, TABLE.FLAGS) ?? 0,
    comment: commentIn(TABLE_COMMENT, attributes.bytes(TABLE.USERDATA)),
  };
}

/** Null for a message that is no chain. Throws NetlinkFormatError when it is cut. */
export function decodeChain(message: NetlinkMessage): NftChain | null {
  if (message.type !== NFT_MSG.NEWCHAIN) return null;
  const { family, attributes } = openMessage(message);
  const table = attributes.string(CHAIN.TABLE);
  const name = attributes.string(CHAIN.NAME);
  if (family === null || table === null || name === null) return null;
  const hooked = attributes.nested(CHAIN.HOOK);
  const hook = hooked === null ? undefined : HOOKS[be32(hooked, HOOK.NUMBER) ?? HOOKS.length];
  const base = hooked === null || hook === undefined ? null : {
    type: attributes.string(CHAIN.TYPE) ?? "",
    hook,
    priority: (be32(hooked, HOOK.PRIORITY) ?? 0) | 0,
    policy: verdictName(be32(attributes, CHAIN.POLICY) ?? NF_ACCEPT),
  };
  return { table: { family, name: table }, name, base };
}

function request(
  operation: string,
  subject: string,
  type: number,
  flags: number,
  payload: Uint8Array,
): NetlinkRequest {
  return { operation, subject, type, flags, payload };
}
