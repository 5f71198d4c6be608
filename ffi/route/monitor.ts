/**
 * Notifications of what changes in the kernel's tables (rtnetlink multicast groups). Waiting is a
 * poll(2) on a pool thread, so the event loop stays free; reading is done here, without blocking,
 * until nothing is left, and all of it is handed over in one call.
 */
import { pinnedBytes, viewOf } from "../bytes.ts";
import { ERRNO, SysError } from "../errno.ts";
import { check, libc } from "../libc.ts";
import { BPF_ACCEPT, BPF_DROP, type BpfInstruction, setSocketFilter } from "../bpf.ts";
import { NetlinkFormatError } from "../netlink/error.ts";
import { type NetlinkMessage, NLMSG_OVERRUN, parseMessages } from "../netlink/message.ts";
import { bindNetlink, NETLINK_ROUTE } from "../netlink/socket.ts";
import { AF_BRIDGE, closeDescriptor, MSG_DONTWAIT, receiveBytes } from "../socket.ts";
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
const GROUPS = {
  "devices-ipv4": DEVICES_IPV4,
  everything: DEVICES_IPV4 |
    (1 << 2) | // RTNLGRP_NEIGH, which carries forwarding entries too
    (1 << 8) | // RTNLGRP_IPV6_IFADDR
    (1 << 10), // RTNLGRP_IPV6_ROUTE
} as const;

/** What to hear of: everything, or devices, IPv4 addresses and IPv4 routes only. */
export type MonitorGroups = keyof typeof GROUPS;

const RECEIVE_BYTES = 64 * 1024;
const POLLIN = 1;
/** Bytes of struct pollfd: fd, events, revents. */
const POLLFD_BYTES = 8;
const EFD_CLOEXEC = 0o2000000;
const FOR_EVER = -1;
/** Datagrams read before their events are handed over: about 50 ms of work for the event loop. */
const READS_PER_CALL = 4096;
/** A poll that fails this often in a row (EINTR, ENOMEM) is not going to succeed. */
const POLL_FAILURES_MAX = 16;

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
  | { readonly kind: "overrun"; readonly reason: string };

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
      return { kind: "link", change, link: decodeLink(message), port };
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
export class RouteMonitor {
  /** Settles when the monitor has ended: resolves after close(), rejects when it failed. */
  readonly done: Promise<void>;
  readonly #netlinkFd: number;
  readonly #wakeFd: number;
  readonly #onEvents: (events: MonitorEvent[]) => void;
  readonly #receive = pinnedBytes(RECEIVE_BYTES);
  /** Two struct pollfd; reachable from here for as long as the pool thread polls. */
  readonly #pollfds = pinnedBytes(2 * POLLFD_BYTES);
  #mutedNeighbours: number | null = null;
  #mutedPort: number | null = null;
  #held: PromiseWithResolvers<void> | null = null;
  #closing = false;
  #pollFailures = 0;
  #ended = false;

  constructor(onEvents: (events: MonitorEvent[]) => void, groups: MonitorGroups) {
    this.#onEvents = onEvents;
    this.#wakeFd = check("create an eventfd", libc().eventfd(0, EFD_CLOEXEC));
    try {
      this.#netlinkFd = bindNetlink(NETLINK_ROUTE, GROUPS[groups]).fd;
    } catch (error) {
      closeDescriptor(this.#wakeFd);
      throw error;
    }
    this.done = this.#run();
  }

  /** Ends the monitor: no callback comes after this. Its descriptors are shut when `done` is. */
  close(): void {
    if (this.#closing || this.#ended) return;
    this.#closing = true;
    this.release();
    const one = pinnedBytes(8);
    viewOf(one).setBigUint64(0, 1n, true);
    libc().write(this.#wakeFd, one, 8n);
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

  /** Notifications stay in the socket until the release; should it overflow, that is told as ever. */
  hold(): void {
    this.#held ??= Promise.withResolvers<void>();
  }

  release(): void {
    this.#held?.resolve();
    this.#held = null;
  }

  #mute(): void {
    if (this.#closing || this.#ended) return;
    setSocketFilter(this.#netlinkFd, muteProgram(this.#mutedPort, this.#mutedNeighbours));
  }

  async #run(): Promise<void> {
    try {
      while (!this.#closing) {
        await this.#wait();
        if (this.#held !== null) await this.#held.promise;
        if (this.#closing) break;
        const events = this.#drain();
        if (events.length > 0) this.#onEvents(events);
      }
    } finally {
      this.#ended = true;
      closeDescriptor(this.#netlinkFd);
      closeDescriptor(this.#wakeFd);
    }
  }

  /** Waits until a notification or close() is there. */
  async #wait(): Promise<void> {
    const view = viewOf(this.#pollfds);
    for (const [index, fd] of [this.#netlinkFd, this.#wakeFd].entries()) {
      view.setInt32(index * POLLFD_BYTES, fd, true);
      view.setInt16(index * POLLFD_BYTES + 4, POLLIN, true);
      view.setInt16(index * POLLFD_BYTES + 6, 0, true);
    }
    // The pool thread's errno cannot be read. The read behind a failure finds nothing, or the
    // real error.
    const ready = await libc().poll_wait(this.#pollfds, 2n, FOR_EVER);
    this.#pollFailures = ready < 0 ? this.#pollFailures + 1 : 0;
    if (this.#pollFailures === POLL_FAILURES_MAX) {
      throw new Error(`Cannot wait for notifications: poll failed ${POLL_FAILURES_MAX} times`);
    }
  }

  /** Everything that is there now, up to a limit; what is left wakes the next wait at once. */
  #drain(): MonitorEvent[] {
    const events: MonitorEvent[] = [];
    for (let reads = 0; reads < READS_PER_CALL; reads++) {
      const length = receiveBytes(this.#netlinkFd, this.#receive, MSG_DONTWAIT);
      if (length === -ERRNO.EAGAIN) return events;
      if (length === -ERRNO.ENOBUFS) return [...events, this.#overrun()];
      if (length < 0) throw new SysError("receive notifications from the kernel", -length);
      if (length > this.#receive.length) {
        events.push({ kind: "overrun", reason: `a notification of ${length} bytes was cut` });
      } else {
        events.push(...decodeEvents(this.#receive.slice(0, length)));
      }
    }
    return events;
  }

  /**
   * Empties the socket. After an overflow the kernel drops every further notification, and says
   * nothing more of it, until the socket is empty (af_netlink.c NETLINK_S_CONGESTED): whoever
   * dumped before that would miss what is dropped after.
   */
  #overrun(): MonitorEvent {
    for (;;) {
      const length = receiveBytes(this.#netlinkFd, this.#receive, MSG_DONTWAIT);
      if (length === -ERRNO.EAGAIN) break;
      if (length < 0 && length !== -ERRNO.ENOBUFS) {
        throw new SysError("receive notifications from the kernel", -length);
      }
    }
    return { kind: "overrun", reason: "the socket's receive buffer overflowed" };
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
