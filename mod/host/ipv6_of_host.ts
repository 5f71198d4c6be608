/** IPv6 of this host, for the IPv6 half of a dual-stack overlay: read beside IPv4, and judged by the same rules. */
import type { NetlinkTransport } from "../../ffi/netlink/transport.ts";
import { addressDump, IFA_F } from "../../ffi/route/address.ts";
import { ROUTE_TYPE, routeDump, SCOPE } from "../../ffi/route/route.ts";
import { cidrContains } from "../address/network.ts";
import type { Pool } from "../address/pool.ts";
import type { Underlay } from "../base/kernel_objects.ts";
import { UserError } from "../base/errors.ts";
import type { HostNetwork, HostRoute, Ipv6Address, Ipv6OfHost } from "./host_network.ts";
import { checkPoolOverlap } from "./pool_overlap.ts";

/** IFA_F_TEMPORARY is IFA_F_SECONDARY under another name (linux/if_addr.h; RFC 8981). */
const IFA_F_TEMPORARY = IFA_F.SECONDARY;

/** Throws NetlinkError or SysError. */
export function readIpv6OfHost(transport: NetlinkTransport): Ipv6OfHost {
  const addresses = addressDump(transport, { family: 6 })
    .filter(({ scope, flags }) => scope === SCOPE.UNIVERSE && (flags & IFA_F.DADFAILED) === 0)
    .map((address): Ipv6Address => ({
      index: address.index,
      address: address.address,
      prefixLength: address.prefixLength,
      isGlobal: true,
      isDynamic: (address.flags & IFA_F.PERMANENT) === 0,
      isSecondary: (address.flags & IFA_F_TEMPORARY) !== 0,
      isDeprecated: (address.flags & IFA_F.DEPRECATED) !== 0,
    }));
  const routes = routeDump(transport, { family: 6 })
    .filter(({ type }) => type === ROUTE_TYPE.UNICAST)
    .map((route): HostRoute => ({
      destination: route.destination,
      index: route.index,
      gateway: route.gateway,
      metric: route.priority ?? 0,
      preferredSource: route.preferredSource,
      protocol: route.protocol,
    }));
  return { addresses, routes };
}

/**
 * The underlay with the IPv6 address that the IPv6 half stands on: of the same device, the one that stays longest and is
 * not of the overlay itself. Throws UserError when there is none.
 */
export function withIpv6(underlay: Underlay, pool: Pool, { ipv6 }: HostNetwork): Underlay {
  if (pool.ipv6 === undefined) return underlay;
  const { cidr } = pool.ipv6;
  const rank = (address: Ipv6Address) =>
    (address.isSecondary ? 2 : 0) + (address.isDynamic ? 1 : 0);
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
  const { ipv6 } = network;
  if (pool.ipv6 === undefined || ipv6 === undefined) return;
  const { routes, addresses } = ipv6;
  const devices = network.devices.map((one) => ({
    ...one,
    addresses: addresses.filter(({ index }) => index === one.index),
  }));
  const source = { hostNetwork: () => ({ devices, routes }) };
  checkPoolOverlap(source, { ...pool, ...pool.ipv6 }, device, underlay, "--ipv6-network");
}
