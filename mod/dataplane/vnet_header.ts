/**
 * What stands before each packet on a TUN device: what the kernel left undone (struct virtio_net_hdr of
 * linux/virtio_net.h, in host order, 10 bytes), and what of it our own datagrams say.
 *
 * A datagram is one inner packet, as flannel's are. An inner checksum that is yet to be finished is said by the highest bit of
 * the first byte, where IP has its version, 4 or 6: it costs no byte of the MTU.
 */
import type { TransportHeader } from "./transport_header.ts";

export const VNET_HEADER_BYTES = 10;
const NEEDS_CHECKSUM = 1;
const GSO_NONE = 0;
const GSO_TCPV4 = 1;
const GSO_TCPV6 = 4;
const GSO_UDP = 5;

/** The bit of a datagram's first byte. */
export const UNFINISHED = 0x80;

/** Whether the packet's checksum is yet to be finished. */
export function needsChecksum(bytes: Uint8Array, at: number): boolean {
  return ((bytes[at] ?? 0) & NEEDS_CHECKSUM) !== 0;
}

/** Payload of each segment that the packet is to be cut into; 0 when it is one as it is. */
export function segmentBytes(bytes: Uint8Array, at: number): number {
  return bytes[at + 1] === GSO_NONE ? 0 : little(bytes, at + 4);
}

/** Where the checksum begins to count, from the packet's beginning. */
export function checksumStart(bytes: Uint8Array, at: number): number {
  return little(bytes, at + 6);
}

/** Where it stands, from there. */
export function checksumOffset(bytes: Uint8Array, at: number): number {
  return little(bytes, at + 8);
}

/** Nothing is left undone. */
export function clearVnetHeader(bytes: Uint8Array, at: number): void {
  for (let byte = 0; byte < VNET_HEADER_BYTES; byte++) bytes[at + byte] = 0;
}

/**
 * The checksum is to be finished, and with `segment` above 0 the packet is several with so much payload each.
 */
export function putVnetHeader(
  bytes: Uint8Array,
  at: number,
  header: TransportHeader,
  segment: number,
): void {
  bytes[at] = NEEDS_CHECKSUM;
  const gsoType = !header.isTcp ? GSO_UDP : header.isIpv4 ? GSO_TCPV4 : GSO_TCPV6;
  bytes[at + 1] = segment === 0 ? GSO_NONE : gsoType;
  putLittle(bytes, at + 2, header.end);
  putLittle(bytes, at + 4, segment);
  putLittle(bytes, at + 6, header.at);
  putLittle(bytes, at + 8, header.checksumOffset);
}

function little(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}

function putLittle(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 255;
  bytes[at + 1] = value >>> 8;
}
