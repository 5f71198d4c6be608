/**
 * This host's subnet as a network of Podman: the file that netavark's users read (podman 4 and later; containers/common,
 * libnetwork/types/network.go). Pure: the subnet in, JSON out. `podman network create` would refuse that subnet, because the
 * overlay's device has an address in it.
 */
import { sha256Hex } from "../base/hash.ts";
import type { BridgeNetwork, ContainerSubnet } from "./container_subnet.ts";

export interface PodmanNetwork {
  /** What `podman run --network` is given. */
  readonly name: string;
  /** The bridge. */
  readonly device: string;
}

/** The file's text. */
export function podmanNetworkText(
  { ipv4, ipv6, mtu }: ContainerSubnet,
  { name, device }: PodmanNetwork,
): string {
  const bridges = [ipv4, ipv6].filter((bridge): bridge is BridgeNetwork => bridge !== null);
  const network = {
    name,
    // Always the same for a name, so that containers of an earlier file find their network.
    id: sha256Hex(name),
    driver: "bridge",
    network_interface: device,
    subnets: bridges.map(({ subnet, gateway }) => ({ subnet, gateway })),
    ipv6_enabled: ipv6 !== null,
    internal: false,
    // Its names would be those of this host's containers alone.
    dns_enabled: false,
    options: mtu === null ? {} : { mtu: String(mtu) },
    ipam_options: { driver: "host-local" },
  };
  return `${JSON.stringify(network, null, 2)}\n`;
}
