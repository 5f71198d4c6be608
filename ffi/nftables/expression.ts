/**
 * Expressions: what a rule is made of. The kernel runs them in order on a small set of registers: load something, mask it,
 * compare it, and at last a verdict (linux/netfilter/nf_tables.h NFTA_EXPR_*). Only those that gossamer's own rules use, and
 * those that tell what becomes of a packet in the rules of others, are taken apart; the rest keep their names.
 */
import { hex } from "../bytes.ts";
import { type Attributes, type AttributeWriter, decodeAttributes } from "../netlink/attribute.ts";
import { be32, be64, listElements, NLA_F_NESTED, putBe32, putElement } from "./message.ts";

/** What a rule, or a base chain's policy, does with a packet. */
export type VerdictName = "accept" | "drop" | "return" | "jump" | "goto" | "continue" | "other";

/** One step of a rule. Values and masks are hexadecimal, in the order of the packet's bytes: `0af40000`. */
export type Expression =
  | {
    readonly kind: "payload";
    readonly base: "link" | "network" | "transport" | "inner";
    /** Bytes. */
    readonly offset: number;
    readonly length: number;
  }
  | { readonly kind: "meta"; readonly key: MetaKey }
  /** The state of the packet's connection, as bits. */
  | { readonly kind: "connection-state" }
  | { readonly kind: "bitwise"; readonly mask: string; readonly xor: string }
  | { readonly kind: "compare"; readonly isEqual: boolean; readonly value: string }
  | { readonly kind: "lookup"; readonly set: string; readonly isInverted: boolean }
  | { readonly kind: "counter"; readonly packets: number }
  | { readonly kind: "masquerade"; readonly isFullyRandom: boolean }
  | { readonly kind: "verdict"; readonly verdict: VerdictName; readonly chain: string | null }
  | { readonly kind: "reject" }
  /** Of iptables on nf_tables: its match or target of that name. */
  | { readonly kind: "match" | "target"; readonly name: string }
  | { readonly kind: "other"; readonly name: string };

/** NFT_META_*. */
const META_KEYS = { mark: 3, iif: 4, oif: 5, iifname: 6, oifname: 7, nfproto: 15, l4proto: 16 };
export type MetaKey = keyof typeof META_KEYS;

/** NFT_PAYLOAD_*. */
const BASES = ["link", "network", "transport", "inner"] as const;

/** NFT_* and NF_* verdicts as unsigned numbers. */
const VERDICTS: ReadonlyMap<number, VerdictName> = new Map([
  [0, "drop"],
  [1, "accept"],
  [0xffff_ffff, "continue"],
  [0xffff_fffd, "jump"],
  [0xffff_fffc, "goto"],
  [0xffff_fffb, "return"],
]);

const VERDICT_REGISTER = 0;
/** NFT_REG_1: 16 bytes, room for an IPv6 address. */
const REGISTER = 1;
const COMPARE_EQUAL = 0;
const COMPARE_UNEQUAL = 1;
const LOOKUP_INVERTED = 1;
/** NF_NAT_RANGE_PROTO_RANDOM_FULLY (linux/netfilter/nf_nat.h). */
const FULLY_RANDOM = 1 << 4;

const EXPRESSION = { NAME: 1, DATA: 2 } as const;
const DATA = { VALUE: 1, VERDICT: 2 } as const;
const VERDICT = { CODE: 1, CHAIN: 2 } as const;
const PAYLOAD = { DREG: 1, BASE: 2, OFFSET: 3, LENGTH: 4 } as const;
const META = { DREG: 1, KEY: 2 } as const;
const BITWISE = { SREG: 1, DREG: 2, LENGTH: 3, MASK: 4, XOR: 5 } as const;
const COMPARE = { SREG: 1, OPERATION: 2, DATA: 3 } as const;
const LOOKUP = { SET: 1, SREG: 2, DREG: 3, FLAGS: 5 } as const;
const CONNECTION = { DREG: 1, KEY: 2 } as const;
/** NFT_CT_STATE. */
const CONNECTION_STATE = 0;
const MASQUERADE_FLAGS = 1;
const IMMEDIATE = { DREG: 1, DATA: 2 } as const;
const COUNTER = { BYTES: 1, PACKETS: 2 } as const;
/** NFTA_MATCH_NAME and NFTA_TARGET_NAME (linux/netfilter/nf_tables_compat.h). */
const COMPAT_NAME = 1;

/** Bytes of a hexadecimal text; throws on anything else. */
export function fromHex(text: string): Uint8Array {
  if (!/^([0-9a-f]{2})*$/.test(text)) throw new Error(`Not hexadecimal: ${JSON.stringify(text)}`);
  return Uint8Array.from(
    { length: text.length / 2 },
    (_, index) => Number.parseInt(text.slice(2 * index, 2 * index + 2), 16),
  );
}

function toHex(bytes: Uint8Array): string {
  return hex(bytes).replaceAll(" ", "");
}

/** Writes the elements of NFTA_RULE_EXPRESSIONS. Throws on expressions that gossamer does not write. */
export function writeExpressions(
  writer: AttributeWriter,
  expressions: readonly Expression[],
): void {
  for (const expression of expressions) {
    putElement(writer, () => {
      writer.string(EXPRESSION.NAME, kernelName(expression));
      writer.nested(EXPRESSION.DATA, () => writeData(writer, expression), NLA_F_NESTED);
    });
  }
}

function kernelName(expression: Expression): string {
  switch (expression.kind) {
    case "compare":
      return "cmp";
    case "masquerade":
      return "masq";
    case "verdict":
      return "immediate";
    case "other":
    case "match":
    case "target":
    case "connection-state":
      throw new Error(`gossamer writes no expression of the kind ${expression.kind}`);
    default:
      return expression.kind;
  }
}

function writeData(writer: AttributeWriter, expression: Expression): void {
  switch (expression.kind) {
    case "payload":
      putBe32(writer, PAYLOAD.DREG, REGISTER);
      putBe32(writer, PAYLOAD.BASE, BASES.indexOf(expression.base));
      putBe32(writer, PAYLOAD.OFFSET, expression.offset);
      putBe32(writer, PAYLOAD.LENGTH, expression.length);
      return;
    case "meta":
      putBe32(writer, META.KEY, META_KEYS[expression.key]);
      putBe32(writer, META.DREG, REGISTER);
      return;
    case "bitwise":
      putBe32(writer, BITWISE.SREG, REGISTER);
      putBe32(writer, BITWISE.DREG, REGISTER);
      putBe32(writer, BITWISE.LENGTH, expression.mask.length / 2);
      putValue(writer, BITWISE.MASK, expression.mask);
      putValue(writer, BITWISE.XOR, expression.xor);
      return;
    case "compare":
      putBe32(writer, COMPARE.SREG, REGISTER);
      putBe32(writer, COMPARE.OPERATION, expression.isEqual ? COMPARE_EQUAL : COMPARE_UNEQUAL);
      putValue(writer, COMPARE.DATA, expression.value);
      return;
    case "lookup":
      writer.string(LOOKUP.SET, expression.set);
      putBe32(writer, LOOKUP.SREG, REGISTER);
      if (expression.isInverted) putBe32(writer, LOOKUP.FLAGS, LOOKUP_INVERTED);
      return;
    case "masquerade":
      if (expression.isFullyRandom) putBe32(writer, MASQUERADE_FLAGS, FULLY_RANDOM);
      return;
    case "verdict":
      putBe32(writer, IMMEDIATE.DREG, VERDICT_REGISTER);
      writer.nested(IMMEDIATE.DATA, () => {
        writer.nested(DATA.VERDICT, () => {
          putBe32(writer, VERDICT.CODE, verdictCode(expression.verdict));
          if (expression.chain !== null) writer.string(VERDICT.CHAIN, expression.chain);
        }, NLA_F_NESTED);
      }, NLA_F_NESTED);
      return;
    default: // counters begin at zero, a reject is the kernel's default
  }
}

function putValue(writer: AttributeWriter, type: number, value: string): void {
  writer.nested(type, () => writer.bytes(DATA.VALUE, fromHex(value)), NLA_F_NESTED);
}

function verdictCode(name: VerdictName): number {
  for (const [code, known] of VERDICTS) if (known === name) return code;
  throw new Error(`Not a verdict: ${name}`);
}

/** The name of a verdict's code, as in the policy of a base chain. */
export function verdictName(code: number): VerdictName {
  return VERDICTS.get(code) ?? "other";
}

/**
 * The expressions of NFTA_RULE_EXPRESSIONS. What does not read as one of the known kinds keeps its name. Throws
 * NetlinkFormatError on impossible lengths.
 */
export function decodeExpressions(list: Uint8Array | null): Expression[] {
  return listElements(list).map((element) => {
    const attributes = decodeAttributes(element);
    const name = attributes.string(EXPRESSION.NAME) ?? "";
    const data = attributes.nested(EXPRESSION.DATA);
    return (data === null ? null : decodeData(name, data)) ?? { kind: "other", name };
  });
}

function decodeData(name: string, data: Attributes): Expression | null {
  switch (name) {
    case "payload":
      return decodePayload(data);
    case "meta":
      return decodeMeta(data);
    case "bitwise": {
      const mask = valueOf(data, BITWISE.MASK);
      const xor = valueOf(data, BITWISE.XOR);
      return mask === null || xor === null ? null : { kind: "bitwise", mask, xor };
    }
    case "cmp": {
      const value = valueOf(data, COMPARE.DATA);
      const operation = be32(data, COMPARE.OPERATION);
      if (value === null || (operation !== COMPARE_EQUAL && operation !== COMPARE_UNEQUAL)) {
        return null;
      }
      return { kind: "compare", isEqual: operation === COMPARE_EQUAL, value };
    }
    case "lookup": {
      const set = data.string(LOOKUP.SET);
      if (set === null || data.has(LOOKUP.DREG)) return null; // into a register: a map
      return { kind: "lookup", set, isInverted: (be32(data, LOOKUP.FLAGS) ?? 0) !== 0 };
    }
    case "counter":
      return { kind: "counter", packets: Number(be64(data, COUNTER.PACKETS) ?? 0n) };
    case "masq": {
      const flags = be32(data, MASQUERADE_FLAGS) ?? 0;
      if (flags !== 0 && flags !== FULLY_RANDOM) return null;
      return { kind: "masquerade", isFullyRandom: flags === FULLY_RANDOM };
    }
    case "immediate":
      return decodeImmediate(data);
    case "ct": {
      const isState = be32(data, CONNECTION.KEY) === CONNECTION_STATE && data.has(CONNECTION.DREG);
      return isState ? { kind: "connection-state" } : null;
    }
    case "reject":
      return { kind: "reject" };
    case "match":
    case "target":
      return { kind: name, name: data.string(COMPAT_NAME) ?? "" };
    default:
      return null;
  }
}

function decodePayload(data: Attributes): Expression | null {
  const base = BASES[be32(data, PAYLOAD.BASE) ?? BASES.length];
  const offset = be32(data, PAYLOAD.OFFSET);
  const length = be32(data, PAYLOAD.LENGTH);
  const isLoad = data.has(PAYLOAD.DREG); // otherwise it writes into the packet
  if (base === undefined || offset === null || length === null || !isLoad) return null;
  return { kind: "payload", base, offset, length };
}

function decodeMeta(data: Attributes): Expression | null {
  const value = be32(data, META.KEY);
  if (!data.has(META.DREG)) return null; // sets instead of loading
  for (const [key, known] of Object.entries(META_KEYS)) {
    if (known === value) return { kind: "meta", key: key as MetaKey };
  }
  return null;
}

function decodeImmediate(data: Attributes): Expression | null {
  const verdict = data.nested(IMMEDIATE.DATA)?.nested(DATA.VERDICT) ?? null;
  if (be32(data, IMMEDIATE.DREG) !== VERDICT_REGISTER || verdict === null) return null;
  const code = be32(verdict, VERDICT.CODE);
  if (code === null) return null;
  return { kind: "verdict", verdict: verdictName(code), chain: verdict.string(VERDICT.CHAIN) };
}

/** The bytes of a value as hexadecimal; null for a verdict or nothing. */
function valueOf(data: Attributes, type: number): string | null {
  const bytes = data.nested(type)?.bytes(DATA.VALUE) ?? null;
  return bytes === null ? null : toHex(bytes);
}
