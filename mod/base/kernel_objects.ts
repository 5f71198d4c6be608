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
  /** The underlay address that outer packets carry as their source. */
  readonly local: string;
  /** Index of the underlay device. */
  readonly underlayIndex: number;
  /** `aa:bb:cc:dd:ee:ff`. */
  readonly mac: string;
  readonly mtu: number;
  readonly learning: boolean;
  readonly up: boolean;
  /** IFLA_IFALIAS; {@linkcode DEVICE_ALIAS} proves that the device is ours. */
  readonly alias: string;
}

/** A device that bears a name we want but is something else: another kind, or a VXLAN device of other make. */
export interface ForeignLink {
  readonly name: string;
  readonly kind: string;
  readonly alias: string;
}

/** An address on a device: `ip address add ADDRESS dev DEVICE`. */
export interface DeviceAddress {
  readonly device: string;
  /** With prefix length: `10.244.7.0/32`. */
  readonly address: string;
}

/** A permanent neighbour entry: `ip neighbour replace ADDRESS lladdr MAC dev DEVICE nud permanent`. */
export interface Neighbour {
  readonly device: string;
  readonly address: string;
  readonly mac: string;
  /** NDA_PROTOCOL; ours carry {@linkcode ROUTE_PROTOCOL}. */
  readonly protocol: number;
  /** Whether the state is exactly NUD_PERMANENT. */
  readonly permanent: boolean;
}

/** A forwarding entry of a VXLAN device: `bridge fdb replace MAC dev DEVICE dst DESTINATION self permanent`. */
export interface ForwardingEntry {
  readonly device: string;
  readonly mac: string;
  readonly destination: string;
  readonly permanent: boolean;
}

/** A route: `ip route replace DESTINATION via GATEWAY dev DEVICE onlink proto PROTOCOL`. */
export interface Route {
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

/** What the kernel holds for one overlay device at one moment, plus our routes wherever they point. */
export interface KernelState {
  /** The device of that name: ours-shaped VXLAN, something else, or null when absent. */
  readonly link: VxlanLink | ForeignLink | null;
  readonly addresses: readonly DeviceAddress[];
  readonly neighbours: readonly Neighbour[];
  readonly forwarding: readonly ForwardingEntry[];
  /** Routes through the device (anybody's) and routes with our protocol number on any device. */
  readonly routes: readonly Route[];
}

/** One change to the kernel. A plan is a list of these, applied in order. Deleting what is absent is success. */
export type Operation =
  | { readonly kind: "link-add"; readonly link: VxlanLink }
  /** Changes MTU, MAC, alias and flags in place. */
  | { readonly kind: "link-set"; readonly link: VxlanLink }
  | { readonly kind: "link-delete"; readonly name: string }
  | { readonly kind: "address-add"; readonly address: DeviceAddress }
  | { readonly kind: "address-delete"; readonly address: DeviceAddress }
  | { readonly kind: "neighbour-replace"; readonly neighbour: Neighbour }
  | { readonly kind: "neighbour-delete"; readonly neighbour: Neighbour }
  | { readonly kind: "forwarding-replace"; readonly entry: ForwardingEntry }
  | { readonly kind: "forwarding-delete"; readonly entry: ForwardingEntry }
  | { readonly kind: "route-replace"; readonly route: Route }
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
  readonly mtu: number;
}

/** The kernel of this host, or a fake of it. */
export interface Kernel {
  /** Reads everything that concerns the overlay device of that name. Throws when the kernel cannot be read. */
  dump(device: string): KernelState;
  /** Applies in order; failures do not stop later operations. */
  apply(plan: readonly Operation[]): OperationFailure[];
  /**
   * Calls back (coalesced) whenever links, addresses, routes or neighbours change, or when the kernel says that
   * notifications were lost. Returns a function that stops it.
   */
  watch(changed: () => void): () => void;
}
