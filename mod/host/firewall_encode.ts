/** Our rules as the kernel's expressions, as `nft` writes them, so that `nft` reads them back. */
import { hex } from "../../ffi/bytes.ts";
import { parsePrefix } from "../../ffi/inet.ts";
import type { Expression } from "../../ffi/nftables/expression.ts";
import type { AddressFamily, FirewallMatch, FirewallRule } from "../base/firewall_objects.ts";

/** Where the addresses stand in the header of the network layer (RFC 791, RFC 8200), in bytes. */
export const ADDRESS_OFFSETS = {
  ip: { source: 12, destination: 16 },
  ip6: { source: 8, destination: 24 },
} as const;
export const ADDRESS_BYTES = { ip: 4, ip6: 16 } as const;
/** IPPROTO_UDP. */
export const UDP = "11";
/** Of the destination port in the UDP header (RFC 768). */
export const UDP_PORT = { offset: 2, length: 2 } as const;
/** Of the network identifier: 8 bytes of UDP, 4 of VXLAN's flags (RFC 7348 section 5). */
export const VNI = { offset: 12, length: 3 } as const;

export function encodeRule(rule: FirewallRule, family: AddressFamily): Expression[] {
  return [
    ...rule.matches.flatMap((match) => encodeMatch(match, family)),
    ...(rule.counted === null ? [] : [{ kind: "counter", packets: 0 } as const]),
    rule.verdict === "masquerade"
      ? { kind: "masquerade", isFullyRandom: true }
      : { kind: "verdict", verdict: rule.verdict, chain: null },
  ];
}

function encodeMatch(match: FirewallMatch, family: AddressFamily): Expression[] {
  switch (match.kind) {
    case "mark":
      return [
        { kind: "meta", key: "mark" },
        { kind: "bitwise", mask: hostOrder(match.mask), xor: hostOrder(0) },
        { kind: "compare", isEqual: true, value: hostOrder(match.value) },
      ];
    case "address":
      return encodeAddress(match, family);
    case "udp-port":
      return [
        { kind: "meta", key: "l4proto" },
        { kind: "compare", isEqual: true, value: UDP },
        { kind: "payload", base: "transport", ...UDP_PORT },
        { kind: "compare", isEqual: true, value: networkOrder(match.port, UDP_PORT.length) },
      ];
    case "vni":
      return [
        { kind: "payload", base: "transport", ...VNI },
        { kind: "compare", isEqual: true, value: networkOrder(match.vni, VNI.length) },
      ];
  }
}

function encodeAddress(
  match: Extract<FirewallMatch, { kind: "address" }>,
  family: AddressFamily,
): Expression[] {
  const offset = ADDRESS_OFFSETS[family][match.side];
  const length = ADDRESS_BYTES[family];
  const load = { kind: "payload", base: "network", offset } as const;
  if (match.of.startsWith("@")) {
    const set = match.of.slice(1);
    return [{ ...load, length }, { kind: "lookup", set, isInverted: !match.isIn }];
  }
  const prefix = parsePrefix(match.of);
  const whole = Math.floor(prefix.length / 8);
  const isEqual = match.isIn;
  if (prefix.length % 8 === 0 && whole > 0) {
    const value = toHex(prefix.bytes.subarray(0, whole));
    return [{ ...load, length: whole }, { kind: "compare", isEqual, value }];
  }
  return [
    { ...load, length },
    { kind: "bitwise", mask: maskOf(prefix.length, length), xor: "00".repeat(length) },
    { kind: "compare", isEqual, value: toHex(prefix.bytes) },
  ];
}

/** The mask of a prefix length over so many bytes, as hexadecimal. */
export function maskOf(prefixLength: number, length: number): string {
  const bits = "1".repeat(prefixLength).padEnd(8 * length, "0");
  return Array.from(
    { length },
    (_, at) => networkOrder(Number.parseInt(bits.slice(8 * at, 8 * at + 8), 2), 1),
  )
    .join("");
}

/** A number as it stands in a packet. */
export function networkOrder(value: number, length: number): string {
  return value.toString(16).padStart(2 * length, "0");
}

/** A 32-bit number as it stands in a register; gossamer runs on little-endian hosts only (ffi/bytes.ts). */
export function hostOrder(value: number): string {
  const text = networkOrder(value, 4);
  return text.slice(6) + text.slice(4, 6) + text.slice(2, 4) + text.slice(0, 2);
}

function toHex(bytes: Uint8Array): string {
  return hex(bytes).replaceAll(" ", "");
}
