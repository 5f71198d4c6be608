/**
 * This host's subnet as container engines need it, from the text of `subnet.env`. Unlike flannel's readers it takes nothing that is
 * not understood: what engines are told is hard to take back.
 */
import { formatIpv6, formatIpv6Network, ipv6NetworkOf, parseIpv6 } from "../address/ipv6.ts";
import { formatNetwork, networkOf } from "../address/network.ts";
import { AddressError, parseAddress } from "../address/parse.ts";
import { systemReasonOf, UserError } from "../base/errors.ts";
import { subnetEnvValues } from "../overlay/subnet_env.ts";

/** Of one family. */
export interface BridgeNetwork {
  /** `10.244.7.0/24`. */
  readonly subnet: string;
  /** The bridge's address in it, `10.244.7.1`. */
  readonly gateway: string;
  readonly length: number;
}

export interface ContainerSubnet {
  /** At least one of the two is there. */
  readonly ipv4: BridgeNetwork | null;
  readonly ipv6: BridgeNetwork | null;
  /** In bytes; null where the file does not say. */
  readonly mtu: number | null;
  /** Whether the agent masquerades, so that engines must not; null where the file does not say. */
  readonly ipMasq: boolean | null;
}

/** The file's text. Throws UserError when there is none. */
export function readSubnetText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new UserError(`there is no ${path}: this host has no subnet yet`, {
        remedy: "gossamer up writes it; gossamer status says what the agent waits for",
      });
    }
    throw new UserError(`${path} cannot be read: ${systemReasonOf(error)}`, { cause: error });
  }
}

/** Throws UserError, naming the file, where it has no subnet or something that is not understood. */
export function containerSubnet(text: string, path: string): ContainerSubnet {
  const values = subnetEnvValues(text);
  const read = <T>(key: string, parse: (value: string) => T | null): T | null => {
    const value = values.get(key);
    if (value === undefined) return null;
    const parsed = parse(value);
    if (parsed !== null) return parsed;
    throw new UserError(`${path}: ${key} is ${JSON.stringify(value)}, which is not understood`, {
      remedy: "let gossamer up write the file again: remove it and restart the agent",
    });
  };
  const ipv4 = read("FLANNEL_SUBNET", ipv4Bridge);
  const ipv6 = read("FLANNEL_IPV6_SUBNET", ipv6Bridge);
  if (ipv4 === null && ipv6 === null) {
    throw new UserError(`${path} has no FLANNEL_SUBNET`, {
      remedy: "gossamer up writes it once this host has its subnet; gossamer status says more",
    });
  }
  return { ipv4, ipv6, mtu: read("FLANNEL_MTU", mtuOf), ipMasq: read("FLANNEL_IPMASQ", truthOf) };
}

function ipv4Bridge(text: string): BridgeNetwork | null {
  const match = /^([\d.]+)\/(\d|[12]\d|3[0-2])$/.exec(text);
  const [, gateway = "", length = ""] = match ?? [];
  const address = understood(() => parseAddress(gateway));
  if (match === null || address === null) return null;
  const subnet = formatNetwork(networkOf(address, Number(length)));
  return { subnet, gateway, length: Number(length) };
}

function ipv6Bridge(text: string): BridgeNetwork | null {
  const match = /^([0-9a-f:]+)\/(\d|[1-9]\d|1[01]\d|12[0-8])$/i.exec(text);
  const [, gateway = "", length = ""] = match ?? [];
  const address = understood(() => parseIpv6(gateway));
  if (match === null || address === null) return null;
  const subnet = formatIpv6Network(ipv6NetworkOf(address, Number(length)));
  return { subnet, gateway: formatIpv6(address), length: Number(length) };
}

function understood<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    if (error instanceof AddressError) return null;
    throw error;
  }
}

function mtuOf(text: string): number | null {
  return /^[1-9]\d{0,4}$/.test(text) ? Number(text) : null;
}

function truthOf(text: string): boolean | null {
  return text === "true" ? true : text === "false" ? false : null;
}
