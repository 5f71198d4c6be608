/**
 * What this host has of IPv6, for the IPv6 half of a dual-stack overlay and for clusters of IPv6 alone: read beside IPv4, and
 * judged by the same rules.
 */
import { cidrContains } from "../address/network.ts";
import { ipv4Embedded } from "../address/ipv6.ts";
import type { Pool } from "../address/pool.ts";
import type { Underlay } from "../base/kernel_objects.ts";
import { UserError } from "../base/errors.ts";
import type { HostNetwork, Ipv6Address } from "./host_network.ts";
import { checkPoolOverlap } from "./pool_overlap.ts";

/** The host as if it had nothing but IPv6. */
export function onlyIpv6(network: HostNetwork): HostNetwork {
  const { addresses, routes } = network.ipv6 ?? { addresses: [], routes: [] };
  const devices = network.devices.map((device) => ({
    ...device,
    addresses: addresses.filter(({ index }) => index === device.index),
  }));
  return { devices, routes, family: 6 };
}

/**
 * The underlay with the IPv6 address that the IPv6 half stands on: of the same device, the one that stays longest and is
 * not of the overlay itself. Throws UserError when there is none.
 *
 * @param isOverIpv4 whether its packets travel as all others do: then it is the IPv4 address, embedded.
 */
export function withIpv6(
  underlay: Underlay,
  pool: Pool,
  { ipv6 }: HostNetwork,
  isOverIpv4 = false,
): Underlay {
  if (pool.ipv6 === undefined) return underlay;
  if (isOverIpv4) return { ...underlay, ipv6: ipv4Embedded(underlay.address) };
  const { cidr } = pool.ipv6;
  const rank = (address: Ipv6Address) =>
    (address.isTentative === true ? 4 : 0) + (address.isSecondary ? 2 : 0) +
    (address.isDynamic ? 1 : 0);
  const [best] = (ipv6?.addresses ?? [])
    .filter(({ index, isDeprecated, address }) =>
      index === underlay.index && !isDeprecated && !cidrContains(cidr, address)
    )
    .sort((one, other) => rank(one) - rank(other));
  if (best !== undefined) return { ...underlay, ipv6: best.address };
  throw new UserError(
    `${underlay.device} has no global IPv6 address, through which the packets of ` +
      `--ipv6-network ${cidr} could travel`,
    { remedy: `Give ${underlay.device} one, or leave out --ipv6-network on all hosts` },
  );
}

/** As checkPoolOverlap, for the IPv6 network. */
export function checkIpv6Overlap(
  network: HostNetwork,
  pool: Pool,
  device: string,
  underlay: Underlay,
): void {
  if (pool.ipv6 === undefined || network.ipv6 === undefined) return;
  const source = { hostNetwork: () => onlyIpv6(network) };
  checkPoolOverlap(source, { ...pool, ...pool.ipv6 }, device, underlay, "--ipv6-network");
}
