/**
 * What holds for a pool's network by its family, with flannel's bounds (its pkg/subnet/config.go): a subnet has at least
 * four addresses, a network at least four subnets.
 */
import { ConfigError } from "../base/errors.ts";
import { canonicalCidr, type Family, familyOf, prefixLengthOf } from "./cidr.ts";
import { parseIpv6Network, unroutableIpv6 } from "./ipv6.ts";
import { formatNetwork, overlaps } from "./network.ts";
import { AddressError, parseNetwork } from "./parse.ts";

interface FamilyRules {
  /** A subnet of four addresses; below that there is no room for a device, a bridge and a container. */
  readonly subnetLengthMax: number;
  readonly subnetLengthDefault: number;
  readonly example: string;
}

const RULES: Readonly<Record<Family, FamilyRules>> = {
  4: { subnetLengthMax: 30, subnetLengthDefault: 24, example: "10.244.0.0/16" },
  6: { subnetLengthMax: 126, subnetLengthDefault: 64, example: "fd00:244::/56" },
};

/** A pool has at least 2^2 subnets. */
const POOL_BITS_MIN = 2;

/** Networks that no host can route: "this network", loopback, multicast (RFC 6890, RFC 5771). */
const UNROUTABLE = ["0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4"].map(parseNetwork);

/** Of a subnet. */
export function subnetLengthMax(family: Family): number {
  return RULES[family].subnetLengthMax;
}

/** The range that the canonical network overlaps and that hosts do not route, null when there is none. */
export function unroutableRange(cidr: string): string | null {
  if (familyOf(cidr) === 6) return unroutableIpv6(parseIpv6Network(cidr));
  const range = UNROUTABLE.find((one) => overlaps(one, parseNetwork(cidr)));
  return range === undefined ? null : formatNetwork(range);
}

/** The pool's network, canonical. Throws ConfigError that names the setting. */
export function checkedPoolNetwork(name: string, text: string): string {
  const cidr = checkedSetting(name, () => canonicalCidr(text));
  const { subnetLengthMax, example } = RULES[familyOf(cidr)];
  const lengthMax = subnetLengthMax - POOL_BITS_MIN;
  if (prefixLengthOf(cidr) > lengthMax) {
    throw new ConfigError(
      name,
      `${cidr} is too small for four subnets of at least four addresses`,
      `give a network of prefix length ${lengthMax} or less`,
    );
  }
  const unroutable = unroutableRange(cidr);
  if (unroutable === null) return cidr;
  throw new ConfigError(
    name,
    `${cidr} overlaps ${unroutable}, which hosts do not route`,
    `give a private network such as ${example}`,
  );
}

/** Prefix length of each host's subnet, by flannel's default when it is not given. Throws ConfigError. */
export function checkedSubnetLength(
  cidr: string,
  given: number | undefined,
  names: { readonly network: string; readonly subnetLength: string },
): number {
  const { subnetLengthMax, subnetLengthDefault } = RULES[familyOf(cidr)];
  const min = prefixLengthOf(cidr) + POOL_BITS_MIN;
  const length = given ?? Math.max(subnetLengthDefault, min);
  if (Number.isInteger(length) && length >= min && length <= subnetLengthMax) return length;
  throw new ConfigError(
    names.subnetLength,
    `${length} does not fit ${names.network} ${cidr}`,
    `give a number from ${min} (four subnets) to ${subnetLengthMax}`,
  );
}

/** What the reader of a text returns. Throws ConfigError that names the setting where that throws AddressError. */
export function checkedSetting<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof AddressError) throw new ConfigError(name, error.message);
    throw error;
  }
}
