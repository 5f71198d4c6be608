/**
 * The pool: the network that subnets are taken from and how it is cut up, with flannel's defaults and
 * checks (its pkg/subnet/config.go), and one more: the smallest subnet may not lie above the largest.
 */
import { assert } from "../base/assert.ts";
import { ConfigError } from "../base/errors.ts";
import { sha256Hex } from "../base/hash.ts";
import { type Ipv6Pool, ipv6SubnetOf } from "./dual_stack.ts";
import {
  canonicalAddress,
  canonicalCidr,
  cidrAround,
  familyOf,
  numberOfSubnet,
  prefixLengthOf,
  subnetNumber,
  subnetsBetween,
  subnetsIn,
} from "./cidr.ts";
import { cidrContains, cidrsOverlap } from "./network.ts";
import { NetworkSet } from "./network_set.ts";
import { checkedPoolNetwork, checkedSetting, checkedSubnetLength } from "./pool_family.ts";

/** The same on every host of a cluster; all texts canonical. */
export interface Pool {
  /** `10.244.0.0/16`; `fd00:244::/56` in a cluster of IPv6 alone. Everything else is of the same family. */
  readonly cidr: string;
  /** Prefix length of each host's subnet. */
  readonly subnetLength: number;
  /** Addresses of the first and the last subnet that may be claimed: `10.244.1.0`, `10.244.255.0`. */
  readonly subnetMin: string;
  readonly subnetMax: string;
  /** Raised by an operator's command that changes the pool: see pool_record.ts. */
  readonly version: number;
  /** Networks inside the pool that nobody may claim. */
  readonly reserved: readonly string[];
  /** Whole networks that were added to the first one while the cluster ran, cut up in the same way. */
  readonly added: readonly string[];
  /** With dual stack: what each subnet's IPv6 half is taken from. */
  readonly ipv6?: Ipv6Pool;
}

/** What an operator says of the pool; absent parts get flannel's defaults. */
export interface PoolSettings {
  readonly network: string;
  readonly subnetLength?: number | undefined;
  readonly subnetMin?: string | undefined;
  readonly subnetMax?: string | undefined;
  readonly reserved?: readonly string[] | undefined;
}

/** Where the settings came from, for messages: flags by default, keys of a file otherwise. */
export interface PoolSettingNames {
  readonly network: string;
  readonly subnetLength: string;
  readonly subnetMin: string;
  readonly subnetMax: string;
}

const FLAG_NAMES: PoolSettingNames = {
  network: "--network",
  subnetLength: "--subnet-len",
  subnetMin: "--subnet-min",
  subnetMax: "--subnet-max",
};

/**
 * Subnets of an IPv6 network: as many as there may be fences, and as a /8 has in /24. Each host orders all of them to
 * choose one.
 */
const IPV6_SUBNETS_MAX = 65_536;

/** Fills in the defaults and checks everything. Throws ConfigError that names setting, value and remedy. */
export function makePool(settings: PoolSettings, names: PoolSettingNames = FLAG_NAMES): Pool {
  const cidr = checkedPoolNetwork(names.network, settings.network);
  const subnetLength = checkedSubnetLength(cidr, settings.subnetLength, names);
  checkSubnetCount(cidr, subnetLength, names);
  const min = settings.subnetMin === undefined
    ? 1 // the first subnet is left out, as flannel does
    : subnetEdge(names.subnetMin, settings.subnetMin, cidr, subnetLength);
  const max = settings.subnetMax === undefined
    ? subnetsIn(cidr, subnetLength) - 1
    : subnetEdge(names.subnetMax, settings.subnetMax, cidr, subnetLength);
  const subnetMin = addressOf(subnetNumber(cidr, subnetLength, min));
  const subnetMax = addressOf(subnetNumber(cidr, subnetLength, max));
  if (min > max) {
    throw new ConfigError(
      names.subnetMin,
      `${subnetMin} lies above ${names.subnetMax} ${subnetMax}`,
      `exchange the two, or leave out ${names.subnetMin}`,
    );
  }
  return {
    cidr,
    subnetLength,
    subnetMin,
    subnetMax,
    version: 1,
    reserved: (settings.reserved ?? []).map((text) =>
      checkedSetting("reserved", () => canonicalCidr(text))
    ),
    added: [],
  };
}

/** The family of the subnets, and in a cluster of IPv6 alone of everything. */
export function poolFamily(pool: Pool): 4 | 6 {
  return familyOf(pool.cidr);
}

/** Subnets of one length side by side: the numbers of the first and of the last one in their network. */
interface Row {
  readonly network: string;
  readonly first: number;
  readonly last: number;
}

/** How many subnets there are, reserved ones counted as well. */
export function subnetCount(pool: Pool): number {
  return rowsOf(pool).reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

/** Every subnet that may be claimed, in ascending order of each network, reserved ones left out. */
export function subnetsOf(pool: Pool): string[] {
  const reserved = new NetworkSet(pool.reserved);
  return rowsOf(pool).flatMap(({ network, first, last }) =>
    subnetsBetween(network, pool.subnetLength, first, last)
      .filter((subnet) => !reserved.overlaps(subnet))
  );
}

/** Whether the canonical CIDR is one of {@linkcode subnetsOf}. */
export function poolHasSubnet(pool: Pool, cidr: string): boolean {
  return isInPool(pool, cidr) && !pool.reserved.some((network) => cidrsOverlap(network, cidr));
}

/** The networks that subnets are taken from: the one that hosts were configured with first. */
export function networksOf(pool: Pool): string[] {
  return [pool.cidr, ...pool.added];
}

/** The IPv6 subnet that comes with a subnet of the pool; null without dual stack, and for strange subnets. */
export function ipv6HalfOf(pool: Pool, subnet: string): string | null {
  return pool.ipv6 === undefined ? null : ipv6SubnetOf(pool, pool.ipv6, subnet);
}

/** Whether the canonical CIDR is a subnet of the pool, reserved or not. */
export function isInPool(pool: Pool, cidr: string): boolean {
  if (prefixLengthOf(cidr) !== pool.subnetLength) return false;
  return rowsOf(pool).some(({ network, first, last }) => {
    const index = numberOfSubnet(network, pool.subnetLength, cidr);
    return index !== null && index >= first && index <= last;
  });
}

/** Pools do not change, and are asked of each claim. */
const rowsOfPools = new WeakMap<Pool, readonly Row[]>();

function rowsOf(pool: Pool): readonly Row[] {
  let rows = rowsOfPools.get(pool);
  if (rows === undefined) rowsOfPools.set(pool, rows = freshRows(pool));
  return rows;
}

/** The first one, and each added network without its first subnet, which flannel leaves out as well. */
function freshRows({ cidr, subnetLength, subnetMin, subnetMax, added }: Pool): Row[] {
  const edge = (address: string) => {
    const index = numberOfSubnet(cidr, subnetLength, `${address}/${subnetLength}`);
    assert(index !== null, "a pool's edges are subnets of it");
    return index;
  };
  return [
    { network: cidr, first: edge(subnetMin), last: edge(subnetMax) },
    ...added.map((network): Row => ({
      network,
      first: 1,
      last: subnetsIn(network, subnetLength) - 1,
    })),
  ];
}

/** Checks a pinned subnet and gives it back canonical. Throws ConfigError. */
export function checkPin(pool: Pool, cidr: string, name = "--subnet"): string {
  const text = checkedSetting(name, () => canonicalCidr(cidr));
  if (prefixLengthOf(text) !== pool.subnetLength) {
    throw new ConfigError(
      name,
      `${text} has prefix length ${prefixLengthOf(text)}, but subnets here have ` +
        `${pool.subnetLength}`,
      `give a /${pool.subnetLength} of ${pool.cidr}`,
    );
  }
  if (!poolHasSubnet(pool, text)) {
    throw new ConfigError(
      name,
      `${text} is not a subnet of the pool`,
      `give one from ${pool.subnetMin}/${pool.subnetLength} to ${pool.subnetMax}/${pool.subnetLength}` +
        (pool.reserved.length === 0 ? "" : ` outside ${pool.reserved.join(", ")}`),
    );
  }
  return text;
}

/**
 * First 8 bytes of SHA-256 over what hosts are configured with, 16 hexadecimal digits: equal pools, equal digest. What
 * operators change later is told apart by its version.
 */
export function poolDigest(pool: Pool): string {
  const reserved = [...pool.reserved].sort();
  const parts = [pool.cidr, String(pool.subnetLength), pool.subnetMin, pool.subnetMax, ...reserved];
  if (pool.ipv6 !== undefined) parts.push(pool.ipv6.cidr, String(pool.ipv6.subnetLength));
  return sha256Hex(parts.join("\n")).slice(0, 16);
}

function checkSubnetCount(cidr: string, subnetLength: number, names: PoolSettingNames): void {
  const count = subnetsIn(cidr, subnetLength);
  if (familyOf(cidr) === 4 || count <= IPV6_SUBNETS_MAX) return;
  const bits = Math.log2(IPV6_SUBNETS_MAX);
  throw new ConfigError(
    names.network,
    `${cidr} has 2^${Math.log2(count)} subnets of /${subnetLength}, and a pool has at most ` +
      `${IPV6_SUBNETS_MAX}`,
    `give a network of /${subnetLength - bits} or smaller, or ${names.subnetLength} ` +
      `${prefixLengthOf(cidr) + bits} or less`,
  );
}

/** The number of the subnet that begins there. */
function subnetEdge(name: string, text: string, cidr: string, length: number): number {
  const address = checkedSetting(name, () => canonicalAddress(text));
  if (!cidrContains(cidr, address)) {
    throw new ConfigError(
      name,
      `${text} is not in the network ${cidr}`,
      "give the address of a subnet inside it",
    );
  }
  const subnet = cidrAround(address, length);
  const index = numberOfSubnet(cidr, length, subnet);
  if (addressOf(subnet) === address && index !== null) return index;
  throw new ConfigError(
    name,
    `${text} is not the first address of a /${length}`,
    `did you mean ${addressOf(subnet)}?`,
  );
}

function addressOf(cidr: string): string {
  return cidr.slice(0, cidr.indexOf("/"));
}
