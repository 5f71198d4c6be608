/**
 * `--adopt-flannel`: what a host that ran flannel brings along. Its subnet, which is asked for as with `--subnet` on the first
 * start, and its device, whose MAC the other hosts of flannel know: as long as it stays, their packets arrive.
 */
import { checkPin, poolFamily } from "../address/pool.ts";
import { ConfigError, systemReasonOf } from "../base/errors.ts";
import { isVxlanLink, type Kernel } from "../base/kernel_objects.ts";
import { DEVICE_ALIAS } from "../base/limits.ts";
import { readSubnetFile } from "../host/subnet_file.ts";
import { isUnicastMac } from "../overlay/ownership.ts";
import { readSubnetEnv } from "../overlay/subnet_env.ts";
import { deviceName } from "../overlay/vxlan.ts";
import type { AgentConfig } from "./config.ts";

const FLAG = "--adopt-flannel";

/** What is taken over; null for what there is nothing of. */
export interface Adopted {
  readonly pin: string | null;
  readonly mac: string | null;
}

/**
 * @param hasClaim whether this host has had a subnet as a host of gossamer: then that one counts, and not flannel's file.
 * Throws ConfigError where flannel's subnet cannot be kept, naming what to change.
 */
export function adopt(
  config: Pick<AgentConfig, "pin" | "pool" | "subnetFile" | "vni">,
  kernel: Pick<Kernel, "dump">,
  hasClaim: boolean,
): Adopted {
  return {
    pin: hasClaim ? config.pin : config.pin ?? pinOf(config),
    mac: macOf(kernel, config.vni, poolFamily(config.pool)),
  };
}

function pinOf({ pool, subnetFile }: Pick<AgentConfig, "pool" | "subnetFile">): string | null {
  const text = textOf(subnetFile);
  if (text === null) return null;
  const file = readSubnetEnv(text);
  const isIpv4 = poolFamily(pool) === 4;
  const subnet = isIpv4 ? file.subnet : file.ipv6Subnet;
  const [network] = isIpv4 ? file.networks : file.ipv6Networks;
  if (network !== undefined && network !== pool.cidr) {
    throw new ConfigError(
      FLAG,
      `${subnetFile} says that flannel's network is ${network}, and --network is ${pool.cidr}`,
      `give --network ${network} on all hosts`,
    );
  }
  if (subnet === null) {
    throw new ConfigError(
      FLAG,
      `${subnetFile} has no ${
        isIpv4 ? "FLANNEL_SUBNET" : "FLANNEL_IPV6_SUBNET"
      } that could be taken over`,
      "name the subnet with --subnet, or remove the file to get another one",
    );
  }
  return checkPin(pool, subnet, `${FLAG}, ${subnetFile}`);
}

function textOf(path: string): string | null {
  try {
    return readSubnetFile(path);
  } catch (error) {
    throw new ConfigError(FLAG, `cannot read ${path}: ${systemReasonOf(error)}`);
  }
}

/** Of a device that flannel made, or that we took over from it before. */
function macOf(kernel: Pick<Kernel, "dump">, vni: number, family: 4 | 6): string | null {
  const { link } = kernel.dump(deviceName(vni, family), undefined, family);
  if (link === null || !isVxlanLink(link)) return null;
  return ["", DEVICE_ALIAS].includes(link.alias) && isUnicastMac(link.mac) ? link.mac : null;
}
