/**
 * The IPv6 half of a dual-stack pool: subnet i of `--network` comes with subnet i of `--ipv6-network`. One claim gives a
 * host both, so that none ever has one without the other, and IPv6 needs no protocol of its own.
 *
 * Networks that operators added to the pool go on with the number after the last of those before.
 */
import { ConfigError } from "../base/errors.ts";
import { formatIpv6Network, type Ipv6Network, parseIpv6Network, unroutableIpv6 } from "./ipv6.ts";
import { containsNetwork } from "./network.ts";
import { AddressError, parseNetwork } from "./parse.ts";

/** The same on every host of a cluster. */
export interface Ipv6Pool {
  /** Canonical CIDR: `fd00:244::/56`. */
  readonly cidr: string;
  /** Prefix length of each host's subnet. */
  readonly subnetLength: number;
}

/** What an operator says of it. */
export interface Ipv6Settings {
  readonly network: string;
  readonly subnetLength?: number | undefined;
}

/** Where the settings came from, for messages. */
export interface Ipv6SettingNames {
  readonly network: string;
  readonly subnetLength: string;
  readonly ipv4Network: string;
}

/** The IPv4 half; Pool has these fields. */
export interface Ipv4Half {
  readonly cidr: string;
  readonly subnetLength: number;
  readonly added: readonly string[];
}

const FLAG_NAMES: Ipv6SettingNames = {
  network: "--ipv6-network",
  subnetLength: "--ipv6-subnet-len",
  ipv4Network: "--network",
};

/** Flannel's bounds: a /126 has four addresses, a pool four subnets, and hosts get a /64 where there is room. */
const SUBNET_LENGTH_MAX = 126;
const SUBNET_LENGTH_DEFAULT = 64;
const POOL_BITS_MIN = 2;
const NETWORK_LENGTH_MAX = SUBNET_LENGTH_MAX - POOL_BITS_MIN;

/** Fills in the defaults and checks everything. Throws ConfigError that names setting, value and remedy. */
export function makeIpv6Pool(
  half: Ipv4Half,
  settings: Ipv6Settings,
  names: Ipv6SettingNames = FLAG_NAMES,
): Ipv6Pool {
  const network = checkedNetwork(settings.network, names);
  const text = formatIpv6Network(network);
  const subnetLength = settings.subnetLength ??
    Math.max(SUBNET_LENGTH_DEFAULT, network.length + POOL_BITS_MIN);
  const min = network.length + POOL_BITS_MIN;
  if (!Number.isInteger(subnetLength) || subnetLength < min || subnetLength > SUBNET_LENGTH_MAX) {
    throw new ConfigError(
      names.subnetLength,
      `${subnetLength} does not fit ${names.network} ${text}`,
      `give a number from ${min} (four subnets) to ${SUBNET_LENGTH_MAX}`,
    );
  }
  const pool = { cidr: text, subnetLength };
  const needed = slotsOf(half);
  if (hasRoom(pool, needed)) return pool;
  const bits = Math.ceil(Math.log2(needed));
  throw new ConfigError(
    names.network,
    `${text} has ${2 ** (subnetLength - network.length)} subnets of /${subnetLength}, and ` +
      `${names.ipv4Network} ${half.cidr} has ${needed} of /${half.subnetLength}: each needs one`,
    `give a network of /${subnetLength - bits} or more, or ${names.subnetLength} ` +
      `${Math.min(network.length + bits, SUBNET_LENGTH_MAX)}`,
  );
}

/**
 * The IPv6 subnet that comes with an IPv4 subnet of the pool, canonical; null when that is none of the pool's, or the IPv6
 * network has no room for it.
 */
export function ipv6SubnetOf(half: Ipv4Half, pool: Ipv6Pool, subnet: string): string | null {
  const index = indexOf(half, subnet);
  if (index === null || !hasRoom(pool, index + 1)) return null;
  const { address } = parseIpv6Network(pool.cidr);
  const size = 1n << BigInt(128 - pool.subnetLength);
  return formatIpv6Network({
    address: address + BigInt(index) * size,
    length: pool.subnetLength,
  });
}

/** How many IPv4 subnets there are places for, those that nobody may claim counted as well. */
export function slotsOf({ cidr, added, subnetLength }: Ipv4Half): number {
  return [cidr, ...added].reduce((sum, network) => sum + slotsIn(network, subnetLength), 0);
}

/** Whether the IPv6 network has that many subnets. */
export function hasRoom({ cidr, subnetLength }: Ipv6Pool, subnets: number): boolean {
  return subnets <= 2 ** (subnetLength - parseIpv6Network(cidr).length);
}

/** The place of a subnet in the pool, counted from 0. */
function indexOf({ cidr, added, subnetLength }: Ipv4Half, text: string): number | null {
  const subnet = parseNetwork(text);
  if (subnet.length !== subnetLength) return null;
  let before = 0;
  for (const network of [cidr, ...added]) {
    const outer = parseNetwork(network);
    if (containsNetwork(outer, subnet)) {
      return before + (subnet.address - outer.address) / 2 ** (32 - subnetLength);
    }
    before += slotsIn(network, subnetLength);
  }
  return null;
}

function slotsIn(network: string, subnetLength: number): number {
  return 2 ** (subnetLength - parseNetwork(network).length);
}

function checkedNetwork(text: string, names: Ipv6SettingNames): Ipv6Network {
  let network: Ipv6Network;
  try {
    network = parseIpv6Network(text);
  } catch (error) {
    if (error instanceof AddressError) throw new ConfigError(names.network, error.message);
    throw error;
  }
  if (network.length > NETWORK_LENGTH_MAX) {
    throw new ConfigError(
      names.network,
      `${formatIpv6Network(network)} is too small for four subnets of at least four addresses`,
      `give a network of prefix length ${NETWORK_LENGTH_MAX} or less`,
    );
  }
  const unroutable = unroutableIpv6(network);
  if (unroutable !== null) {
    throw new ConfigError(
      names.network,
      `${formatIpv6Network(network)} overlaps ${unroutable}, which hosts do not route`,
      "give a private network such as fd00:244::/56",
    );
  }
  return network;
}
