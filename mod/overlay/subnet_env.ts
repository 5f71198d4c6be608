/**
 * `subnet.env`: how flannel tells Docker, its CNI plugin and others which subnet a host owns. Written byte for byte as
 * flannel writes it, read as tolerantly as flannel reads it.
 */
import { addressBits, cidrAround, type Family, familyOf } from "../address/cidr.ts";
import { isIpv6Text } from "../address/ipv6.ts";
import { firstAddressOf } from "../address/network.ts";
import { AddressError } from "../address/parse.ts";

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
  readonly ipv6Subnet: string | null;
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
    networks: networksIn(values.get("FLANNEL_NETWORK") ?? "", 4),
    ipv6Networks: networksIn(values.get("FLANNEL_IPV6_NETWORK") ?? "", 6),
    subnet: networkIn(values.get("FLANNEL_SUBNET") ?? "", 4),
    ipv6Subnet: networkIn(values.get("FLANNEL_IPV6_SUBNET") ?? "", 6),
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

function networksIn(list: string, family: Family): string[] {
  return list.split(",").map((text) => networkIn(text, family)).filter((one) => one !== null);
}

/** The network of that family that a CIDR, with or without host bits, lies in; null when it is not one. */
function networkIn(text: string, family: Family): string | null {
  const [address = "", length = "", ...rest] = text.split("/");
  const isLength = /^(0|[1-9]\d{0,2})$/.test(length) && Number(length) <= addressBits(family);
  if (!isLength || rest.length > 0 || familyOf(address) !== family) return null;
  try {
    return cidrAround(address, Number(length));
  } catch (error) {
    if (error instanceof AddressError) return null;
    throw error;
  }
}
