/** Decoders of what nf_tables answers. */
import { decodeAttributes } from "../../../ffi/netlink/attribute.ts";
import { NetlinkFormatError } from "../../../ffi/netlink/error.ts";
import { type NetlinkMessage, parseMessages } from "../../../ffi/netlink/message.ts";
import { decodeExpressions } from "../../../ffi/nftables/expression.ts";
import { decodeNftEvent, decodeNftEvents } from "../../../ffi/nftables/monitor.ts";
import { decodeRule } from "../../../ffi/nftables/rule.ts";
import { decodeElements, decodeSet } from "../../../ffi/nftables/set.ts";
import { decodeChain, decodeTable } from "../../../ffi/nftables/table.ts";
import { decodeForeignRule, decodeOwnRule } from "../../../mod/host/firewall_decode.ts";
import { networksOf, sortedElements } from "../../../mod/host/firewall_ranges.ts";
import type { Decoder } from "../decoder.ts";
import { NFT_REPLIES } from "../nftables_samples.ts";

/** The values of NFTA_RULE_EXPRESSIONS behind struct nfgenmsg. */
const EXPRESSIONS = NFT_REPLIES.flatMap((bytes) =>
  parseMessages(bytes).flatMap((message) =>
    decodeRule(message) === null ? [] : [decodeAttributes(message.payload, 4).bytes(4)]
  )
).filter((bytes) => bytes !== null);

/** A decoder of one message, given every message of a datagram. */
function each<T>(name: string, decode: (message: NetlinkMessage) => T): Decoder {
  return row(name, (bytes) => parseMessages(bytes).map(decode), NFT_REPLIES);
}

function row(
  name: string,
  decode: (bytes: Uint8Array) => unknown,
  samples: readonly Uint8Array[],
): Decoder {
  return { name, decode, samples, refusals: [NetlinkFormatError] };
}

/** Elements, and the networks that they make. */
function decodeNetworks(message: NetlinkMessage): unknown {
  const elements = decodeElements(message);
  const four = elements.filter(({ address }) => !address.includes(":"));
  return networksOf(sortedElements(four), "ip");
}

const HOST = "mod/host/firewall_decode.ts";

// deno-fmt-ignore -- one decoder a line
export const NFTABLES_DECODERS: readonly Decoder[] = [
  each("ffi/nftables/table.ts decodeTable", decodeTable),
  each("ffi/nftables/table.ts decodeChain", decodeChain),
  each("ffi/nftables/rule.ts decodeRule", decodeRule),
  each("ffi/nftables/set.ts decodeSet", decodeSet),
  each("ffi/nftables/set.ts decodeElements", decodeNetworks),
  each("ffi/nftables/monitor.ts decodeNftEvent", decodeNftEvent),
  row("ffi/nftables/monitor.ts decodeNftEvents", decodeNftEvents, NFT_REPLIES),
  row("ffi/nftables/expression.ts decodeExpressions", decodeExpressions, EXPRESSIONS),
  row(`${HOST} decodeOwnRule`, (bytes) => decodeOwnRule(decodeExpressions(bytes), "", "ip"), EXPRESSIONS),
  row(`${HOST} decodeForeignRule`, (bytes) => decodeForeignRule(decodeExpressions(bytes), "ip6"), EXPRESSIONS),
];
