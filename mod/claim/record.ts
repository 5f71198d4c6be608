/** A claim record: a host's own statement that a subnet is its own. Written only by that host. */
import type { MemberId } from "../swim/member.ts";

/** `tentative` asks, `held` owns, `yielding` is giving up, `released` has given up. */
export type ClaimState = "tentative" | "held" | "yielding" | "released";

/**
 * How a host takes packets for its subnet: in VXLAN; in VXLAN or, from hosts on the same link, bare; bare only; in UDP, by
 * its agent. Others are ways of later versions, known by their number alone: such a host has its subnet like any other.
 */
export type Backend = "vxlan" | "vxlan-direct" | "host-gw" | "udp" | `backend ${number}`;

/** Where the overlay packets for a subnet go: RFC 7348's tunnel end point. */
export interface Vtep {
  /** Underlay address as peers must send to it. */
  readonly address: string;
  /** UDP port of VXLAN, or of the UDP backend. */
  readonly port: number;
  /** Of the VXLAN device, `aa:bb:cc:dd:ee:ff`. */
  readonly mac: string;
  /** Absent for `vxlan`, as records are written that know nothing else. */
  readonly backend?: Exclude<Backend, "vxlan">;
  /** Underlay address for the IPv6 overlay, with dual stack; the port and the MAC are the same. */
  readonly ipv6?: string;
  /**
   * The longest packet of the overlay in bytes for which its underlay and its operator leave room. Absent where that is what
   * an underlay of Ethernet's MTU leaves, as records are written that know nothing of it.
   */
  readonly mtu?: number;
}

/** Whether packets go to the same place in the same way. */
export function isSameVtep(one: Vtep, other: Vtep): boolean {
  return one.address === other.address && one.port === other.port && one.mac === other.mac &&
    one.backend === other.backend && one.ipv6 === other.ipv6 && one.mtu === other.mtu;
}

/** How the host behind that end point takes packets. */
export function backendOf({ backend }: Vtep): Backend {
  return backend ?? "vxlan";
}

export interface ClaimRecord {
  readonly hostId: MemberId;
  /** Of the process that wrote it, 16 hexadecimal digits. */
  readonly instance: string;
  /** Raised by one at each process start, persisted before use; orders records of one host with `sequence`. */
  readonly generation: number;
  /** Raised by one at each write within a generation. */
  readonly sequence: number;
  readonly poolVersion: number;
  /** First 8 bytes of SHA-256 over the pool, 16 hexadecimal digits: tells hosts of differing configuration apart. */
  readonly poolDigest: string;
  /** Canonical CIDR, `10.244.7.0/24`. */
  readonly subnet: string;
  readonly state: ClaimState;
  /** Fencing number of the subnet. */
  readonly epoch: number;
  /** 0 tentative, 1 held, 2 held with the majority of the last-known hosts; pinned held claims 5 and 6. */
  readonly strength: number;
  /** Lamport time frozen when the subnet was first claimed; older wins a tie. */
  readonly stamp: number;
  readonly vtep: Vtep;
  /** How long this host may be absent before its subnet may be taken, in hours, 1 to 65535. */
  readonly absenceTtlHours: number;
}

/** What a held claim weighs without and with a majority's acknowledgement; a pin adds {@linkcode PINNED}. */
export const WEAK = 1;
export const STRONG = 2;
export const PINNED = 4;

/** Whether the host says that it uses the subnet, or asks to: nobody else may choose it. */
export function occupies(record: ClaimRecord): boolean {
  return record.state !== "released";
}

/** Whether the subnet was ever held under this record: then its epoch counts for the fence. */
export function wasHeld(record: ClaimRecord): boolean {
  return record.strength > 0;
}

/** Whether `one` was written after `other` by the same host. */
export function isNewer(one: ClaimRecord, other: ClaimRecord): boolean {
  return one.generation === other.generation
    ? one.sequence > other.sequence
    : one.generation > other.generation;
}

/** Whether both are the same write of the same host. */
export function isSameWrite(one: ClaimRecord, other: ClaimRecord): boolean {
  return one.hostId === other.hostId && one.generation === other.generation &&
    one.sequence === other.sequence;
}
