/** Notifications of what changes in the kernel's tables of devices, addresses, routes and neighbours, and whether it forwards. */
import { BPF_ACCEPT, BPF_DROP, type BpfInstruction } from "../bpf.ts";
import { decodeAttributes } from "../netlink/attribute.ts";
import { NetlinkFormatError } from "../netlink/error.ts";
import { type NetlinkMessage, NLMSG_OVERRUN, parseMessages } from "../netlink/message.ts";
import { Notifications } from "../netlink/notifications.ts";
import { NETLINK_ROUTE } from "../netlink/socket.ts";
import { AF_BRIDGE } from "../socket.ts";
import { decodeAddress, type InterfaceAddress } from "./address.ts";
import { RTM } from "./family.ts";
import { decodeFdbEntry, type FdbEntry } from "./fdb.ts";
import { decodeLink, type Link } from "./link.ts";
import { decodeNeighbour, type Neighbour } from "./neighbour.ts";
import { decodeRoute, type Route } from "./route.ts";

/** Multicast groups as bits of nl_groups (linux/rtnetlink.h RTNLGRP_*: bit is number - 1). */
const DEVICES_IPV4 = (1 << 0) | // RTNLGRP_LINK
  (1 << 4) | // RTNLGRP_IPV4_IFADDR
  (1 << 6); // RTNLGRP_IPV4_ROUTE
const IPV6 = (1 << 8) | // RTNLGRP_IPV6_IFADDR
  (1 << 10); // RTNLGRP_IPV6_ROUTE
const GROUPS = {
  "devices-ipv4": DEVICES_IPV4,
  devices: DEVICES_IPV4 | IPV6,
  everything: DEVICES_IPV4 |
    (1 << 2) | // RTNLGRP_NEIGH, which carries forwarding entries too
    (1 << 23) | // RTNLGRP_IPV4_NETCONF
    (1 << 24) | // RTNLGRP_IPV6_NETCONF
    IPV6,
} as const;

/** What to hear of: everything, or devices, addresses and routes only, those of IPv4 or all. */
export type MonitorGroups = keyof typeof GROUPS;

/** Fields of every change. */
interface Change {
  readonly change: "new" | "delete";
  /** Port id of the socket that caused it; 0 for the kernel itself. */
  readonly port: number;
}

/** What happened. After an overrun notifications are missing: dump and compare. */
export type MonitorEvent =
  | (Change & { readonly kind: "link"; readonly link: Link })
  | (Change & { readonly kind: "address"; readonly address: InterfaceAddress })
  | (Change & { readonly kind: "route"; readonly route: Route })
  | (Change & { readonly kind: "neighbour"; readonly neighbour: Neighbour })
  | (Change & { readonly kind: "fdb"; readonly entry: FdbEntry })
  /** Of all devices: `net.ipv4.ip_forward` and its like (linux/netconf.h). */
  | (Change & { readonly kind: "forwarding" })
  /** Offloads of a device. */
  | (Change & { readonly kind: "offloads"; readonly index: number })
  | { readonly kind: "overrun"; readonly reason: string };

const RTM_NEWNETCONF = 80;
/** struct netconfmsg, one byte, aligned. */
const NETCONFMSG_BYTES = 4;
const NETCONFA_IFINDEX = 1;
const NETCONFA_FORWARDING = 2;
const ALL_DEVICES = -1;
/** linux/if_link.h: why a device is told of, and one of the reasons. */
const IFLA_EVENT = 44;
const IFLA_EVENT_FEATURES = 2;
const IFINFOMSG_BYTES = 16;

/** Each device of a container comes with settings of its own; only those of all devices are ours to care for. */
function decodeForwarding({ payload, port }: NetlinkMessage): MonitorEvent | null {
  const attributes = decodeAttributes(payload, NETCONFMSG_BYTES);
  const isOfAll = attributes.i32(NETCONFA_IFINDEX) === ALL_DEVICES;
  return isOfAll && attributes.has(NETCONFA_FORWARDING)
    ? { kind: "forwarding", change: "new", port }
    : null;
}

function isOffloadChange({ payload }: NetlinkMessage): boolean {
  return decodeAttributes(payload, IFINFOMSG_BYTES).u32(IFLA_EVENT) === IFLA_EVENT_FEATURES;
}

/** The event a notification stands for; null for one that is none of ours. */
export function decodeEvent(message: NetlinkMessage): MonitorEvent | null {
  const { port } = message;
  switch (message.type) {
    case RTM.NEWLINK:
    case RTM.DELLINK: {
      // Family AF_BRIDGE tells of a bridge port's settings; its RTM_DELLINK means "left the
      // bridge", not "is gone".
      if (message.payload[0] === AF_BRIDGE) return null;
      const change = message.type === RTM.NEWLINK ? "new" : "delete";
      const link = decodeLink(message);
      if (isOffloadChange(message)) return { kind: "offloads", change, index: link.index, port };
      return { kind: "link", change, link, port };
    }
    case RTM.NEWADDR:
    case RTM.DELADDR: {
      const address = decodeAddress(message);
      const change = message.type === RTM.NEWADDR ? "new" : "delete";
      return address === null ? null : { kind: "address", change, address, port };
    }
    case RTM.NEWROUTE:
    case RTM.DELROUTE: {
      const route = decodeRoute(message);
      const change = message.type === RTM.NEWROUTE ? "new" : "delete";
      return route === null ? null : { kind: "route", change, route, port };
    }
    case RTM.NEWNEIGH:
    case RTM.DELNEIGH:
      return decodeNeighbourEvent(message);
    case RTM_NEWNETCONF:
      return decodeForwarding(message);
    case NLMSG_OVERRUN:
      return { kind: "overrun", reason: "the kernel says that notifications were lost" };
    default:
      return null;
  }
}

function decodeNeighbourEvent(message: NetlinkMessage): MonitorEvent | null {
  const { port } = message;
  const change = message.type === RTM.NEWNEIGH ? "new" : "delete";
  const entry = decodeFdbEntry(message);
  if (entry !== null) return { kind: "fdb", change, entry, port };
  const neighbour = decodeNeighbour(message);
  return neighbour === null ? null : { kind: "neighbour", change, neighbour, port };
}

/** The events of one datagram. Bytes that make no sense are an overrun: something was missed. */
export function decodeEvents(datagram: Uint8Array): MonitorEvent[] {
  try {
    return parseMessages(datagram).map(decodeEvent).filter((event) => event !== null);
  } catch (error) {
    if (!(error instanceof NetlinkFormatError)) throw error;
    return [{ kind: "overrun", reason: error.message }];
  }
}

/** Offsets in a notification: of struct nlmsghdr, and ndm_ifindex of struct ndmsg behind it. */
const TYPE_AT = 4;
const PORT_AT = 12;
const NEIGHBOUR_INDEX_AT = 16 + 4;

/** Classic BPF loads in network order what stands in host order. */
function swapped(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value, true);
  return view.getUint32(0, false);
}

/** RTM_* are below 256. */
function swappedType(type: number): number {
  return type << 8;
}

/** Each notification is a datagram of its own. What is to be kept away from us; null mutes nobody. */
function muteProgram(port: number | null, neighboursOf: number | null): BpfInstruction[] {
  const program: BpfInstruction[] = [];
  if (port !== null) {
    program.push(
      { kind: "load-word", at: PORT_AT },
      { kind: "jump-if-equal", value: swapped(port), then: 0, otherwise: 5 },
      { kind: "load-half", at: TYPE_AT },
      { kind: "jump-if-equal", value: swappedType(RTM.NEWLINK), then: 2, otherwise: 0 },
      { kind: "jump-if-equal", value: swappedType(RTM.DELLINK), then: 1, otherwise: 0 },
      { kind: "return", value: BPF_DROP },
      { kind: "return", value: BPF_ACCEPT },
    );
  }
  if (neighboursOf !== null) {
    program.push(
      { kind: "load-half", at: TYPE_AT },
      { kind: "jump-if-equal", value: swappedType(RTM.NEWNEIGH), then: 1, otherwise: 0 },
      { kind: "jump-if-equal", value: swappedType(RTM.DELNEIGH), then: 0, otherwise: 2 },
      { kind: "load-word", at: NEIGHBOUR_INDEX_AT },
      { kind: "jump-if-equal", value: swapped(neighboursOf), then: 1, otherwise: 0 },
    );
  }
  return [...program, { kind: "return", value: BPF_ACCEPT }, { kind: "return", value: BPF_DROP }];
}

/** A running subscription. */
export class RouteMonitor extends Notifications<MonitorEvent> {
  #mutedNeighbours: number | null = null;
  #mutedPort: number | null = null;

  constructor(onEvents: (events: MonitorEvent[]) => void, groups: MonitorGroups) {
    super({
      protocol: NETLINK_ROUTE,
      groups: GROUPS[groups],
      decode: decodeEvents,
      overrun: (reason) => ({ kind: "overrun", reason }),
      onEvents,
    });
  }

  /**
   * Asks the kernel to keep notifications of neighbours and forwarding entries on one device to itself: nobody is woken by
   * them. A later call replaces the device. Where the kernel has no such filter they come as before.
   */
  muteNeighbours(deviceIndex: number): void {
    this.#mutedNeighbours = deviceIndex;
    this.#mute();
  }

  /**
   * The same of what the socket with that port id changes, devices excepted. Forwarding entries carry no port id, nor does
   * the second notification of a deleted neighbour.
   */
  muteChangesBy(port: number): void {
    this.#mutedPort = port;
    this.#mute();
  }

  #mute(): void {
    this.filter(muteProgram(this.#mutedPort, this.#mutedNeighbours));
  }
}

/**
 * Subscribes to changes of links, addresses, routes, neighbours and forwarding entries in the
 * current network namespace. `onEvents` gets everything that one wake-up found. An exception of it
 * ends the monitor and rejects `done`. Throws SysError.
 */
export function openMonitor(
  onEvents: (events: MonitorEvent[]) => void,
  groups: MonitorGroups = "everything",
): RouteMonitor {
  return new RouteMonitor(onEvents, groups);
}
