/** The fake kernel's devices: vxlan, veth, bridge, dummy, and the loopback it starts with. */
import { ERRNO } from "../errno.ts";
import { NLM_F_CREATE, NLM_F_EXCL } from "../netlink/message.ts";
import type { NetlinkRequest } from "../netlink/transport.ts";
import { RTM } from "../route/family.ts";
import {
  decodeLink,
  IFF_LOWER_UP,
  IFF_UP,
  IFINFOMSG_BYTES,
  IFLA_ADDRESS,
  IFLA_EXT_MASK,
  IFLA_IFALIAS,
  IFLA_IFNAME,
  IFLA_INFO_DATA,
  IFLA_LINK,
  IFLA_LINKINFO,
  IFLA_MASTER,
  IFLA_MTU,
  IFLA_NET_NS_FD,
  IFLA_OPERSTATE,
  IFLA_TXQLEN,
  type Link,
} from "../route/link.ts";
import { Entry, type Notify, Refusal } from "./entry.ts";
import { VETH_INFO_PEER } from "../route/veth.ts";
import { IFLA_VXLAN_PORT, IFLA_VXLAN_UDP_CSUM } from "../route/vxlan_data.ts";

/** What Linux has used since before IANA gave VXLAN 4789. */
const DEFAULT_PORT = 8472;
const IFF_LOOPBACK = 0x8;
const KINDS: ReadonlySet<string> = new Set(["vxlan", "veth", "bridge", "dummy"]);
const ETHERNET_MTU = 1500;
/** Outer Ethernet, IPv4, UDP and VXLAN headers: 14 + 20 + 8 + 8. */
const VXLAN_OVERHEAD_BYTES = 50;
const OPERATIONALLY_UP = 6;
const OPERATIONALLY_DOWN = 2;

function view(entry: Entry): Link {
  const payload = entry.encode();
  return decodeLink({ type: RTM.NEWLINK, flags: 0, sequence: 0, port: 0, payload });
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(`${value}\0`);
}

function nameOf(entry: Entry): string | null {
  const bytes = entry.attributes.get(IFLA_IFNAME);
  if (bytes === undefined) return null;
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** States what the kernel chooses when a vxlan device's creator does not. */
function fillVxlanDefaults(entry: Entry): void {
  const info = Entry.parse(entry.attributes.get(IFLA_LINKINFO) ?? new Uint8Array(), 0);
  const data = Entry.parse(info.attributes.get(IFLA_INFO_DATA) ?? new Uint8Array(), 0);
  if (!data.attributes.has(IFLA_VXLAN_PORT)) {
    data.attributes.set(IFLA_VXLAN_PORT, Uint8Array.of(DEFAULT_PORT >> 8, DEFAULT_PORT & 0xff));
  }
  if (!data.attributes.has(IFLA_VXLAN_UDP_CSUM)) {
    data.attributes.set(IFLA_VXLAN_UDP_CSUM, Uint8Array.of(1));
  }
  info.attributes.set(IFLA_INFO_DATA, data.encode());
  entry.attributes.set(IFLA_LINKINFO, info.encode());
}

/** Devices by index. */
export class LinkTable {
  readonly #links = new Map<number, Entry>();
  readonly #veths = new Map<number, number>();
  readonly #notify: Notify;
  #nextIndex = 1;

  constructor(notify: Notify) {
    this.#notify = notify;
    const loopback = new Entry(new Uint8Array(IFINFOMSG_BYTES), new Map());
    loopback.attributes.set(IFLA_IFNAME, text("lo"));
    loopback.setU32(IFLA_MTU, 65_536);
    loopback.view.setUint32(8, IFF_LOOPBACK, true);
    this.#insert(loopback);
  }

  /** The device, decoded; null when there is none. */
  get(index: number): Link | null {
    const entry = this.#links.get(index);
    return entry === undefined ? null : view(entry);
  }

  all(): Link[] {
    return [...this.#links.values()].map(view);
  }

  #find(request: Entry): Entry {
    const index = request.view.getInt32(4, true);
    const name = nameOf(request);
    const found = index > 0
      ? this.#links.get(index)
      : [...this.#links.values()].find((link) => nameOf(link) === name);
    if (found === undefined) throw new Refusal(ERRNO.ENODEV);
    return found;
  }

  #insert(entry: Entry): Entry {
    const index = this.#nextIndex++;
    entry.view.setInt32(4, index, true);
    if (!entry.attributes.has(IFLA_ADDRESS)) {
      const address = new Uint8Array(6);
      if (index > 1) address.set([0x02, 0xfa, 0xce, 0, index >> 8, index & 0xff]);
      entry.attributes.set(IFLA_ADDRESS, address);
    }
    if (entry.u32(IFLA_TXQLEN) === null) entry.setU32(IFLA_TXQLEN, 1000);
    entry.attributes.set(IFLA_OPERSTATE, Uint8Array.of(OPERATIONALLY_DOWN));
    this.#links.set(index, entry);
    this.#notify(RTM.NEWLINK, entry);
    return entry;
  }

  /** RTM_NEWLINK. */
  add(request: NetlinkRequest): void {
    const entry = Entry.parse(request.payload, IFINFOMSG_BYTES);
    const name = nameOf(entry);
    const existing = [...this.#links.values()].find((link) => nameOf(link) === name);
    if (existing !== undefined) {
      if ((request.flags & NLM_F_EXCL) !== 0) throw new Refusal(ERRNO.EEXIST);
      return this.#change(existing, entry);
    }
    if ((request.flags & NLM_F_CREATE) === 0) throw new Refusal(ERRNO.ENODEV);
    if (name === null) throw new Refusal(ERRNO.EINVAL, "a fake device needs a name");
    const wanted = view(entry);
    if (wanted.kind === null || !KINDS.has(wanted.kind)) {
      throw new Refusal(ERRNO.EOPNOTSUPP, "Unknown device type");
    }
    this.#checkVxlan(wanted);
    entry.attributes.delete(IFLA_IFALIAS); // only a later change sets it, as in the kernel
    entry.view.setUint32(8, 0, true);
    entry.view.setUint32(12, 0, true);
    if (wanted.kind === "vxlan") fillVxlanDefaults(entry);
    if (entry.u32(IFLA_MTU) === null) entry.setU32(IFLA_MTU, this.#defaultMtu(wanted));
    const peer = wanted.kind === "veth" ? this.#peerOf(entry) : null;
    // The far end comes first, as the kernel numbers them.
    const far = peer === null ? null : this.#insert(peer).view.getInt32(4, true);
    const near = this.#insert(entry).view.getInt32(4, true);
    if (far !== null) this.#join(near, far);
  }

  #checkVxlan(wanted: Link): void {
    const { vxlan } = wanted;
    if (vxlan === null) return;
    if (vxlan.link !== null && !this.#links.has(vxlan.link)) {
      throw new Refusal(ERRNO.ENODEV, "Invalid local interface, device not found");
    }
    const port = (value: number) => value === 0 ? DEFAULT_PORT : value;
    const twin = this.all().some((link) =>
      link.vxlan !== null && link.vxlan.id === vxlan.id &&
      port(link.vxlan.port) === port(vxlan.port)
    );
    if (twin) {
      throw new Refusal(ERRNO.EEXIST, "A VXLAN device with the specified VNI already exists");
    }
  }

  #defaultMtu(wanted: Link): number {
    if (wanted.kind !== "vxlan") return ETHERNET_MTU;
    const lower = this.get(wanted.vxlan?.link ?? 0);
    return lower === null ? ETHERNET_MTU : lower.mtu - VXLAN_OVERHEAD_BYTES;
  }

  /** The far end of a veth pair; null when it goes to another namespace, which is not here. */
  #peerOf(entry: Entry): Entry | null {
    const info = Entry.parse(entry.attributes.get(IFLA_LINKINFO) ?? new Uint8Array(), 0);
    const data = Entry.parse(info.attributes.get(IFLA_INFO_DATA) ?? new Uint8Array(), 0);
    const peer = Entry.parse(data.attributes.get(VETH_INFO_PEER) ?? new Uint8Array(16), 16);
    if (peer.attributes.has(IFLA_NET_NS_FD)) return null;
    info.attributes.delete(IFLA_INFO_DATA);
    const bare = info.encode();
    entry.attributes.set(IFLA_LINKINFO, bare);
    peer.attributes.set(IFLA_LINKINFO, bare);
    if (peer.u32(IFLA_MTU) === null) peer.setU32(IFLA_MTU, ETHERNET_MTU);
    return peer;
  }

  #join(near: number, far: number): void {
    this.#veths.set(near, far);
    this.#veths.set(far, near);
    this.#links.get(near)?.setU32(IFLA_LINK, far);
    this.#links.get(far)?.setU32(IFLA_LINK, near);
  }

  /** RTM_SETLINK. Returns the device's index. */
  set(request: NetlinkRequest): number {
    const change = Entry.parse(request.payload, IFINFOMSG_BYTES);
    const link = this.#find(change);
    this.#change(link, change);
    return link.view.getInt32(4, true);
  }

  #change(link: Entry, change: Entry): void {
    const master = change.u32(IFLA_MASTER);
    if (master !== null && master !== 0 && this.get(master)?.kind !== "bridge") {
      throw new Refusal(this.#links.has(master) ? ERRNO.EOPNOTSUPP : ERRNO.EINVAL);
    }
    for (const type of [IFLA_IFNAME, IFLA_ADDRESS, IFLA_MTU, IFLA_TXQLEN, IFLA_IFALIAS]) {
      const value = change.attributes.get(type);
      if (value !== undefined) link.attributes.set(type, value);
    }
    if (link.attributes.get(IFLA_IFALIAS)?.length === 0) link.attributes.delete(IFLA_IFALIAS);
    if (master === 0) link.attributes.delete(IFLA_MASTER);
    else if (master !== null) link.setU32(IFLA_MASTER, master);
    const mask = change.view.getUint32(12, true);
    if ((mask & IFF_UP) !== 0) this.#setUp(link, (change.view.getUint32(8, true) & IFF_UP) !== 0);
    this.#notify(RTM.NEWLINK, link);
  }

  #setUp(link: Entry, up: boolean): void {
    const flags = link.view.getUint32(8, true);
    const bits = IFF_UP | IFF_LOWER_UP;
    link.view.setUint32(8, (up ? flags | bits : flags & ~bits) >>> 0, true);
    const state = up ? OPERATIONALLY_UP : OPERATIONALLY_DOWN;
    link.attributes.set(IFLA_OPERSTATE, Uint8Array.of(state));
  }

  /** RTM_DELLINK. Returns the indexes of all devices that went with it, itself first. */
  delete(request: NetlinkRequest): number[] {
    const link = this.#find(Entry.parse(request.payload, IFINFOMSG_BYTES));
    const index = link.view.getInt32(4, true);
    if (index === 1) throw new Refusal(ERRNO.EOPNOTSUPP);
    return this.#remove(index);
  }

  #remove(index: number): number[] {
    const link = this.#links.get(index);
    if (link === undefined) return [];
    this.#links.delete(index);
    this.#notify(RTM.DELLINK, link);
    for (const port of this.#links.values()) {
      if (port.u32(IFLA_MASTER) === index) port.attributes.delete(IFLA_MASTER);
    }
    const dependent = this.all().filter((other) => other.vxlan?.link === index);
    const peer = this.#veths.get(index);
    const others = [
      ...dependent.map((other) => other.index),
      ...(peer === undefined ? [] : [peer]),
    ];
    return [index, ...others.flatMap((other) => this.#remove(other))];
  }

  /** RTM_GETLINK: one device, or all of them. */
  show(request: NetlinkRequest, dump: boolean): Uint8Array[] {
    if (dump) return [...this.#links.values()].map((link) => link.encode());
    const which = Entry.parse(request.payload, IFINFOMSG_BYTES);
    which.attributes.delete(IFLA_EXT_MASK);
    return [this.#find(which).encode()];
  }
}
