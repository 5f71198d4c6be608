/** Reads `subnet.env`, the file that tells a container runtime which addresses it may give out. */

export interface SubnetFile {
  /** `FLANNEL_NETWORK`, such as `10.244.0.0/16`. */
  readonly network: string;
  /** Address of the host on its container bridge: `FLANNEL_SUBNET` without its length. */
  readonly gateway: string;
  /** Length of the subnet, 24 unless told otherwise. */
  readonly prefixLength: number;
  /** The subnet in CIDR form, such as `10.244.7.0/24`. */
  readonly subnet: string;
  readonly mtu: number;
  readonly ipMasq: boolean;
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
  const [gateway = "", length = ""] = value("FLANNEL_SUBNET").split("/");
  return {
    network: value("FLANNEL_NETWORK"),
    gateway,
    prefixLength: Number(length),
    subnet: `${addToAddress(gateway, -1)}/${length}`,
    mtu: Number(value("FLANNEL_MTU")),
    ipMasq: value("FLANNEL_IPMASQ") === "true",
  };
}

/** The IPv4 address `offset` further on, which may be negative. */
export function addToAddress(address: string, offset: number): string {
  const number = address.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0) + offset;
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
}
