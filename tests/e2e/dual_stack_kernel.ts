/** What the kernels of a dual-stack cluster hold for IPv6, and what they must hold. */
import assert from "node:assert/strict";
import { addressAdd, IFA_F } from "../../ffi/route/address.ts";
import { formatIpv6Network, parseIpv6Network } from "../../mod/address/ipv6.ts";
import type { Host } from "../../mod/lab/host.ts";
import { parseSubnetFile } from "../../mod/lab/subnet_file.ts";
import { UNDERLAY_DEVICE } from "../../mod/lab/underlay.ts";
import {
  IPV6_DEVICE,
  type KernelText,
  kernelText,
  networkAddress,
  overlayMac,
  PROTOCOL,
  until,
} from "./cluster.ts";

export { IPV6_DEVICE };
export const IPV6_NETWORK = "fd00:244::/56";
export const DUAL_STACK = `--ipv6-network=${IPV6_NETWORK}`;

/** The n-th host's IPv6 address on the underlay. */
export function ipv6Underlay(number: number): string {
  return `fd00:100::${number.toString(16)}`;
}

/** Gives a host an IPv6 address on the underlay, usable at once. */
export function addIpv6(host: Host, address = ipv6Underlay(host.number)): void {
  addressAdd(host.namespace.netlink, {
    index: host.namespace.deviceIndex(UNDERLAY_DEVICE),
    address,
    prefixLength: 64,
    flags: IFA_F.NODAD,
  });
}

/** `fd00:244:0:7::/64` for `10.244.7.0/24`. */
export function ipv6SubnetOfNumber(subnet: string): string {
  const number = Number(subnet.split(".")[2]);
  const { address } = parseIpv6Network(IPV6_NETWORK);
  return formatIpv6Network({ address: address + (BigInt(number) << 64n), length: 64 });
}

export function actualIpv6(host: Host): KernelText {
  return kernelText(host, IPV6_DEVICE, 6);
}

/** Null while a host has no subnet file. */
export function expectedIpv6(
  host: Host,
  cluster: readonly Host[],
  underlayOf: (host: Host) => string = ({ number }) => ipv6Underlay(number),
): KernelText | null {
  const own = host.subnetText();
  if (own === null) return null;
  const routes: string[] = [];
  const neighbours: string[] = [];
  const forwarding: string[] = [];
  for (const peer of cluster) {
    if (peer === host) continue;
    const text = peer.subnetText();
    const mac = overlayMac(peer);
    if (text === null || mac === null) return null;
    const subnet = ipv6SubnetOfNumber(parseSubnetFile(text).subnet);
    const base = networkAddress(subnet);
    routes.push(`${subnet} via ${base} proto ${PROTOCOL} onlink`);
    neighbours.push(`${base} lladdr ${mac} PERMANENT proto ${PROTOCOL}`);
    forwarding.push(`${mac} dst ${underlayOf(peer)} self permanent`);
  }
  return {
    addresses: [`${networkAddress(ipv6SubnetOfNumber(parseSubnetFile(own).subnet))}/128`],
    routes: routes.sort(),
    neighbours: neighbours.sort(),
    forwarding: forwarding.sort(),
  };
}

/** Waits until every host's kernel holds exactly what it should for all the others. */
export async function untilIpv6Mesh(
  hosts: readonly Host[],
  underlayOf?: (host: Host) => string,
): Promise<number> {
  try {
    return await until("full IPv6 mesh", hosts, () =>
      hosts.every((host) => {
        const wanted = expectedIpv6(host, hosts, underlayOf);
        return wanted !== null && JSON.stringify(actualIpv6(host)) === JSON.stringify(wanted);
      }));
  } catch (error) {
    for (const host of hosts) {
      assert.deepEqual(actualIpv6(host), expectedIpv6(host, hosts, underlayOf), host.name);
    }
    throw error;
  }
}
