/** Packets for the tests of the data path, written field by field from the RFCs. */
import { parseIpv6 } from "../../../mod/address/ipv6.ts";
import { parseAddress } from "../../../mod/address/parse.ts";

export interface PacketParts {
  readonly source: string;
  readonly destination: string;
  readonly protocol?: number;
  readonly ttl?: number;
  readonly payload?: readonly number[];
  /** IPv4: flags and fragment offset, 16 bits. */
  readonly fragment?: number;
}

/** Of the version that its addresses have. */
export function packet(parts: PacketParts): Uint8Array {
  return parts.source.includes(":") ? ipv6Packet(parts) : ipv4Packet(parts);
}

function ipv4Packet(parts: PacketParts): Uint8Array {
  const { source, destination, protocol = 17, ttl = 64, payload = [], fragment = 0 } = parts;
  const bytes = new Uint8Array(20 + payload.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = 0x45;
  view.setUint16(2, bytes.length);
  view.setUint16(6, fragment);
  bytes[8] = ttl;
  bytes[9] = protocol;
  view.setUint32(12, parseAddress(source));
  view.setUint32(16, parseAddress(destination));
  bytes.set(payload, 20);
  return bytes;
}

function ipv6Packet(parts: PacketParts): Uint8Array {
  const { source, destination, protocol = 17, ttl = 64, payload = [] } = parts;
  const bytes = new Uint8Array(40 + payload.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = 0x60;
  view.setUint16(4, payload.length);
  bytes[6] = protocol;
  bytes[7] = ttl;
  putIpv6(view, 8, source);
  putIpv6(view, 24, destination);
  bytes.set(payload, 40);
  return bytes;
}

function putIpv6(view: DataView, at: number, text: string): void {
  const address = parseIpv6(text);
  view.setBigUint64(at, address >> 64n);
  view.setBigUint64(at + 8, BigInt.asUintN(64, address));
}

/** The sum that RFC 1071 wants to be all ones, over pseudo-header and ICMPv6 message or over an IPv4 header or ICMP message. */
export function onesComplementSum(...parts: readonly Uint8Array[]): number {
  let total = 0;
  for (const bytes of parts) {
    bytes.forEach((octet, index) => total += index % 2 === 0 ? octet * 256 : octet);
  }
  while (total > 0xffff) total = Math.floor(total / 0x1_0000) + total % 0x1_0000;
  return total;
}
