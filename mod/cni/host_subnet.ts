/** This host's subnet, from the subnet file of the agent (or of flannel): the plugin asks nobody else. */
import { formatAddress, maskOf } from "../address/network.ts";
import { formatIpv6, ipv6NetworkOf, parseIpv6 } from "../address/ipv6.ts";
import { AddressError, parseAddress } from "../address/parse.ts";
import { systemReasonOf } from "../base/errors.ts";
import { quoteStart } from "../base/quote.ts";
import { CniCode, CniError } from "./errors.ts";

/** The subnet of one family. */
export interface FamilySubnet {
  readonly family: 4 | 6;
  /** Canonical CIDR: `10.244.7.0/24`. */
  readonly network: string;
  readonly prefixLength: number;
  /** The bridge's address, the subnet's first. */
  readonly gateway: string;
  /** How many addresses it has, at most {@linkcode OFFSETS_MAX}. */
  readonly size: number;
  /** The address so many after the network's own. */
  readonly addressAt: (offset: number) => string;
  /** How many after the network's own an address is; null outside of the size, and for what is no address. */
  readonly offsetOf: (address: string) => number | null;
}

export interface HostSubnet {
  /** One or two: IPv4, IPv6. */
  readonly families: readonly FamilySubnet[];
  /** The overlay's networks of both families. */
  readonly networks: readonly string[];
  readonly mtu: number;
  readonly ipMasq: boolean;
}

/** Addresses of a subnet that are handed out: as many containers as no host has. */
export const OFFSETS_MAX = 65_536;

/** Reads the file. Throws CniError: code 11 while there is none or half of one, code 6 when it is not understood. */
export function readHostSubnet(path: string): HostSubnet {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new CniError(
        CniCode.tryAgainLater,
        `this host has no subnet yet: there is no ${path}`,
        "gossamer up writes it; gossamer status says what the agent waits for",
        error,
      );
    }
    const reason = systemReasonOf(error);
    throw new CniError(CniCode.ioFailure, `${path} cannot be read: ${reason}`, "", error);
  }
  return parseHostSubnet(text, path);
}

/** As {@linkcode readHostSubnet}, of its text. */
export function parseHostSubnet(text: string, path: string): HostSubnet {
  const values = new Map(
    [...text.matchAll(/^(FLANNEL_[A-Z0-9_]+)=(.*?)\s*$/gm)].map(([, key, value]) => [key, value]),
  );
  const value = (key: string) => values.get(key) ?? "";
  const missing = ["FLANNEL_NETWORK", "FLANNEL_SUBNET"].filter((key) =>
    value(key) === "" && value(key.replace("_", "_IPV6_")) === ""
  ).concat(["FLANNEL_MTU", "FLANNEL_IPMASQ"].filter((key) => value(key) === ""));
  if (missing.length > 0) {
    throw new CniError(
      CniCode.tryAgainLater,
      `${path} has no ${missing.join(", ")}`,
      "gossamer up writes it as a whole",
    );
  }
  try {
    const mtu = value("FLANNEL_MTU");
    if (!/^[1-9]\d{1,4}$/.test(mtu)) throw new AddressError(`FLANNEL_MTU=${mtu} is no MTU`);
    const families = [value("FLANNEL_SUBNET"), value("FLANNEL_IPV6_SUBNET")]
      .filter((cidr) => cidr !== "").map(familySubnet);
    const networks = [value("FLANNEL_NETWORK"), value("FLANNEL_IPV6_NETWORK")]
      .flatMap((list) => list.split(",")).filter((cidr) => cidr !== "")
      .map((cidr) => familySubnet(cidr).network);
    return {
      families,
      networks: [...new Set(networks)],
      mtu: Number(mtu),
      ipMasq: value("FLANNEL_IPMASQ") === "true",
    };
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    throw new CniError(
      CniCode.undecodable,
      `${path} is not understood: ${error.message}`,
      "let gossamer up write the file again: remove it and restart the agent",
    );
  }
}

/** Of a CIDR with or without host bits. Throws AddressError. */
export function familySubnet(cidr: string): FamilySubnet {
  const [address = "", digits = "", more] = cidr.split("/");
  const family = address.includes(":") ? 6 : 4;
  const bits = family === 6 ? 128 : 32;
  const prefixLength = Number(digits);
  if (!/^\d{1,3}$/.test(digits) || prefixLength > bits || more !== undefined) {
    throw new AddressError(`${quoteStart(cidr, 60)} is not ADDRESS/LENGTH`);
  }
  const size = Math.min(2 ** (bits - prefixLength), OFFSETS_MAX);
  if (family === 6) {
    const base = ipv6NetworkOf(parseIpv6(address), prefixLength).address;
    const addressAt = (offset: number) => formatIpv6(base + BigInt(offset));
    const network = `${formatIpv6(base)}/${prefixLength}`;
    const offsetOf = (text: string) => offsetWithin(size, () => Number(parseIpv6(text) - base));
    return { family, network, prefixLength, gateway: addressAt(1), size, addressAt, offsetOf };
  }
  const base = (parseAddress(address) & maskOf(prefixLength)) >>> 0;
  const addressAt = (offset: number) => formatAddress(base + offset);
  const network = `${formatAddress(base)}/${prefixLength}`;
  const offsetOf = (text: string) => offsetWithin(size, () => parseAddress(text) - base);
  return { family, network, prefixLength, gateway: addressAt(1), size, addressAt, offsetOf };
}

function offsetWithin(size: number, offsetOf: () => number): number | null {
  try {
    const offset = offsetOf();
    return offset >= 0 && offset < size ? offset : null;
  } catch (error) {
    if (error instanceof AddressError) return null;
    throw error;
  }
}
