/** Devices, addresses and routes of an invented host. */
import type { HostAddress, HostDevice, HostRoute } from "../../mod/host/host_network.ts";

/** A permanent global address, `192.168.100.1/24`, unless said otherwise. */
export function hostAddress(cidr: string, changes: Partial<HostAddress> = {}): HostAddress {
  const [address = "", length = ""] = cidr.split("/");
  return {
    address,
    prefixLength: Number(length),
    isGlobal: true,
    isDynamic: false,
    isSecondary: false,
    isDeprecated: false,
    ...changes,
  };
}

/** A physical device that is up. */
export function hostDevice(
  index: number,
  name: string,
  addresses: readonly (string | HostAddress)[],
  changes: Partial<HostDevice> = {},
): HostDevice {
  return {
    index,
    name,
    kind: null,
    mtu: 1500,
    up: true,
    hasNeighbours: true,
    isOwn: false,
    addresses: addresses.map((address) =>
      typeof address === "string" ? hostAddress(address) : address
    ),
    ...changes,
  };
}

export function hostRoute(
  destination: string,
  index: number | null,
  changes: Partial<HostRoute> = {},
): HostRoute {
  return {
    destination,
    index,
    gateway: null,
    metric: 0,
    preferredSource: null,
    protocol: 4,
    ...changes,
  };
}
