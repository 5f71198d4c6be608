/**
 * What operators changed of the pool while the cluster ran: networks added, subnets reserved, subnets pinned to hosts. One
 * record of its own version, the same on all hosts before long; what the hosts were configured with stays as it is below it.
 */
import { hasRoom, slotsOf } from "./dual_stack.ts";
import { familyOf, prefixLengthOf, subnetsIn } from "./cidr.ts";
import { cidrContains, cidrsOverlap } from "./network.ts";
import { isInPool, type Pool, poolHasSubnet } from "./pool.ts";
import { unroutableRange } from "./pool_family.ts";

export interface PoolRecord {
  /** 2 for the first change, since what hosts are configured with has 1; one more for each. */
  readonly version: number;
  /** Digest of the pool that the hosts were configured with: the record means nothing to others. */
  readonly base: string;
  /** Canonical CIDRs, in the order in which they were added. */
  readonly added: readonly string[];
  /** Canonical CIDRs that nobody may claim from now on, sorted. */
  readonly reserved: readonly string[];
  /** By host id, sorted. */
  readonly pins: readonly PoolPin[];
}

/** A subnet that only this host may claim, and that it may claim alone. */
export interface PoolPin {
  /** 32 hexadecimal digits. */
  readonly hostId: string;
  /** Canonical CIDR of the pool. */
  readonly subnet: string;
}

/** Networks added at most: each is looked at with every subnet. */
export const ADDED_MAX = 16;
/** Reservations at most, for the same reason. */
export const RESERVED_MAX = 256;
/** One for each member there may be. 5,000 pins of 23 bytes are 115 kB, told once to each host. */
export const PINS_MAX = 10_000;
/** Subnets in all: a /8 in /24, as many as there may be fences. */
const SUBNETS_MAX = 65_536;

/** The pool as it is with what operators changed of it. */
export function poolWith(pool: Pool, record: PoolRecord | null): Pool {
  if (record === null) return pool;
  return {
    ...pool,
    version: record.version,
    added: record.added,
    reserved: [...pool.reserved, ...record.reserved],
  };
}

/**
 * What is wrong with a record for hosts of that configuration, in words; null when nothing is. All hosts judge alike,
 * whatever they know of claims.
 */
export function whyNotPool(pool: Pool, record: PoolRecord): string | null {
  const { added, reserved, pins } = record;
  if (added.length > ADDED_MAX) return `more than ${ADDED_MAX} networks`;
  if (reserved.length > RESERVED_MAX) return `more than ${RESERVED_MAX} reserved networks`;
  if (pins.length > PINS_MAX) return `more than ${PINS_MAX} pins`;
  return whyNotAdded(pool, added) ?? whyNotReserved(poolWith(pool, record), reserved) ??
    whyNotPinned({ ...pool, added }, pins);
}

function whyNotAdded(pool: Pool, added: readonly string[]): string | null {
  let subnets = 0;
  for (const [index, cidr] of added.entries()) {
    if (familyOf(cidr) !== familyOf(pool.cidr)) {
      return `${cidr} is an IPv${familyOf(cidr)} network, and the pool is of IPv${
        familyOf(pool.cidr)
      }`;
    }
    // Without its first subnet, a network of one has nothing.
    if (prefixLengthOf(cidr) >= pool.subnetLength) {
      return `${cidr} has no room for a /${pool.subnetLength}`;
    }
    const unroutable = unroutableRange(cidr);
    if (unroutable !== null) return `${cidr} overlaps ${unroutable}, which hosts do not route`;
    const other = [pool.cidr, ...added.slice(0, index)].find((one) => cidrsOverlap(one, cidr));
    if (other !== undefined) return `${cidr} overlaps ${other}`;
    subnets += subnetsIn(cidr, pool.subnetLength);
  }
  const { ipv6 } = pool;
  if (ipv6 !== undefined && !hasRoom(ipv6, slotsOf({ ...pool, added }))) {
    return `the IPv6 network ${ipv6.cidr} has too few subnets to go with them`;
  }
  return subnets > SUBNETS_MAX ? `more than ${SUBNETS_MAX} further subnets` : null;
}

function whyNotReserved(pool: Pool, reserved: readonly string[]): string | null {
  const networks = [pool.cidr, ...pool.added];
  const outside = reserved.find((cidr) => !networks.some((network) => isWithin(network, cidr)));
  return outside === undefined ? null : `${outside} is not inside the pool`;
}

function isWithin(network: string, cidr: string): boolean {
  return prefixLengthOf(cidr) >= prefixLengthOf(network) &&
    cidrContains(network, cidr.slice(0, cidr.indexOf("/")));
}

function whyNotPinned(pool: Pool, pins: readonly PoolPin[]): string | null {
  const hosts = new Set(pins.map(({ hostId }) => hostId));
  const subnets = new Set(pins.map(({ subnet }) => subnet));
  if (hosts.size < pins.length) return "a host is pinned twice";
  if (subnets.size < pins.length) return "a subnet is pinned twice";
  const outside = pins.find(({ subnet }) => !isInPool(pool, subnet));
  return outside === undefined ? null : `${outside.subnet} is no subnet of the pool`;
}

/** Whether a host may hold that subnet as far as the pool is concerned: a pin is above a reservation. */
export function isForHost(
  pool: Pool,
  record: PoolRecord | null,
  subnet: string,
  hostId: string,
): boolean {
  const pin = record?.pins.find((one) => one.subnet === subnet);
  return pin === undefined ? poolHasSubnet(pool, subnet) : pin.hostId === hostId;
}
