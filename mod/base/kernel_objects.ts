/**
 * The kernel's networking objects as the overlay sees them, and the port through which they are read and changed.
 * Plain data: the pure overlay module compares these, the host module maps them to netlink.
 */

/** A VXLAN device (RFC 7348; `ip link add ... type vxlan`). */
export interface VxlanLink {
  readonly name: string;
  /** 1 to 2^24 - 1. */
  readonly vni: number;
  /** UDP port, 1 to 65535. */
  readonly port: number;
  /** The underlay address that outer packets carry as their source; empty when the device has none. */
  readonly local: string;
  /** Index of the underlay device, 0 when the device has none. */
  readonly underlayIndex: number;
  /** `aa:bb:cc:dd:ee:ff`. */
  readonly mac: string;
  readonly mtu: number;
  readonly learning: boolean;
  readonly up: boolean;
  /** IFLA_IFALIAS; {@linkcode DEVICE_ALIAS} proves that the device is ours. */
  readonly alias: string;
}

/** A TUN device that stays when nobody has it open (`ip tuntap add NAME mode tun vnet_hdr`). */
export interface TunLink {
  readonly name: string;
  readonly mtu: number;
  readonly up: boolean;
  /** {@linkcode DEVICE_ALIAS} and the overlay's number prove that the device is ours. */
  readonly alias: string;
  /** Whether several may read packets from it at once. Fixed when the device is made. */
  readonly multiQueue: boolean;
}

/** A device that bears a name we want but is something else: another kind, or a VXLAN device of other make. */
export interface ForeignLink {
  readonly name: string;
  readonly kind: string;
  readonly alias: string;
}

/** The shapes of a link. */
export type OverlayLink = VxlanLink | TunLink | ForeignLink;

export function isVxlanLink(link: OverlayLink): link is VxlanLink {
  return "vni" in link;
}

export function isTunLink(link: OverlayLink): link is TunLink {
  return "multiQueue" in link;
}

/**
 * What can be changed while a device stays; what is absent is not touched. That matters: a MAC that is set makes the
 * kernel forget the device's neighbours even when it is the same one.
 */
export interface LinkChanges {
  readonly mac?: string;
  readonly mtu?: number;
  readonly alias?: string;
  readonly up?: boolean;
}

/** Where a device that is there is to stand on the underlay; what is absent is not touched. */
export interface LinkMove {
  readonly local?: string;
  readonly underlayIndex?: number;
}

/** An address on a device: `ip address add ADDRESS dev DEVICE`. */
export interface DeviceAddress {
  readonly device: string;
  /** With prefix length: `10.244.7.0/32`. */
  readonly address: string;
  /** IFA_PROTO; ours carry {@linkcode ROUTE_PROTOCOL}. 0 when unset, and always before Linux 5.18. */
  readonly protocol: number;
}

/** A neighbour entry: `ip neighbour replace ADDRESS lladdr MAC dev DEVICE nud permanent`. */
export interface Neighbour {
  readonly device: string;
  readonly address: string;
  readonly mac: string;
  /** NDA_PROTOCOL; ours carry {@linkcode ROUTE_PROTOCOL}. 0 when unset. */
  readonly protocol: number;
  /** Whether the state is exactly NUD_PERMANENT. */
  readonly permanent: boolean;
}

/** A forwarding entry of a VXLAN device: `bridge fdb replace MAC dev DEVICE dst DESTINATION self permanent`. */
export interface ForwardingEntry {
  readonly device: string;
  readonly mac: string;
  /** Empty when the entry has none (a local one, or one that points to a nexthop group). */
  readonly destination: string;
  /** UDP port of the destination, or null for the device's own. */
  readonly port: number | null;
  readonly permanent: boolean;
}

/** A unicast route: `ip route add DESTINATION via GATEWAY dev DEVICE onlink proto PROTOCOL`; or an unreachable one. */
export interface Route {
  /** Empty for an unreachable route: `ip route add unreachable DESTINATION`. */
  readonly device: string;
  readonly destination: string;
  /** Null for a directly connected destination. */
  readonly gateway: string | null;
  readonly onlink: boolean;
  /** rtm_protocol; ours carry {@linkcode ROUTE_PROTOCOL}. */
  readonly protocol: number;
  /** Routing table; 254 is main. */
  readonly table: number;
  /** RTA_PRIORITY, 0 when absent. */
  readonly metric: number;
}

/**
 * What the kernel holds for one overlay device at one moment, plus our routes wherever they point. Both address
 * families. What the kernel makes by itself is left out: link-local addresses and routes of protocol "kernel".
 */
export interface KernelState {
  /** The device of that name: shaped like ours, something else, or null when absent. */
  readonly link: OverlayLink | null;
  readonly addresses: readonly DeviceAddress[];
  readonly neighbours: readonly Neighbour[];
  readonly forwarding: readonly ForwardingEntry[];
  /** Routes through the device (anybody's) and routes with our protocol number on any device. */
  readonly routes: readonly Route[];
}

/**
 * One change to the kernel. A plan is a list of these, applied in order. Deleting what is absent is success, and so is
 * adding what is there already in exactly that form.
 */
export type Operation =
  | { readonly kind: "link-add"; readonly link: VxlanLink | TunLink }
  /** Changes the device in place. */
  | { readonly kind: "link-set"; readonly name: string; readonly changes: LinkChanges }
  /** Moves the device to another address or device of the underlay, with all that it carries. */
  | { readonly kind: "link-move"; readonly name: string; readonly move: LinkMove }
  | { readonly kind: "link-delete"; readonly name: string }
  | { readonly kind: "address-add"; readonly address: DeviceAddress }
  | { readonly kind: "address-delete"; readonly address: DeviceAddress }
  | { readonly kind: "neighbour-replace"; readonly neighbour: Neighbour }
  | { readonly kind: "neighbour-delete"; readonly neighbour: Neighbour }
  | { readonly kind: "forwarding-replace"; readonly entry: ForwardingEntry }
  | { readonly kind: "forwarding-delete"; readonly entry: ForwardingEntry }
  /** Refused when a route to that destination exists in that table at that metric, whoever made it. */
  | { readonly kind: "route-add"; readonly route: Route }
  /** Added behind another one of ours to that destination, which goes next: packets have a way at each moment. */
  | { readonly kind: "route-append"; readonly route: Route }
  | { readonly kind: "route-delete"; readonly route: Route };

/** An operation the kernel refused, with its own words. */
export interface OperationFailure {
  readonly operation: Operation;
  /** Symbolic errno: `EEXIST`. */
  readonly code: string;
  readonly message: string;
}

/** The underlay as chosen for this host. */
export interface Underlay {
  readonly device: string;
  readonly index: number;
  /** The address on that device that we send from. */
  readonly address: string;
  /** The IPv6 address on that device for the IPv6 half of the overlay; absent without dual stack. */
  readonly ipv6?: string;
  readonly mtu: number;
}

/** The kernel of this host, or a fake of it. */
export interface Kernel {
  /**
   * Reads everything that concerns the overlay device of that name. Throws when the kernel cannot be read.
   *
   * @param underlay index of the device below, whose changes are of interest although no overlay device stands on it.
   * @param family of neighbours, and of our routes that do not go through the device; IPv4 by default.
   */
  dump(device: string, underlay?: number, family?: 4 | 6): KernelState;
  /** Applies in order; failures do not stop later operations. */
  apply(plan: readonly Operation[]): OperationFailure[];
  /**
   * Calls back (coalesced) whenever links, addresses, routes or neighbours change, or when the kernel says that
   * notifications were lost. Returns a function that stops it.
   */
  watch(changed: () => void): () => void;
}
