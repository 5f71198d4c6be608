/**
 * The fake kernel's routes. It keeps the rules that users run into: a next hop must be reachable
 * or onlink, its device must be up, a destination with host bits is refused. The local table,
 * which nobody sets by hand, is not kept.
 */
import { ERRNO } from "../errno.ts";
import { addressToBytes, IPV4_BYTES, parsePrefix } from "../inet.ts";
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from "../netlink/message.ts";
import type { NetlinkRequest } from "../netlink/transport.ts";
import type { InterfaceAddress } from "../route/address.ts";
import { kernelFamily, RTM } from "../route/family.ts";
import type { Link } from "../route/link.ts";
import {
  decodeRoute,
  PROTOCOL,
  type Route,
  routeAddRequest,
  RTA_DST,
  RTA_GATEWAY,
  RTA_OIF,
  RTA_PREFSRC,
  RTA_PRIORITY,
  RTA_TABLE,
  SCOPE,
  TABLE_MAIN,
} from "../route/route.ts";
import { Entry, type Notify, Refusal } from "./entry.ts";

const RTMSG_BYTES = 12;
const RTM_F_CLONED = 0x200;
/** IP6_RT_PRIO_USER, what the kernel gives IPv6 routes without a metric. */
const IPV6_PRIORITY = 1024;

/** What routes need to know of the other tables. */
export interface RouteSurroundings {
  link(index: number): Link | null;
  addressesOf(index: number): InterfaceAddress[];
}

function view(entry: Entry): Route {
  const payload = entry.encode();
  const route = decodeRoute({ type: RTM.NEWROUTE, flags: 0, sequence: 0, port: 0, payload });
  if (route === null) throw new Refusal(ERRNO.EAFNOSUPPORT);
  return route;
}

/** True when `address` is within `cidr`. */
export function covers(cidr: string, address: string): boolean {
  const { bytes, length } = parsePrefix(cidr);
  const other = addressToBytes(address);
  if (bytes.length !== other.length) return false;
  for (let bit = 0; bit < length; bit++) {
    const mask = 0x80 >> (bit & 7);
    if (((bytes[bit >> 3] ?? 0) & mask) !== ((other[bit >> 3] ?? 0) & mask)) return false;
  }
  return true;
}

function hasHostBits(bytes: Uint8Array, length: number): boolean {
  return bytes.some((byte, index) => {
    const kept = Math.max(0, Math.min(8, length - 8 * index));
    return (byte & (0xff >> kept)) !== 0;
  });
}

/** Routes with equal slots differ in metric only. */
function slotOf(entry: Entry): string {
  const table = entry.u32(RTA_TABLE) ?? entry.view.getUint8(4);
  return `${entry.view.getUint8(0)} ${entry.key(RTA_DST)}/${entry.view.getUint8(1)} ${table}`;
}

/** Routes of all tables but the local one. */
export class RouteTable {
  /** By slot, so that thousands of peers stay quick. */
  readonly #slots = new Map<string, Entry[]>();
  readonly #notify: Notify;
  readonly #surroundings: RouteSurroundings;

  constructor(notify: Notify, surroundings: RouteSurroundings) {
    this.#notify = notify;
    this.#surroundings = surroundings;
  }

  all(): Route[] {
    return this.#entries().map(view);
  }

  #entries(): Entry[] {
    return [...this.#slots.values()].flat();
  }

  /** RTM_NEWROUTE. */
  add(request: NetlinkRequest): void {
    const entry = Entry.parse(request.payload, RTMSG_BYTES);
    const wanted = view(entry);
    if (hasHostBits(parsePrefix(wanted.destination).bytes, entry.view.getUint8(1))) {
      throw new Refusal(ERRNO.EINVAL, "Invalid prefix for given prefix length");
    }
    this.#checkNextHop(entry, wanted);
    if (wanted.family === 6 && !wanted.priority) entry.setU32(RTA_PRIORITY, IPV6_PRIORITY);
    entry.setU32(RTA_TABLE, wanted.table);
    const slot = this.#slots.get(slotOf(entry)) ?? [];
    const priority = (other: Entry) => other.u32(RTA_PRIORITY) ?? 0;
    const twin = slot.find((other) => priority(other) === priority(entry));
    if (twin !== undefined && (request.flags & NLM_F_EXCL) !== 0) throw new Refusal(ERRNO.EEXIST);
    if (twin === undefined && (request.flags & NLM_F_CREATE) === 0) {
      throw new Refusal(ERRNO.ENOENT);
    }
    const replaced = (request.flags & NLM_F_REPLACE) !== 0 ? twin : undefined;
    this.#slots.set(slotOf(entry), [...slot.filter((other) => other !== replaced), entry]);
    this.#notify(RTM.NEWROUTE, entry);
  }

  /** Checks device and gateway, and fills in the device that a bare gateway implies. */
  #checkNextHop(entry: Entry, wanted: Route): void {
    if (wanted.index !== null) {
      const link = this.#surroundings.link(wanted.index);
      if (link === null) throw new Refusal(ERRNO.ENODEV);
      if (!link.up) throw new Refusal(ERRNO.ENETDOWN, "Nexthop device is not up");
    }
    const { gateway } = wanted;
    if (gateway === null || (wanted.onlink && wanted.index !== null)) return;
    const towards = this.#lookup(gateway)
      .find((route) =>
        route.gateway === null && (wanted.index === null || route.index === wanted.index)
      );
    if (towards === undefined || towards.index === null) {
      throw new Refusal(ERRNO.ENETUNREACH, "Nexthop has invalid gateway");
    }
    entry.setU32(RTA_OIF, towards.index);
  }

  /** Routes of the main table to `address`, best first. */
  #lookup(address: string): Route[] {
    const length = (route: Route) => parsePrefix(route.destination).length;
    return this.all()
      .filter((route) => route.table === TABLE_MAIN && covers(route.destination, address))
      .sort((a, b) => length(b) - length(a) || (a.priority ?? 0) - (b.priority ?? 0));
  }

  /** RTM_DELROUTE: the first that matches; what the request leaves open matches anything. */
  delete(request: NetlinkRequest): void {
    const wanted = Entry.parse(request.payload, RTMSG_BYTES);
    const { protocol, scope, type } = view(wanted);
    const named = [RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_PREFSRC]
      .filter((attribute) => wanted.attributes.has(attribute));
    const found = this.#slots.get(slotOf(wanted))?.find((entry) => {
      const route = view(entry);
      return (protocol === 0 || route.protocol === protocol) &&
        (scope === SCOPE.NOWHERE || route.scope === scope) &&
        (type === 0 || route.type === type) &&
        named.every((attribute) => entry.key(attribute) === wanted.key(attribute));
    });
    if (found === undefined) throw new Refusal(ERRNO.ESRCH);
    this.#remove(found);
    this.#notify(RTM.DELROUTE, found);
  }

  #remove(entry: Entry): void {
    const slot = slotOf(entry);
    const rest = (this.#slots.get(slot) ?? []).filter((other) => other !== entry);
    if (rest.length === 0) this.#slots.delete(slot);
    else this.#slots.set(slot, rest);
  }

  /**
   * What goes with a device that is deleted or set down. The kernel says nothing about the IPv4
   * routes that vanish so, and neither does this.
   */
  deleteOf(index: number): void {
    for (const entry of this.#entries()) {
      if (entry.u32(RTA_OIF) === index) this.#remove(entry);
    }
  }

  /** Keeps the connected routes of a device in step with its addresses. */
  connect(index: number): void {
    const up = this.#surroundings.link(index)?.up === true;
    const wanted = (up ? this.#surroundings.addressesOf(index) : [])
      .filter(({ family, prefixLength }) => prefixLength < (family === 4 ? 32 : 128))
      .map((address) => connectedRoute(address));
    const connected = this.#entries().filter((entry) =>
      entry.u32(RTA_OIF) === index && entry.view.getUint8(5) === PROTOCOL.KERNEL
    );
    const isIn = (list: readonly Entry[], entry: Entry) =>
      list.some((other) => slotOf(other) === slotOf(entry));
    for (const entry of connected.filter((entry) => !isIn(wanted, entry))) {
      this.#remove(entry);
      this.#notify(RTM.DELROUTE, entry);
    }
    for (const entry of wanted.filter((entry) => !isIn(connected, entry))) {
      this.#slots.set(slotOf(entry), [...this.#slots.get(slotOf(entry)) ?? [], entry]);
      this.#notify(RTM.NEWROUTE, entry);
    }
  }

  /** RTM_GETROUTE with NLM_F_DUMP: those of a family, and of protocol, table, device if named. */
  show(request: NetlinkRequest): Uint8Array[] {
    const filter = Entry.parse(request.payload, RTMSG_BYTES);
    const family = filter.view.getUint8(0);
    const protocol = filter.view.getUint8(5);
    const matches = (entry: Entry, type: number) =>
      !filter.attributes.has(type) || entry.u32(type) === filter.u32(type);
    return this.#entries()
      .filter((entry) => family === 0 || entry.view.getUint8(0) === family)
      .filter((entry) => protocol === 0 || entry.view.getUint8(5) === protocol)
      .filter((entry) => matches(entry, RTA_TABLE) && matches(entry, RTA_OIF))
      .map((entry) => entry.encode());
  }

  /** RTM_GETROUTE: the way to one address. */
  get(request: NetlinkRequest): Uint8Array {
    const [address = ""] = view(Entry.parse(request.payload, RTMSG_BYTES)).destination.split("/");
    const [route] = this.#lookup(address);
    if (route === undefined || route.index === null) throw new Refusal(ERRNO.ENETUNREACH);
    const bytes = addressToBytes(address);
    const answer = new Entry(new Uint8Array(RTMSG_BYTES), new Map([[RTA_DST, bytes]]));
    answer.view.setUint8(0, kernelFamily(route.family));
    answer.view.setUint8(1, bytes.length * 8);
    answer.view.setUint8(4, route.table);
    answer.view.setUint8(7, route.type);
    answer.view.setUint32(8, RTM_F_CLONED, true);
    answer.setU32(RTA_OIF, route.index);
    const { gateway } = route;
    if (gateway !== null) answer.attributes.set(RTA_GATEWAY, addressToBytes(gateway));
    const source = route.preferredSource ?? this.#sourceFor(route);
    if (source !== null) answer.attributes.set(RTA_PREFSRC, addressToBytes(source));
    return answer.encode();
  }

  #sourceFor(route: Route): string | null {
    const addresses = this.#surroundings.addressesOf(route.index ?? 0)
      .filter((address) => address.family === route.family);
    const towards = route.gateway ?? route.destination.split("/")[0] ?? "";
    const near = addresses.find((own) => covers(`${own.address}/${own.prefixLength}`, towards));
    return (near ?? addresses[0])?.address ?? null;
  }
}

/** The route the kernel makes for an address with a prefix. */
function connectedRoute(address: InterfaceAddress): Entry {
  const bytes = addressToBytes(address.address);
  const network = bytes.map((byte, index) => {
    const kept = Math.max(0, Math.min(8, address.prefixLength - 8 * index));
    return byte & ~(0xff >> kept);
  });
  const v4 = bytes.length === IPV4_BYTES;
  const text = v4
    ? network.join(".")
    : Array.from({ length: 8 }, (_, group) =>
      (((network[2 * group] ?? 0) << 8) | (network[2 * group + 1] ?? 0)).toString(16)).join(":");
  const { payload } = routeAddRequest({
    destination: `${text}/${address.prefixLength}`,
    index: address.index,
    protocol: PROTOCOL.KERNEL,
    ...(v4 ? { preferredSource: address.address } : { priority: 256 }),
  });
  const entry = Entry.parse(payload, RTMSG_BYTES);
  entry.setU32(RTA_TABLE, TABLE_MAIN);
  return entry;
}
