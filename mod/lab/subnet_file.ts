/** Reads `subnet.env`, the file that tells a container runtime which addresses it may give out. */
import { assert } from "../base/assert.ts";
import { formatIpv6, isIpv6Text, parseIpv6 } from "../address/ipv6.ts";

export interface SubnetFile {
  /** `FLANNEL_NETWORK`, such as `10.244.0.0/16`. In a cluster of IPv6 alone this and what follows is of IPv6. */
  readonly network: string;
  /** Address of the host on its container bridge: `FLANNEL_SUBNET` without its length. */
  readonly gateway: string;
  /** Length of the subnet, 24 unless told otherwise. */
  readonly prefixLength: number;
  /** The subnet in CIDR form, such as `10.244.7.0/24`. */
  readonly subnet: string;
  /** The IPv6 half, where the file has both families. */
  readonly ipv6: Ipv6SubnetFile | null;
  readonly mtu: number;
  readonly ipMasq: boolean;
}

/** The same of `FLANNEL_IPV6_NETWORK` and `FLANNEL_IPV6_SUBNET`. */
export interface Ipv6SubnetFile {
  readonly network: string;
  readonly gateway: string;
  readonly prefixLength: number;
  readonly subnet: string;
}

/** Takes the file apart; throws with the missing key's name when it is not one. */
export function parseSubnetFile(text: string): SubnetFile {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const equals = line.indexOf("=");
    if (equals > 0) values.set(line.slice(0, equals), line.slice(equals + 1));
  }
  const value = (key: string) => {
    const found = values.get(key);
    if (found === undefined) throw new Error(`subnet.env has no ${key}: ${JSON.stringify(text)}`);
    return found;
  };
  const ipv6 = part(values.get("FLANNEL_IPV6_NETWORK"), values.get("FLANNEL_IPV6_SUBNET"));
  const isIpv6Alone = ipv6 !== null && !values.has("FLANNEL_SUBNET");
  const ipv4 = isIpv6Alone ? null : part(value("FLANNEL_NETWORK"), value("FLANNEL_SUBNET"));
  const main = ipv4 ?? ipv6;
  assert(main !== null, "a file has one family or the other");
  return {
    ...main,
    ipv6: isIpv6Alone ? null : ipv6,
    mtu: Number(value("FLANNEL_MTU")),
    ipMasq: value("FLANNEL_IPMASQ") === "true",
  };
}

function part(network?: string, subnet?: string): Ipv6SubnetFile | null {
  if (network === undefined || subnet === undefined) return null;
  const [gateway = "", length = ""] = subnet.split("/");
  return {
    network,
    gateway,
    prefixLength: Number(length),
    subnet: `${addToAddress(gateway, -1)}/${length}`,
  };
}

/** The address `offset` further on, which may be negative. */
export function addToAddress(address: string, offset: number): string {
  if (isIpv6Text(address)) return formatIpv6(parseIpv6(address) + BigInt(offset));
  const number = address.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0) + offset;
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}
