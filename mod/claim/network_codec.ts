/**
 * Networks as two values on the wire and on disk: address and prefix length. An IPv4 address is a number; of an IPv6
 * address there are as many bytes as the prefix reaches into, so that each network has one encoding.
 */
import { formatIpv6Network, IPV6_BITS, isIpv6Text, parseIpv6Network } from "../address/ipv6.ts";
import { formatNetwork, networkOf } from "../address/network.ts";
import { parseNetwork } from "../address/parse.ts";
import { WireError } from "../base/errors.ts";
import type { WireValue } from "../wire/codec.ts";
import { checkBytes, checkUint } from "../wire/shape.ts";

const UINT32_MAX = 0xffff_ffff;
const IPV4_BITS = 32;
const BITS_OF_BYTE = 8;

/** Bytes that one takes at most: an IPv6 address of 16 with its head, a prefix length of two. */
export const NETWORK_BYTES_MAX = 17 + 2;

/** The longest prefixes that are read, by family. */
export interface LengthLimits {
  readonly ipv4: number;
  readonly ipv6: number;
}

const ANY_LENGTH: LengthLimits = { ipv4: IPV4_BITS, ipv6: IPV6_BITS };

/** Of a canonical CIDR. */
export function networkFields(cidr: string): [WireValue, WireValue] {
  if (!isIpv6Text(cidr)) {
    const { address, length } = parseNetwork(cidr);
    return [address, length];
  }
  const { address, length } = parseIpv6Network(cidr);
  const digits = address.toString(16).padStart(IPV6_BITS / 4, "0");
  return [Uint8Array.fromHex(digits.slice(0, 2 * bytesOf(length))), length];
}

/** The canonical CIDR of the two values. Throws WireError; `where` names message and field. */
export function networkFrom(
  first: WireValue | undefined,
  second: WireValue | undefined,
  where: string,
  limits = ANY_LENGTH,
): string {
  if (first instanceof Uint8Array) {
    const length = checkUint(second, limits.ipv6, `${where} length`);
    return ipv6From(checkBytes(first, bytesOf(length), where), length, where);
  }
  const address = checkUint(first, UINT32_MAX, where);
  const network = networkOf(address, checkUint(second, limits.ipv4, `${where} length`));
  if (network.address !== address) throw new WireError(`${where}: host bits are set`);
  return formatNetwork(network);
}

function ipv6From(bytes: Uint8Array, length: number, where: string): string {
  const last = bytes[bytes.length - 1] ?? 0;
  const hostBits = bytes.length * BITS_OF_BYTE - length;
  if ((last & ((1 << hostBits) - 1)) !== 0) throw new WireError(`${where}: host bits are set`);
  const address = BigInt(`0x0${bytes.toHex()}`) << BigInt(IPV6_BITS - BITS_OF_BYTE * bytes.length);
  return formatIpv6Network({ address, length });
}

function bytesOf(length: number): number {
  return Math.ceil(length / BITS_OF_BYTE);
}
