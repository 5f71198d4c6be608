/**
 * What the kernel should hold, for one address family: a pure function of this host's configuration, its own claim and the owners it knows.
 *
 * Nothing at all is wanted until our own claim is held. Then: the device, its address `<our subnet>.0/32`, and for each
 * peer a neighbour, a forwarding entry and a route (flannel's three, with `<peer subnet>.0` as the onlink gateway); for a
 * peer on our own link that takes bare packets a route alone; and under all that a route that says "unreachable" for what
 * nobody has. With host-gw there is no device. With udp there is another one, a route for the whole overlay leads there, and
 * the peers are the agent's business alone.
 */
import { familyOf } from "../address/cidr.ts";
import type {
  DeviceAddress,
  ForwardingEntry,
  Neighbour,
  Route,
  TunLink,
  VxlanLink,
} from "../base/kernel_objects.ts";
import { DEVICE_ALIAS, ROUTE_PROTOCOL } from "../base/limits.ts";
import type { Problem } from "../base/problem.ts";
import type { ClaimRecord, Vtep } from "../claim/record.ts";
import { directRoute, peerMetric, TABLE_MAIN } from "./host_gw.ts";
import { cidrsOverlap, deviceAddressOf } from "../address/network.ts";
import { isIpv4Embedded, isIpv6Network, isIpv6Text, isIpv6Unicast } from "../address/ipv6.ts";
import { isAddress, isNetwork, parseAddress } from "../address/parse.ts";
import { isUnicastMac } from "./ownership.ts";
import { mtuOf } from "./announced_mtu.ts";
import { type PathConfig, type PathKind, pathTo, type PeerFault } from "./path.ts";
import { networkRoute, type RetiredDevice, retiredUdp, tunLink } from "./udp.ts";
import { unreachableRoute } from "./unreachable.ts";
import { deviceName, type VxlanConfig, vxlanLink } from "./vxlan.ts";

/** What the overlay needs to know of this host; all of it fixed but the underlay, which may change while we run. */
export interface OverlayConfig extends VxlanConfig, PathConfig {
  /** The overlay's networks, canonical CIDRs: `10.244.0.0/16`, and those that were added since. All of one family. */
  readonly networks: readonly string[];
  /** Whether what flannel left for hosts that have not moved yet stays. */
  readonly adoptsFlannel?: boolean;
  /** With dual stack: the same for the overlay of the IPv6 halves. */
  readonly ipv6?: OverlayConfig;
}

/** Where the agent itself sends packets for a peer. */
export interface Tunnel {
  readonly address: string;
  readonly port: number;
  /** The longest packet that the peer takes, in bytes. */
  readonly mtu: number;
  /** Of a silent peer only the device is asked, to learn whether it is back. */
  readonly silent: boolean;
}

/** One peer and the objects through which it is reached: three; on our own link the route alone; with udp none. */
export interface DesiredPeer {
  readonly hostId: string;
  readonly subnet: string;
  readonly path: PathKind;
  readonly neighbour: Neighbour | null;
  readonly entry: ForwardingEntry | null;
  readonly route: Route | null;
  /** With udp. */
  readonly tunnel: Tunnel | null;
}

export interface Desired {
  /** False when our own claim is not held: then everything of ours should go. */
  readonly isUp: boolean;
  /** The name of the device, also when none is wanted. */
  readonly device: string;
  /** That proves it ours. */
  readonly alias: string;
  /** Devices that an earlier run with another backend may have left. */
  readonly retired: readonly RetiredDevice[];
  /** The overlay's networks: what of ours is in others belongs to another agent of this host. */
  readonly networks: readonly string[];
  /** Null when nothing is wanted, and for backends without a device. */
  readonly link: VxlanLink | TunLink | null;
  readonly address: DeviceAddress | null;
  /** What answers for subnets that nobody has. */
  readonly unreachable: readonly Route[];
  /** What leads the whole overlay to the agent, with udp. */
  readonly whole: readonly Route[];
  /** In the order of the owners. */
  readonly peers: readonly DesiredPeer[];
  /** With udp and dual stack the device is of both families: IPv6 is its guest, and leaves without taking it along. */
  readonly isGuest?: true;
  /** See OverlayConfig. */
  readonly adoptsFlannel: boolean;
  /** Peers that cannot be programmed, and why. */
  readonly problems: readonly Problem[];
}

/**
 * @param own our own claim record, in whatever state; null when there is none.
 * @param owners one held record per subnet, in a stable order; our own may be among them.
 * @param silent hosts that carry no packets any more: of their routes only the one by which they are asked stays.
 */
export function desiredState(
  config: OverlayConfig,
  own: ClaimRecord | null,
  owners: readonly ClaimRecord[],
  silent: ReadonlySet<string> = new Set(),
): Desired {
  const base = {
    networks: config.networks,
    ...devicesOf(config),
    ...(isIpv4Embedded(config.underlay.address) ? { isGuest: true as const } : {}),
    adoptsFlannel: config.adoptsFlannel === true,
  };
  if (own === null || own.state !== "held") {
    const nothing = {
      link: null,
      address: null,
      unreachable: [],
      whole: [],
      peers: [],
      problems: [],
    };
    return { ...base, isUp: false, ...nothing };
  }
  const peers: DesiredPeer[] = [];
  const problems: Problem[] = [];
  const destinationOfMac = new Map<string, string>();
  for (const owner of owners) {
    if (owner.hostId === own.hostId || owner.state !== "held") continue;
    const destination = `${owner.vtep.address} port ${owner.vtep.port}`;
    const path = subnetFault(own, owner) ?? addressFault(config, own, owner.vtep) ??
      pathTo(config, owner.vtep);
    const fault = typeof path !== "string"
      ? path
      : path === "vxlan"
      ? vxlanFault(config, owner.vtep) ?? macFault(destinationOfMac, owner.vtep, destination)
      : path === "udp"
      ? portFault(owner.vtep)
      : null;
    if (fault !== null) {
      problems.push(peerProblem(owner, fault));
      continue;
    }
    if (path === "vxlan") destinationOfMac.set(owner.vtep.mac, destination);
    const isSilent = silent.has(owner.hostId);
    if (path === "udp") peers.push(udpPeer(owner, isSilent));
    else {
      const peer = path === "direct" ? directPeer(config, owner) : vxlanPeer(config, owner);
      peers.push(isSilent ? withdrawn(peer) : peer);
    }
  }
  const hasDevice = config.backend !== "host-gw";
  const isUdp = config.backend === "udp";
  return {
    ...base,
    isUp: true,
    link: isUdp ? tunLink(config) : hasDevice ? vxlanLink(config) : null,
    address: !hasDevice ? null : {
      device: base.device,
      address: deviceCidr(own.subnet),
      protocol: ROUTE_PROTOCOL,
    },
    unreachable: base.networks.map(unreachableRoute),
    whole: isUdp ? base.networks.map(networkRoute) : [],
    peers,
    problems,
  };
}

/** Our device, and those that an earlier run with another backend may have left. */
function devicesOf(
  { backend, vni, underlay }: OverlayConfig,
): Pick<Desired, "device" | "alias" | "retired"> {
  const vxlan = (family: 4 | 6) => ({ name: deviceName(vni, family), alias: DEVICE_ALIAS });
  const udp = retiredUdp(vni);
  const isUdp = backend === "udp";
  const { name: device, alias } = isUdp ? udp : vxlan(familyOf(underlay.address));
  return { device, alias, retired: isUdp ? [vxlan(4), vxlan(6)] : [udp] };
}

/** Its containers are not reached any more, its kernel is: that is how it is asked whether it is back. */
function withdrawn(peer: DesiredPeer): DesiredPeer {
  if (peer.route === null) return peer;
  return { ...peer, route: { ...peer.route, destination: deviceCidr(peer.subnet) } };
}

/** The address of a host's device in the overlay, alone. */
function deviceCidr(subnet: string): string {
  return `${deviceAddressOf(subnet)}/${isIpv6Text(subnet) ? 128 : 32}`;
}

function directPeer({ underlay }: OverlayConfig, owner: ClaimRecord): DesiredPeer {
  const { hostId, subnet } = owner;
  const route = directRoute(underlay, owner);
  return { hostId, subnet, path: "direct", neighbour: null, entry: null, route, tunnel: null };
}

function udpPeer({ hostId, subnet, vtep }: ClaimRecord, silent: boolean): DesiredPeer {
  const { address, port } = vtep;
  const tunnel = { address, port, mtu: mtuOf(vtep), silent };
  return { hostId, subnet, path: "udp", neighbour: null, entry: null, route: null, tunnel };
}

function vxlanPeer(config: OverlayConfig, owner: ClaimRecord): DesiredPeer {
  const device = deviceName(config.vni, familyOf(config.underlay.address));
  const { vtep } = owner;
  // The subnet's network address is the peer's device; its first host address is the peer's bridge.
  const gateway = deviceAddressOf(owner.subnet);
  return {
    hostId: owner.hostId,
    subnet: owner.subnet,
    path: "vxlan",
    tunnel: null,
    neighbour: {
      device,
      address: gateway,
      mac: vtep.mac,
      protocol: ROUTE_PROTOCOL,
      permanent: true,
    },
    entry: {
      device,
      mac: vtep.mac,
      destination: vtep.address,
      port: vtep.port === config.port ? null : vtep.port,
      permanent: true,
    },
    route: {
      device,
      destination: owner.subnet,
      gateway,
      onlink: true,
      protocol: ROUTE_PROTOCOL,
      table: TABLE_MAIN,
      metric: peerMetric(owner.subnet),
    },
  };
}

/** Why packets cannot be sent to that address; null when they can. */
function addressFault(config: OverlayConfig, own: ClaimRecord, vtep: Vtep): PeerFault | null {
  if (vtep.address === config.underlay.address || vtep.address === own.vtep.address) {
    return {
      code: "peer-address-is-ours",
      what: `announces ${vtep.address}, which is this host's own address`,
      remedy: "Give each host an address of its own (--public-ip on hosts behind NAT), or run " +
        "leave --release on a host that is gone",
    };
  }
  const isReachable = isIpv4Embedded(config.underlay.address)
    ? isIpv4Embedded(vtep.address)
    : isUnicast(vtep.address, familyOf(config.underlay.address));
  if (!isReachable) {
    return {
      code: "peer-address-unusable",
      what: `announces ${vtep.address}, to which no packet can be sent`,
      remedy: "Start that host with --iface or --public-ip naming its underlay address",
    };
  }
  return null;
}

/** Why VXLAN packets cannot be sent to that end point; null when they can. */
function vxlanFault(config: OverlayConfig, vtep: Vtep): PeerFault | null {
  if (!isUnicastMac(vtep.mac) || vtep.mac === config.mac) {
    return {
      code: "peer-mac-unusable",
      what: vtep.mac === config.mac
        ? `announces ${vtep.mac}, which is this host's own VTEP MAC`
        : `announces the VTEP MAC ${vtep.mac}, which is not a host's`,
      remedy:
        "Delete that host's state directory if it was copied from another host, and restart it",
    };
  }
  return portFault(vtep);
}

function portFault(vtep: Vtep): PeerFault | null {
  if (Number.isInteger(vtep.port) && vtep.port >= 1 && vtep.port <= 65_535) return null;
  const isUdp = vtep.backend === "udp";
  return {
    code: "peer-port-unusable",
    what: `announces the ${isUdp ? "UDP" : "VXLAN"} port ${vtep.port}`,
    remedy: `Start that host with a --${isUdp ? "udp" : "vxlan"}-port from 1 to 65535`,
  };
}

/** A peer's route may not draw our own containers' traffic away, whatever the ledger says. */
function subnetFault(own: ClaimRecord, owner: ClaimRecord): PeerFault | null {
  const isOne = isIpv6Text(own.subnet) ? isIpv6Network : isNetwork;
  if (!isOne(owner.subnet)) {
    return {
      code: "peer-subnet-unusable",
      what: `claims ${owner.subnet}, which is not an IPv${familyOf(own.subnet)} subnet`,
      remedy: "Run the same version of gossamer on all hosts",
    };
  }
  if (!cidrsOverlap(owner.subnet, own.subnet)) return null;
  return {
    code: "peer-subnet-overlaps",
    what: `holds ${owner.subnet}, which overlaps this host's own ${own.subnet}`,
    remedy:
      "Give all hosts the same --network and --subnet-len; a contest ends by itself when both " +
      "hosts hear of each other",
  };
}

/** One MAC leads to one place: a second owner of it elsewhere would take the first one's packets. */
function macFault(known: ReadonlyMap<string, string>, vtep: Vtep, destination: string) {
  const first = known.get(vtep.mac);
  if (first === undefined || first === destination) return null;
  return {
    code: "peer-mac-duplicate",
    what: `announces the VTEP MAC ${vtep.mac}, which another host at ${first} announces too`,
    remedy: "Delete that host's state directory if it was copied from another host, and restart it",
  };
}

function peerProblem(owner: ClaimRecord, fault: PeerFault): Problem {
  return {
    code: fault.code,
    severity: "warning",
    text: `Host ${owner.hostId} (${owner.subnet}) ${fault.what}; it is not reachable from here`,
    remedy: fault.remedy,
  };
}

/** Not unspecified (0/8), loopback (127/8), multicast (224/4), reserved or broadcast (240/4). RFC 6890. */
function isUnicast(address: string, family: 4 | 6): boolean {
  if (family === 6) return isIpv6Unicast(address);
  if (!isAddress(address)) return false;
  const first = parseAddress(address) >>> 24;
  return first !== 0 && first !== 127 && first < 224;
}
