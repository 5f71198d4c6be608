/** Behind which devices of this host containers of the overlay are. */
import type { HostNetwork } from "../host/host_network.ts";
import { networkContains } from "../overlay/firewall_elements.ts";

/** Names of the devices with an address of that subnet, such as `docker0`; without ours. */
export function containerDevices({ devices }: HostNetwork, subnet: string): string[] {
  return devices.filter(({ isOwn, addresses }) =>
    !isOwn && addresses.some(({ address }) => networkContains(subnet, address))
  ).map(({ name }) => name);
}
