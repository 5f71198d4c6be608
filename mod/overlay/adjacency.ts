/**
 * Who is on the same link as this host, so that packets for containers there can be handed over bare: told from this host's
 * routes alone, as the kernel itself will tell it, without asking for each peer.
 *
 * That the way to a peer has no gateway is not enough: a tunnel (WireGuard, PPP, a TUN device) has none either, and what
 * is behind it takes only packets that are addressed to itself.
 */
import { addressCount, cidrContains, formatAddress } from "../address/network.ts";
import { parseAddress } from "../address/parse.ts";

/** A part of the way to other hosts. */
export interface LinkRoute {
  /** Canonical CIDR. */
  readonly destination: string;
  /** Whether who is there takes packets from the underlay's device without a gateway; else it is a hole in such a network. */
  readonly isOnLink: boolean;
}

/** The device that the underlay uses, as far as matters here. */
export interface LinkDevice {
  readonly index: number;
  /** Whether hosts are told apart on it by MAC addresses: not on point-to-point devices, nor on those without ARP. */
  readonly hasNeighbours: boolean;
}

/** A unicast route of the main table. */
export interface RouteOfHost {
  readonly destination: string;
  /** Index of the device, null for routes with several. */
  readonly index: number | null;
  readonly gateway: string | null;
  readonly metric: number;
}

/**
 * The routes by which {@linkcode isAdjacent} decides, most specific first: networks on the link, and what leads elsewhere
 * within them. Equal ones for hosts that decide alike, so that a change of anything else is none.
 *
 * Single addresses on the link are no network: clouds give hosts such, with a router that answers for everybody. Nor is a
 * default route without gateway. This host's own addresses and broadcast addresses are nobody's: who announces one of them
 * is not sent to, where the kernel would refuse the route or packets would come back.
 *
 * @param own addresses of this host, on whatever device.
 */
export function linkRoutes(
  device: LinkDevice,
  routes: readonly RouteOfHost[],
  own: readonly string[] = [],
): LinkRoute[] {
  if (!device.hasNeighbours) return [];
  const best = new Map<string, RouteOfHost>();
  for (const route of routes) {
    const rival = best.get(route.destination);
    if (rival === undefined || route.metric < rival.metric) best.set(route.destination, route);
  }
  const found: LinkRoute[] = [];
  const networks: string[] = [];
  const others: string[] = [];
  for (const { destination, index, gateway } of best.values()) {
    const isOnLink = index === device.index && gateway === null;
    if (!isOnLink) others.push(destination);
    else if (isNetworkOfHosts(destination)) networks.push(destination);
  }
  for (const destination of networks) found.push({ destination, isOnLink: true });
  for (const destination of others) {
    const isHole = networks.some((network) =>
      lengthOf(destination) > lengthOf(network) && contains(network, addressOf(destination))
    );
    if (isHole) found.push({ destination, isOnLink: false });
  }
  const nobodys = [...own, ...networks.map(broadcastOf).filter((address) => address !== null)];
  for (const address of new Set(nobodys)) {
    const destination = `${address}/${bitsOf(address)}`;
    if (!networks.some((network) => contains(network, address))) continue;
    if (!best.has(destination)) found.push({ destination, isOnLink: false });
  }
  return found.sort((one, other) =>
    lengthOf(other.destination) - lengthOf(one.destination) ||
    (one.destination < other.destination ? -1 : 1)
  );
}

/** Whether the address is on the link; `routes` as {@linkcode linkRoutes} gives them. */
export function isAdjacent(routes: readonly LinkRoute[], address: string): boolean {
  return routes.find(({ destination }) => contains(destination, address))?.isOnLink ?? false;
}

function isNetworkOfHosts(destination: string): boolean {
  const length = lengthOf(destination);
  return length > 0 && length < bitsOf(destination);
}

/** Null where there is none: in IPv6, and on a cable with two ends (RFC 3021). */
function broadcastOf(cidr: string): string | null {
  const length = lengthOf(cidr);
  if (bitsOf(cidr) !== 32 || length > 30) return null;
  return formatAddress(parseAddress(addressOf(cidr)) + addressCount(length) - 1);
}

function bitsOf(address: string): 32 | 128 {
  return address.includes(":") ? 128 : 32;
}

function contains(cidr: string, address: string): boolean {
  return cidr.includes(":") === address.includes(":") && cidrContains(cidr, address);
}

function addressOf(cidr: string): string {
  return cidr.slice(0, cidr.indexOf("/"));
}

function lengthOf(cidr: string): number {
  return Number(cidr.slice(cidr.indexOf("/") + 1));
}
