/**
 * The pool: the network that subnets are taken from and how it is cut up, with flannel's defaults and
 * checks (its pkg/subnet/config.go), and one more: the smallest subnet may not lie above the largest.
 */
import { ConfigError } from "../base/errors.ts";
import { sha256Hex } from "../base/hash.ts";
import { type Ipv6Pool, ipv6SubnetOf } from "./dual_stack.ts";
import {
  addressCount,
  containsAddress,
  containsNetwork,
  formatAddress,
  formatNetwork,
  type Network,
  networkOf,
  overlaps,
} from "./network.ts";
import { AddressError, parseAddress, parseNetwork } from "./parse.ts";

/** The same on every host of a cluster; all texts canonical. */
export interface Pool {
  /** `10.244.0.0/16`. */
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

/** A /30 has four addresses; below that a subnet has no room for a device, a bridge and a container. */
const SUBNET_LENGTH_MAX = 30;
/** A pool has at least 2^2 subnets. */
const POOL_BITS_MIN = 2;
const SUBNET_LENGTH_DEFAULT = 24;
const NETWORK_LENGTH_MAX = SUBNET_LENGTH_MAX - POOL_BITS_MIN;
/** Networks that no host can route: "this network", loopback, multicast (RFC 6890, RFC 5771). */
export const UNROUTABLE = ["0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4"].map(parseNetwork);

/** Fills in the defaults and checks everything. Throws ConfigError that names setting, value and remedy. */
export function makePool(settings: PoolSettings, names: PoolSettingNames = FLAG_NAMES): Pool {
  const network = checked(names.network, () => parseNetwork(settings.network));
  checkNetwork(network, names);
  const subnetLength = settings.subnetLength ?? defaultSubnetLength(network.length);
  checkSubnetLength(network, subnetLength, names);
  const size = addressCount(subnetLength);
  const min = settings.subnetMin === undefined
    ? network.address + size // the first subnet is left out, as flannel does
    : subnetEdge(names.subnetMin, settings.subnetMin, network, subnetLength);
  const max = settings.subnetMax === undefined
    ? network.address + addressCount(network.length) - size
    : subnetEdge(names.subnetMax, settings.subnetMax, network, subnetLength);
  if (min > max) {
    throw new ConfigError(
      names.subnetMin,
      `${formatAddress(min)} lies above ${names.subnetMax} ${formatAddress(max)}`,
      `exchange the two, or leave out ${names.subnetMin}`,
    );
  }
  return {
    cidr: formatNetwork(network),
    subnetLength,
    subnetMin: formatAddress(min),
    subnetMax: formatAddress(max),
    version: 1,
    reserved: (settings.reserved ?? []).map((cidr) =>
      formatNetwork(checked("reserved", () => parseNetwork(cidr)))
    ),
    added: [],
  };
}

/** Subnets of one length side by side: the addresses of the first and of the last one. */
interface Row {
  readonly min: number;
  readonly max: number;
}

/** How many subnets there are, reserved ones counted as well. */
export function subnetCount(pool: Pool): number {
  const size = addressCount(pool.subnetLength);
  return rowsOf(pool).reduce((sum, { min, max }) => sum + (max - min) / size + 1, 0);
}

/** Every subnet that may be claimed, in ascending order of each network, reserved ones left out. */
export function subnetsOf(pool: Pool): string[] {
  const reserved = pool.reserved.map(parseNetwork);
  const subnets: string[] = [];
  const size = addressCount(pool.subnetLength);
  for (const { min, max } of rowsOf(pool)) {
    for (let address = min; address <= max; address += size) {
      const subnet = { address, length: pool.subnetLength };
      if (!reserved.some((network) => overlaps(network, subnet))) {
        subnets.push(formatNetwork(subnet));
      }
    }
  }
  return subnets;
}

/** Whether the canonical CIDR is one of {@linkcode subnetsOf}. */
export function poolHasSubnet(pool: Pool, cidr: string): boolean {
  const subnet = parseNetwork(cidr);
  return isInPool(pool, cidr) &&
    !pool.reserved.some((network) => overlaps(parseNetwork(network), subnet));
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
  const { address, length } = parseNetwork(cidr);
  return length === pool.subnetLength &&
    rowsOf(pool).some(({ min, max }) => address >= min && address <= max);
}

/** The first one, and each added network without its first subnet, which flannel leaves out as well. */
function rowsOf(pool: Pool): Row[] {
  const size = addressCount(pool.subnetLength);
  const added = pool.added.map((cidr): Row => {
    const { address, length } = parseNetwork(cidr);
    return { min: address + size, max: address + addressCount(length) - size };
  });
  return [{ min: parseAddress(pool.subnetMin), max: parseAddress(pool.subnetMax) }, ...added];
}

/** Checks a pinned subnet and gives it back canonical. Throws ConfigError. */
export function checkPin(pool: Pool, cidr: string, name = "--subnet"): string {
  const subnet = checked(name, () => parseNetwork(cidr));
  const text = formatNetwork(subnet);
  if (subnet.length !== pool.subnetLength) {
    throw new ConfigError(
      name,
      `${text} has prefix length ${subnet.length}, but subnets here have ${pool.subnetLength}`,
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

function defaultSubnetLength(networkLength: number): number {
  return networkLength <= SUBNET_LENGTH_DEFAULT - POOL_BITS_MIN
    ? SUBNET_LENGTH_DEFAULT
    : networkLength + POOL_BITS_MIN;
}

function checkNetwork(network: Network, names: PoolSettingNames): void {
  if (network.length > NETWORK_LENGTH_MAX) {
    throw new ConfigError(
      names.network,
      `${formatNetwork(network)} is too small for four subnets of at least four addresses`,
      `give a network of prefix length ${NETWORK_LENGTH_MAX} or less`,
    );
  }
  const unroutable = UNROUTABLE.find((range) => overlaps(range, network));
  if (unroutable !== undefined) {
    throw new ConfigError(
      names.network,
      `${formatNetwork(network)} overlaps ${formatNetwork(unroutable)}, which hosts do not route`,
      "give a private network such as 10.244.0.0/16",
    );
  }
}

function checkSubnetLength(network: Network, length: number, names: PoolSettingNames): void {
  const min = network.length + POOL_BITS_MIN;
  if (Number.isInteger(length) && length >= min && length <= SUBNET_LENGTH_MAX) return;
  throw new ConfigError(
    names.subnetLength,
    `${length} does not fit ${names.network} ${formatNetwork(network)}`,
    `give a number from ${min} (four subnets) to ${SUBNET_LENGTH_MAX}`,
  );
}

function subnetEdge(name: string, text: string, network: Network, length: number): number {
  const address = checked(name, () => parseAddress(text));
  if (!containsAddress(network, address)) {
    throw new ConfigError(
      name,
      `${text} is not in the network ${formatNetwork(network)}`,
      "give the address of a subnet inside it",
    );
  }
  const subnet = networkOf(address, length);
  if (subnet.address !== address || !containsNetwork(network, subnet)) {
    throw new ConfigError(
      name,
      `${text} is not the first address of a /${length}`,
      `did you mean ${formatAddress(subnet.address)}?`,
    );
  }
  return address;
}

function checked<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof AddressError) throw new ConfigError(name, error.message);
    throw error;
  }
}
