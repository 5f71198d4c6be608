/**
 * The IPv6 half of a dual-stack pool: subnet i of `--network` comes with subnet i of `--ipv6-network`. One claim gives a
 * host both, so that none ever has one without the other, and IPv6 needs no protocol of its own.
 *
 * Networks that operators added to the pool go on with the number after the last of those before.
 */
import { ConfigError } from "../base/errors.ts";
import { familyOf, numberOfSubnet, prefixLengthOf, subnetNumber, subnetsIn } from "./cidr.ts";
import { parseIpv6Network } from "./ipv6.ts";
import {
  checkedPoolNetwork,
  checkedSetting,
  checkedSubnetLength,
  subnetLengthMax,
} from "./pool_family.ts";

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

/** Fills in the defaults and checks everything. Throws ConfigError that names setting, value and remedy. */
export function makeIpv6Pool(
  half: Ipv4Half,
  settings: Ipv6Settings,
  names: Ipv6SettingNames = FLAG_NAMES,
): Ipv6Pool {
  checkedSetting(names.network, () => parseIpv6Network(settings.network));
  if (familyOf(half.cidr) === 6) {
    throw new ConfigError(
      names.network,
      `it goes with an IPv4 network, and ${names.ipv4Network} ${half.cidr} is one of IPv6 already`,
      `leave it out for a cluster of IPv6 alone; for dual stack give ${names.ipv4Network} an IPv4 network`,
    );
  }
  const cidr = checkedPoolNetwork(names.network, settings.network);
  const subnetLength = checkedSubnetLength(cidr, settings.subnetLength, names);
  const pool = { cidr, subnetLength };
  const needed = slotsOf(half);
  if (hasRoom(pool, needed)) return pool;
  const bits = Math.ceil(Math.log2(needed));
  throw new ConfigError(
    names.network,
    `${cidr} has ${subnetsIn(cidr, subnetLength)} subnets of /${subnetLength}, and ` +
      `${names.ipv4Network} ${half.cidr} has ${needed} of /${half.subnetLength}: each needs one`,
    `give a network of /${subnetLength - bits} or more, or ${names.subnetLength} ` +
      `${Math.min(prefixLengthOf(cidr) + bits, subnetLengthMax(6))}`,
  );
}

/**
 * The IPv6 subnet that comes with an IPv4 subnet of the pool, canonical; null when that is none of the pool's, or the IPv6
 * network has no room for it.
 */
export function ipv6SubnetOf(half: Ipv4Half, pool: Ipv6Pool, subnet: string): string | null {
  const index = indexOf(half, subnet);
  if (index === null || !hasRoom(pool, index + 1)) return null;
  return subnetNumber(pool.cidr, pool.subnetLength, index);
}

/** How many IPv4 subnets there are places for, those that nobody may claim counted as well. */
export function slotsOf({ cidr, added, subnetLength }: Ipv4Half): number {
  return [cidr, ...added].reduce((sum, network) => sum + subnetsIn(network, subnetLength), 0);
}

/** Whether the IPv6 network has that many subnets. */
export function hasRoom({ cidr, subnetLength }: Ipv6Pool, subnets: number): boolean {
  return subnets <= subnetsIn(cidr, subnetLength);
}

/** The place of a subnet in the pool, counted from 0. */
function indexOf({ cidr, added, subnetLength }: Ipv4Half, subnet: string): number | null {
  let before = 0;
  for (const network of [cidr, ...added]) {
    const index = numberOfSubnet(network, subnetLength, subnet);
    if (index !== null) return before + index;
    before += subnetsIn(network, subnetLength);
  }
  return null;
}
