/**
 * The kernel's expressions as rules: ours in full, or not at all; those of others as far as they tell what becomes of a packet
 * that is forwarded.
 */
import { bytesToAddress } from "../../ffi/inet.ts";
import { type Expression, fromHex } from "../../ffi/nftables/expression.ts";
import type {
  AddressFamily,
  FirewallMatch,
  FirewallRule,
  ForeignMatch,
  ForeignRule,
  ForeignVerdict,
} from "../base/firewall_objects.ts";
import {
  ADDRESS_BYTES,
  ADDRESS_OFFSETS,
  hostOrder,
  maskOf,
  UDP,
  UDP_PORT,
  VNI,
} from "./firewall_encode.ts";

/** What was loaded and is looked at, and how. */
interface Test {
  readonly load: Expression | null;
  readonly mask: string | null;
  readonly test: Extract<Expression, { kind: "compare" | "lookup" }>;
}

/** Statements that neither match nor decide. */
const SILENT = new Set(["log", "last", "notrack", "quota"]);
/** New in a connection's state bits (nf_conntrack_common.h NF_CT_STATE_BIT(IP_CT_NEW)). */
const STATE_NEW = 8;

/** Null when it is none that gossamer writes. */
export function decodeOwnRule(
  expressions: readonly Expression[],
  comment: string | null,
  family: AddressFamily,
): FirewallRule | null {
  const matches: FirewallMatch[] = [];
  let counted: number | null = null;
  const { tests, rest } = testsOf(expressions);
  for (let at = 0; at < tests.length; at++) {
    const match = ownMatch(tests, at, family);
    if (match === null) return null;
    matches.push(match);
    if (match.kind === "udp-port") at++; // is two tests
  }
  let verdict: FirewallRule["verdict"] | null = null;
  for (const expression of rest) {
    if (expression.kind === "counter" && counted === null) counted = expression.packets;
    else if (verdict === null) verdict = ownVerdict(expression);
    else return null;
    if (verdict === null && expression.kind !== "counter") return null;
  }
  return verdict === null || comment === null ? null : { matches, counted, verdict, comment };
}

function ownVerdict(expression: Expression): FirewallRule["verdict"] | null {
  if (expression.kind === "masquerade") return expression.isFullyRandom ? "masquerade" : null;
  if (expression.kind !== "verdict") return null;
  const { verdict } = expression;
  return verdict === "accept" || verdict === "drop" || verdict === "return" ? verdict : null;
}

function ownMatch(tests: readonly Test[], at: number, family: AddressFamily): FirewallMatch | null {
  const test = tests[at];
  if (test === undefined) return null;
  return addressMatch(test, family) ?? markMatch(test) ?? udpMatch(test, tests[at + 1]) ??
    vniMatch(test);
}

function markMatch({ load, mask, test }: Test): FirewallMatch | null {
  if (load?.kind !== "meta" || load.key !== "mark" || mask === null) return null;
  if (test.kind !== "compare" || !test.isEqual) return null;
  return { kind: "mark", mask: fromHostOrder(mask), value: fromHostOrder(test.value) };
}

function udpMatch({ load, mask, test }: Test, next: Test | undefined): FirewallMatch | null {
  const isUdp = load?.kind === "meta" && load.key === "l4proto" && mask === null &&
    test.kind === "compare" && test.isEqual && test.value === UDP;
  if (!isUdp || next === undefined || !isTransport(next, UDP_PORT)) return null;
  return { kind: "udp-port", port: Number.parseInt(valueOf(next), 16) };
}

function vniMatch(test: Test): FirewallMatch | null {
  if (!isTransport(test, VNI)) return null;
  return { kind: "vni", vni: Number.parseInt(valueOf(test), 16) };
}

/** Whether it says that a place of the transport header has one value. */
function isTransport({ load, mask, test }: Test, place: { offset: number; length: number }) {
  return load?.kind === "payload" && load.base === "transport" && mask === null &&
    load.offset === place.offset && load.length === place.length &&
    test.kind === "compare" && test.isEqual && test.value.length === 2 * place.length;
}

function valueOf({ test }: Test): string {
  return test.kind === "compare" ? test.value : "";
}

function addressMatch(
  { load, mask, test }: Test,
  family: AddressFamily,
): Extract<FirewallMatch, { kind: "address" }> | null {
  if (load?.kind !== "payload" || load.base !== "network") return null;
  const offsets = ADDRESS_OFFSETS[family];
  const bytes = ADDRESS_BYTES[family];
  const side = load.offset === offsets.source
    ? "source"
    : load.offset === offsets.destination
    ? "destination"
    : null;
  if (side === null || load.length > bytes) return null;
  if (test.kind === "lookup") {
    if (mask !== null || load.length !== bytes) return null;
    return { kind: "address", side, isIn: !test.isInverted, of: `@${test.set}` };
  }
  if (test.value.length !== 2 * load.length) return null;
  const prefixLength = mask === null ? 8 * load.length : prefixLengthOf(mask, bytes);
  const address = new Uint8Array(bytes);
  address.set(fromHex(test.value));
  const text = bytesToAddress(address);
  if (prefixLength === null || text === null) return null;
  return { kind: "address", side, isIn: test.isEqual, of: `${text}/${prefixLength}` };
}

function prefixLengthOf(mask: string, bytes: number): number | null {
  for (let length = 0; length <= 8 * bytes; length++) {
    if (mask === maskOf(length, bytes)) return length;
  }
  return null;
}

function fromHostOrder(text: string): number {
  return Number.parseInt(hostOrder(Number.parseInt(text, 16)), 16);
}

/** Tests in their order, and everything that tests nothing. */
function testsOf(expressions: readonly Expression[]): { tests: Test[]; rest: Expression[] } {
  const tests: Test[] = [];
  const rest: Expression[] = [];
  let load: Expression | null = null;
  let mask: string | null = null;
  for (const expression of expressions) {
    switch (expression.kind) {
      case "payload":
      case "meta":
      case "connection-state":
        load = expression;
        mask = null;
        break;
      case "bitwise":
        mask = expression.mask;
        if (/[^0]/.test(expression.xor)) load = null;
        break;
      case "compare":
      case "lookup":
        tests.push({ load, mask, test: expression });
        break;
      default:
        rest.push(expression);
        // It may have loaded something that is not known here.
        if (expression.kind === "other") load = null;
    }
  }
  return { tests, rest };
}

/** A rule of somebody else. `family` is that of the packets of interest. */
export function decodeForeignRule(
  expressions: readonly Expression[],
  family: AddressFamily,
): ForeignRule {
  const { tests, rest } = testsOf(expressions);
  const matches: ForeignMatch[] = tests.map((test) => foreignMatch(test, family));
  let verdict: ForeignVerdict = { kind: "continue" };
  for (const expression of rest) {
    switch (expression.kind) {
      case "verdict":
        verdict = foreignVerdict(expression);
        break;
      case "reject":
        verdict = { kind: "drop" };
        break;
      case "target":
        if (expression.name === "REJECT" || expression.name === "DROP") verdict = { kind: "drop" };
        break;
      case "match":
        if (expression.name !== "comment") matches.push({ kind: "unknown" });
        break;
      case "other":
        if (!SILENT.has(expression.name)) matches.push({ kind: "unknown" });
        break;
      default: // counts
    }
  }
  return { matches, verdict };
}

function foreignVerdict(
  { verdict, chain }: Extract<Expression, { kind: "verdict" }>,
): ForeignVerdict {
  if (verdict === "jump" || verdict === "goto") return { kind: verdict, chain: chain ?? "" };
  if (verdict === "accept" || verdict === "drop" || verdict === "return") return { kind: verdict };
  return { kind: "continue" };
}

function foreignMatch(test: Test, family: AddressFamily): ForeignMatch {
  const address = addressMatch(test, family);
  if (address !== null && !address.of.startsWith("@")) return address;
  const { load, mask } = test;
  if (test.test.kind !== "compare") return { kind: "unknown" };
  const { isEqual, value } = test.test;
  const content = contentMatch(test, family);
  if (content !== null) return content;
  if (load?.kind === "connection-state" && mask !== null && /^0*$/.test(value)) {
    const isNew = (fromHostOrder(mask) & STATE_NEW) !== 0;
    return { kind: "state", isTrueOfNew: isNew !== isEqual };
  }
  if (load?.kind !== "meta" || mask !== null) return { kind: "unknown" };
  if (load.key === "nfproto") {
    // NFPROTO_IPV4, NFPROTO_IPV6
    if (value === "02") return { kind: "family", isIn: isEqual, family: "ip" };
    if (value === "0a") return { kind: "family", isIn: isEqual, family: "ip6" };
  }
  if (load.key === "iifname" || load.key === "oifname") {
    const side = load.key === "iifname" ? "in" : "out";
    return { kind: "device", side, isIn: isEqual, name: deviceNameOf(value) };
  }
  return { kind: "unknown" };
}

/** What the packet carries and to which port, and devices by number; null for all else. */
function contentMatch({ load, mask, test }: Test, family: AddressFamily): ForeignMatch | null {
  if (test.kind !== "compare" || mask !== null) return null;
  const { isEqual: isIn, value } = test;
  if (load?.kind === "meta") {
    const number = Number.parseInt(value, 16);
    if (load.key === "l4proto") return { kind: "protocol", isIn, protocol: number };
    if (load.key !== "iif" && load.key !== "oif") return null;
    const side = load.key === "iif" ? "in" : "out";
    return { kind: "device-index", side, isIn, index: fromHostOrder(value) };
  }
  if (load?.kind !== "payload") return null;
  const { base, offset, length } = load;
  if (base === "network" && length === 1 && offset === PROTOCOL_OFFSET[family]) {
    return { kind: "protocol", isIn, protocol: Number.parseInt(value, 16) };
  }
  const isPort = base === "transport" && offset === UDP_PORT.offset && length === UDP_PORT.length;
  return isPort ? { kind: "port", isIn, port: Number.parseInt(value, 16) } : null;
}

/** Where a packet says what it carries (RFC 791, RFC 8200), in bytes. */
const PROTOCOL_OFFSET: Readonly<Record<AddressFamily, number>> = { ip: 9, ip6: 6 };

/** Padded with zeros is the whole of a name; without them the beginning of one. */
function deviceNameOf(value: string): string {
  const bytes = fromHex(value);
  const end = bytes.indexOf(0);
  const name = new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
  return end < 0 ? `${name}*` : name;
}
