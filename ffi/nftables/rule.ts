/** Rules of nf_tables (linux/netfilter/nf_tables.h NFTA_RULE_*). */
import { type NetlinkMessage, NLM_F_APPEND, NLM_F_CREATE } from "../netlink/message.ts";
import type { NetlinkRequest } from "../netlink/transport.ts";
import { decodeExpressions, type Expression, writeExpressions } from "./expression.ts";
import {
  commentData,
  commentIn,
  NFT_MSG,
  nftPayload,
  NLA_F_NESTED,
  openMessage,
} from "./message.ts";
import type { TableKey } from "./table.ts";

const RULE = { TABLE: 1, CHAIN: 2, EXPRESSIONS: 4, USERDATA: 7 } as const;
/** NFTNL_UDATA_RULE_COMMENT. */
const RULE_COMMENT = 0;

export interface NftRule {
  readonly table: TableKey;
  readonly chain: string;
  readonly expressions: readonly Expression[];
  readonly comment: string | null;
}

/** Equivalent to: nft add rule FAMILY TABLE CHAIN ...: behind the chain's other rules. */
export function ruleAddRequest({ table, chain, expressions, comment }: NftRule): NetlinkRequest {
  const payload = nftPayload(table.family, (writer) => {
    writer.string(RULE.TABLE, table.name);
    writer.string(RULE.CHAIN, chain);
    writer.nested(RULE.EXPRESSIONS, () => writeExpressions(writer, expressions), NLA_F_NESTED);
    if (comment !== null) writer.bytes(RULE.USERDATA, commentData(RULE_COMMENT, comment));
  });
  return {
    operation: "rule add",
    subject: `${table.name} ${chain}`,
    type: NFT_MSG.NEWRULE,
    flags: NLM_F_CREATE | NLM_F_APPEND,
    payload,
  };
}

/** For a dump of the rules of one table, in their order; kernels that cannot choose give more. */
export function ruleDumpRequest(table: TableKey): NetlinkRequest {
  const payload = nftPayload(table.family, (writer) => writer.string(RULE.TABLE, table.name));
  return { operation: "rule list", subject: table.name, type: NFT_MSG.GETRULE, flags: 0, payload };
}

/** Null for a message that is no rule. Throws NetlinkFormatError when it is cut. */
export function decodeRule(message: NetlinkMessage): NftRule | null {
  if (message.type !== NFT_MSG.NEWRULE) return null;
  const { family, attributes } = openMessage(message);
  const table = attributes.string(RULE.TABLE);
  const chain = attributes.string(RULE.CHAIN);
  if (family === null || table === null || chain === null) return null;
  return {
    table: { family, name: table },
    chain,
    expressions: decodeExpressions(attributes.bytes(RULE.EXPRESSIONS)),
    comment: commentIn(RULE_COMMENT, attributes.bytes(RULE.USERDATA)),
  };
}
