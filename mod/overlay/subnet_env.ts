/**
 * `subnet.env`: how flannel tells Docker, its CNI plugin and others which subnet a host owns. Written byte for byte as
 * flannel writes it, read as tolerantly as flannel reads it.
 */
import {
  formatIpv6Network,
  ipv6NetworkOf,
  isIpv6Text,
  parseIpv6,
  parseIpv6Network,
} from "../address/ipv6.ts";
import { firstAddressOf, formatNetwork, networkOf } from "../address/network.ts";
import { AddressError, parseAddress } from "../address/parse.ts";

export interface SubnetEnv {
  /** The overlay's networks, canonical CIDRs: one as a rule; with several, flannel writes a list with commas. */
  readonly networks: readonly string[];
  /** This host's subnet, canonical CIDR: `10.244.7.0/24`. In a cluster of IPv6 alone both are IPv6. */
  readonly subnet: string;
  /** With dual stack: the IPv6 network and this host's subnet of it. */
  readonly ipv6?: { readonly network: string; readonly subnet: string };
  /** Of the overlay, in bytes; the smaller one with dual stack, for a bridge has but one. */
  readonly mtu: number;
  /** Whether the agent masquerades; Docker and CNI then must not. */
  readonly ipMasq: boolean;
}

/** The file's text. FLANNEL_SUBNET carries the subnet's first host address, for the bridge. */
export function subnetEnvText(env: SubnetEnv): string {
  const { ipv6 } = env;
  return subnetLines(env.networks, env.subnet) +
    (ipv6 === undefined ? "" : subnetLines([ipv6.network], ipv6.subnet)) +
    `FLANNEL_MTU=${env.mtu}\n` +
    `FLANNEL_IPMASQ=${env.ipMasq}\n`;
}

/** What an existing file says; null, or an empty list, for whatever is missing or not understood. */
export interface SubnetEnvRead {
  /** Those of the list that are networks; the one that hosts are configured with comes first. */
  readonly networks: readonly string[];
  /** The same of IPv6: one with dual stack, the pool's in a cluster of IPv6 alone. */
  readonly ipv6Networks: readonly string[];
  /** With host bits cleared, ready to be asked for again: `10.244.7.0/24`. */
  readonly subnet: string | null;
  readonly mtu: number | null;
  readonly ipMasq: boolean | null;
}

/**
 * The `FLANNEL_` lines of any file of `KEY=value` lines: unknown keys, comments, quotes, `export` and Windows line ends
 * are tolerated; the last line of a key counts.
 */
export function subnetEnvValues(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^\s*(?:export\s+)?(FLANNEL_[A-Z0-9_]+)=(.*)$/.exec(line.trimEnd());
    if (match === null) continue;
    const [, key = "", value = ""] = match;
    values.set(key, value.trim().replace(/^(["'])(.*)\1$/, "$2"));
  }
  return values;
}

/** What the file says. A list of several subnets counts as none, as with flannel. */
export function readSubnetEnv(text: string): SubnetEnvRead {
  const values = subnetEnvValues(text);
  const mtu = values.get("FLANNEL_MTU") ?? "";
  const ipMasq = values.get("FLANNEL_IPMASQ");
  return {
    networks: (values.get("FLANNEL_NETWORK") ?? "").split(",").map(canonicalCidr)
      .filter((network) => network !== null),
    ipv6Networks: (values.get("FLANNEL_IPV6_NETWORK") ?? "").split(",").map(canonicalIpv6)
      .filter((network) => network !== null),
    subnet: canonicalCidr(values.get("FLANNEL_SUBNET") ?? ""),
    mtu: /^[1-9]\d{0,4}$/.test(mtu) ? Number(mtu) : null,
    ipMasq: ipMasq === "true" ? true : ipMasq === "false" ? false : null,
  };
}

/** Each family has names of its own. */
function subnetLines(networks: readonly string[], subnet: string): string {
  const prefix = isIpv6Text(subnet) ? "FLANNEL_IPV6" : "FLANNEL";
  return `${prefix}_NETWORK=${networks.join(",")}\n` +
    `${prefix}_SUBNET=${firstAddressOf(subnet)}/${prefixLength(subnet)}\n`;
}

function prefixLength(cidr: string): string {
  return cidr.slice(cidr.indexOf("/") + 1);
}

/** As `subnet` of what {@linkcode readSubnetEnv} reads, of IPv6; null when there is none. */
export function readIpv6Subnet(text: string): string | null {
  const value = subnetEnvValues(text).get("FLANNEL_IPV6_SUBNET") ?? "";
  const [, address = "", length = ""] =
    /^([0-9a-f:]+)\/(\d|[1-9]\d|1[01]\d|12[0-8])$/i.exec(value) ?? [];
  try {
    return length === ""
      ? null
      : formatIpv6Network(ipv6NetworkOf(parseIpv6(address), Number(length)));
  } catch (error) {
    if (error instanceof AddressError) return null;
    throw error;
  }
}

/** The network as we write it; null when it is not one. */
function canonicalIpv6(text: string): string | null {
  try {
    return formatIpv6Network(parseIpv6Network(text));
  } catch (error) {
    if (error instanceof AddressError) return null;
    throw error;
  }
}

/** The network that a CIDR, with or without host bits, lies in; null when it is not one. */
function canonicalCidr(text: string): string | null {
  const match = /^([\d.]+)\/(\d|[12]\d|3[0-2])$/.exec(text);
  if (match === null) return null;
  try {
    return formatNetwork(networkOf(parseAddress(match[1] ?? ""), Number(match[2])));
  } catch (error) {
    if (error instanceof AddressError) return null;
    throw error;
  }
}
