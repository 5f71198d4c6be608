/** The devices, addresses and routes of this host: what the choice of the underlay and the overlap check look at. */
import { NetlinkError } from "../../ffi/netlink/error.ts";
import type { NetlinkTransport } from "../../ffi/netlink/transport.ts";
import { addressDump, IFA_F, type InterfaceAddress } from "../../ffi/route/address.ts";
import { IFF_NOARP, IFF_POINTOPOINT, type Link, linkDump, linkGet } from "../../ffi/route/link.ts";
import { ROUTE_TYPE, routeDump, routeGet, SCOPE } from "../../ffi/route/route.ts";
import { isOwnAlias } from "../base/own_alias.ts";

/** IFA_F_TEMPORARY is IFA_F_SECONDARY under another name (linux/if_addr.h; RFC 8981). */
const IFA_F_TEMPORARY = IFA_F.SECONDARY;

/** A device of this host. */
export interface HostDevice {
  readonly name: string;
  readonly index: number;
  /** "bridge", "veth", "vxlan"…; null for physical devices and loopback. */
  readonly kind: string | null;
  /** Bytes. */
  readonly mtu: number;
  readonly up: boolean;
  /** Whether hosts on it are told apart by MAC addresses: neither point-to-point nor without ARP. */
  readonly hasNeighbours: boolean;
  /** Whether its alias says that gossamer made it. */
  readonly isOwn: boolean;
  readonly addresses: readonly HostAddress[];
}

/** An address of a device: IPv4, or where it is said otherwise IPv6. */
export interface HostAddress {
  readonly address: string;
  readonly prefixLength: number;
  /** Its scope is the world, not the link or this host. */
  readonly isGlobal: boolean;
  /** From DHCP: it may go by itself. */
  readonly isDynamic: boolean;
  /** Another address of the same network was there first; of IPv6, it is temporary (RFC 8981). */
  readonly isSecondary: boolean;
  /** Still valid, but not to be used for anything new. */
  readonly isDeprecated: boolean;
  /** IPv6: whether somebody else has it is still being asked (RFC 4862 section 5.4), so that it cannot be used yet. */
  readonly isTentative?: boolean;
}

/** A unicast route of the main table. */
export interface HostRoute {
  /** Canonical CIDR; `0.0.0.0/0` or `::/0` for a default route. */
  readonly destination: string;
  /** Index of the device, null for routes with several. */
  readonly index: number | null;
  /** Null where the destination is on the device's own link. */
  readonly gateway: string | null;
  readonly metric: number;
  readonly preferredSource: string | null;
  /** rtm_protocol. */
  readonly protocol: number;
}

/** How the kernel would send a packet somewhere. */
export interface RouteTo {
  readonly index: number | null;
  readonly preferredSource: string | null;
}

export interface HostNetwork {
  /** By index. */
  readonly devices: readonly HostDevice[];
  readonly routes: readonly HostRoute[];
  /** Of addresses and routes; IPv4 unless said. */
  readonly family?: 4 | 6;
  /** Absent where nobody asked for it. */
  readonly ipv6?: Ipv6OfHost;
}

/** What of a host is IPv6. */
export interface Ipv6OfHost {
  /** Global ones. */
  readonly addresses: readonly Ipv6Address[];
  /** Unicast routes of the main table. */
  readonly routes: readonly HostRoute[];
}

export interface Ipv6Address extends HostAddress {
  /** Of its device. */
  readonly index: number;
}

/** Null when there is no way to that address. Throws NetlinkError or SysError. */
export function readRouteTo(transport: NetlinkTransport, address: string): RouteTo | null {
  try {
    const { index, preferredSource } = routeGet(transport, address);
    return { index, preferredSource };
  } catch (error) {
    const isUnreachable = error instanceof NetlinkError &&
      ["ENETUNREACH", "EHOSTUNREACH", "EACCES", "EINVAL"].includes(error.code);
    if (isUnreachable) return null;
    throw error;
  }
}

/** One device with its addresses of that family; null when there is none of that index. Throws NetlinkError or SysError. */
export function readDevice(
  transport: NetlinkTransport,
  index: number,
  family: 4 | 6 = 4,
): HostDevice | null {
  const link = linkGet(transport, index);
  if (link === null) return null;
  if (family === 4) return deviceOf(link, addressDump(transport, { family, index }));
  return { ...deviceOf(link, []), addresses: readIpv6Addresses(transport, index) };
}

/** Reads everything. Throws NetlinkError or SysError. */
export function readHostNetwork(transport: NetlinkTransport): HostNetwork {
  const addresses = addressDump(transport, { family: 4 });
  const devices = linkDump(transport).map((link) => deviceOf(link, addresses));
  const routes = routeDump(transport, { family: 4 })
    .filter((route) => route.type === ROUTE_TYPE.UNICAST)
    .map((route) => ({
      destination: route.destination,
      index: route.index,
      gateway: route.gateway,
      metric: route.priority ?? 0,
      preferredSource: route.preferredSource,
      protocol: route.protocol,
    }));
  return { devices, routes };
}

/**
 * Reads the IPv6 addresses of this host, or of one device: those that others can send to, link-local ones left out. Oldest
 * first, as IPv4's are: the kernel names the newest first (net/ipv6/addrconf.c), and a host would move to each one that is
 * added. Throws NetlinkError or SysError.
 */
export function readIpv6Addresses(transport: NetlinkTransport, index?: number): Ipv6Address[] {
  return addressDump(transport, { family: 6, ...(index === undefined ? {} : { index }) })
    .filter(({ scope, flags }) => scope === SCOPE.UNIVERSE && (flags & IFA_F.DADFAILED) === 0)
    .map((address): Ipv6Address => ({
      index: address.index,
      address: address.address,
      prefixLength: address.prefixLength,
      isGlobal: true,
      isDynamic: (address.flags & IFA_F.PERMANENT) === 0,
      isSecondary: (address.flags & IFA_F_TEMPORARY) !== 0,
      isDeprecated: (address.flags & IFA_F.DEPRECATED) !== 0,
      isTentative: (address.flags & IFA_F.TENTATIVE) !== 0,
    }))
    .reverse();
}

/** Throws NetlinkError or SysError. */
export function readIpv6OfHost(transport: NetlinkTransport): Ipv6OfHost {
  const addresses = readIpv6Addresses(transport);
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

function deviceOf(link: Link, addresses: readonly InterfaceAddress[]): HostDevice {
  return {
    name: link.name,
    index: link.index,
    kind: link.kind,
    mtu: link.mtu,
    up: link.up,
    hasNeighbours: (link.flags & (IFF_NOARP | IFF_POINTOPOINT)) === 0,
    isOwn: isOwnAlias(link.alias),
    addresses: addresses.filter(({ index }) => index === link.index).map((address) => ({
      address: address.address,
      prefixLength: address.prefixLength,
      isGlobal: address.scope === SCOPE.UNIVERSE,
      isDynamic: (address.flags & IFA_F.PERMANENT) === 0,
      isSecondary: (address.flags & IFA_F.SECONDARY) !== 0,
      isDeprecated: (address.flags & IFA_F.DEPRECATED) !== 0,
    })),
  };
}
