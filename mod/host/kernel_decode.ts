/** What the kernel says, in rtnetlink's terms, as the objects that the overlay compares. */
import type { InterfaceAddress } from "../../ffi/route/address.ts";
import type { FdbEntry } from "../../ffi/route/fdb.ts";
import type { Link } from "../../ffi/route/link.ts";
import { type Neighbour as KernelNeighbour, NUD } from "../../ffi/route/neighbour.ts";
import { PROTOCOL, type Route as KernelRoute, SCOPE } from "../../ffi/route/route.ts";
import type {
  DeviceAddress,
  ForwardingEntry,
  Neighbour,
  OverlayLink,
  Route,
} from "../base/kernel_objects.ts";

/** What `ip link` calls a device that has no kind of its own: a physical one. */
const NO_KIND = "physical";

export function decodeOverlayLink(link: Link): OverlayLink {
  const { name, vxlan, tun, mtu, up } = link;
  const alias = link.alias ?? "";
  // One that goes with its user, or whose packets have no header, is not one that can be ours.
  if (tun?.isTun === true && tun.isPersistent && tun.hasVnetHeader) {
    return { name, alias, mtu, up, multiQueue: tun.isMultiQueue };
  }
  // A device that takes VNI or destination from each packet is not one that can be ours.
  if (vxlan === null || vxlan.id === 0) return { name, kind: link.kind ?? NO_KIND, alias };
  return {
    name,
    alias,
    vni: vxlan.id,
    port: vxlan.port,
    local: vxlan.local ?? "",
    underlayIndex: vxlan.link ?? 0,
    mac: link.address ?? "",
    mtu: link.mtu,
    learning: vxlan.learning,
    up: link.up,
  };
}

/** Every device with IPv6 gets a link-local address. */
export function isKernelMadeAddress(address: InterfaceAddress): boolean {
  return address.family === 6 && address.scope === SCOPE.LINK;
}

/** Whether an IPv6 address or network is link-local or multicast (RFC 4291): the kernel makes entries for such by itself. */
export function isForLinkOnly(text: string): boolean {
  return /^(fe[89ab].|ff..):/.test(text);
}

export function isKernelMadeNeighbour({ family, address }: KernelNeighbour): boolean {
  return family === 6 && isForLinkOnly(address);
}

/** Routes that come with an address, and go with it. */
export function isKernelMadeRoute(route: KernelRoute): boolean {
  return route.protocol === PROTOCOL.KERNEL;
}

export function decodeDeviceAddress(device: string, address: InterfaceAddress): DeviceAddress {
  return {
    device,
    address: `${address.address}/${address.prefixLength}`,
    protocol: address.protocol ?? 0,
  };
}

export function decodeOverlayRoute(device: string, route: KernelRoute): Route {
  return {
    device,
    destination: route.destination,
    gateway: route.gateway,
    onlink: route.onlink,
    protocol: route.protocol,
    table: route.table,
    metric: route.priority ?? 0,
  };
}

export function decodeOverlayNeighbour(device: string, neighbour: KernelNeighbour): Neighbour {
  return {
    device,
    address: neighbour.address,
    mac: neighbour.linkAddress ?? "",
    protocol: neighbour.protocol ?? 0,
    permanent: neighbour.state === NUD.PERMANENT,
  };
}

export function decodeForwarding(device: string, entry: FdbEntry): ForwardingEntry {
  return {
    device,
    mac: entry.linkAddress,
    destination: entry.destination ?? "",
    port: entry.port,
    // `bridge` sets NOARP besides, which changes nothing: either bit keeps an entry from ageing.
    permanent: (entry.state & NUD.PERMANENT) !== 0,
  };
}
