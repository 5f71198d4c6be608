/** The fake kernel's neighbours, and the forwarding tables of its vxlan devices. */
import { ERRNO } from "../errno.ts";
import { NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL } from "../netlink/message.ts";
import type { NetlinkRequest } from "../netlink/transport.ts";
import { RTM } from "../route/family.ts";
import {
  NDA_DST,
  NDA_IFINDEX,
  NDA_LLADDR,
  NDA_PORT,
  NDA_VNI,
  NDMSG_BYTES,
} from "../route/neighbour_message.ts";
import { AF_BRIDGE } from "../socket.ts";
import { Entry, type Notify, Refusal } from "./entry.ts";

/** True for a request about a forwarding table. */
export function isForwarding(request: NetlinkRequest): boolean {
  return request.payload[0] === AF_BRIDGE;
}

/** Index of the device a request is about. */
export function deviceOf(request: NetlinkRequest): number {
  return Entry.parse(request.payload, NDMSG_BYTES).view.getInt32(4, true);
}

function refuseExisting(flags: number, exists: boolean): void {
  if (exists && (flags & NLM_F_EXCL) !== 0) throw new Refusal(ERRNO.EEXIST);
  if (!exists && (flags & NLM_F_CREATE) === 0) throw new Refusal(ERRNO.ENOENT);
}

/** Entries by device and address; the neighbours of IPv4 and IPv6. */
export class NeighbourTable {
  readonly #entries = new Map<string, Entry>();
  readonly #notify: Notify;

  constructor(notify: Notify) {
    this.#notify = notify;
  }

  #key(entry: Entry): string {
    const address = entry.key(NDA_DST);
    if (address === "") throw new Refusal(ERRNO.EINVAL, "Network address not specified");
    return `${entry.view.getInt32(4, true)} ${address}`;
  }

  /** RTM_NEWNEIGH. */
  add(request: NetlinkRequest): void {
    const entry = Entry.parse(request.payload, NDMSG_BYTES);
    const key = this.#key(entry);
    refuseExisting(request.flags, this.#entries.has(key));
    this.#entries.set(key, entry);
    this.#notify(RTM.NEWNEIGH, entry);
  }

  /** RTM_DELNEIGH. */
  delete(request: NetlinkRequest): void {
    const key = this.#key(Entry.parse(request.payload, NDMSG_BYTES));
    const entry = this.#entries.get(key);
    if (entry === undefined) throw new Refusal(ERRNO.ENOENT);
    this.#entries.delete(key);
    this.#notify(RTM.DELNEIGH, entry);
  }

  /** What goes with a device that is deleted or set down. */
  deleteOf(index: number): void {
    for (const [key, entry] of this.#entries) {
      if (entry.view.getInt32(4, true) !== index) continue;
      this.#entries.delete(key);
      this.#notify(RTM.DELNEIGH, entry);
    }
  }

  /** RTM_GETNEIGH: those of one family, and of one device if it is named. */
  show(request: NetlinkRequest): Uint8Array[] {
    const filter = Entry.parse(request.payload, NDMSG_BYTES);
    const family = filter.view.getUint8(0);
    const index = filter.u32(NDA_IFINDEX);
    return [...this.#entries.values()]
      .filter((entry) => entry.view.getUint8(0) === family)
      .filter((entry) => index === null || entry.view.getInt32(4, true) === index)
      .map((entry) => entry.encode());
  }
}

/** What tells the remotes of one MAC address apart. */
const REMOTE = [NDA_DST, NDA_PORT, NDA_VNI, NDA_IFINDEX];

/** Forwarding entries of vxlan devices: MAC addresses, each with its remotes. */
export class ForwardingTable {
  /** Remotes by device and MAC address. */
  readonly #entries = new Map<string, Entry[]>();
  readonly #notify: Notify;

  constructor(notify: Notify) {
    this.#notify = notify;
  }

  #key(entry: Entry): string {
    return `${entry.view.getInt32(4, true)} ${entry.key(NDA_LLADDR)}`;
  }

  /** RTM_NEWNEIGH with family AF_BRIDGE. */
  add(request: NetlinkRequest): void {
    const entry = Entry.parse(request.payload, NDMSG_BYTES);
    if (!entry.attributes.has(NDA_LLADDR)) throw new Refusal(ERRNO.EINVAL, "invalid address");
    const existing = this.#entries.get(this.#key(entry)) ?? [];
    refuseExisting(request.flags, existing.length > 0);
    const append = (request.flags & NLM_F_APPEND) !== 0;
    const remote = (other: Entry) => REMOTE.map((type) => other.key(type)).join();
    const kept = append ? existing.filter((other) => remote(other) !== remote(entry)) : [];
    this.#entries.set(this.#key(entry), [...kept, entry]);
    this.#notify(RTM.NEWNEIGH, entry);
  }

  /** RTM_DELNEIGH with family AF_BRIDGE: one remote if it is named, else all. */
  delete(request: NetlinkRequest): void {
    const wanted = Entry.parse(request.payload, NDMSG_BYTES);
    const named = REMOTE.filter((type) => wanted.attributes.has(type));
    const existing = this.#entries.get(this.#key(wanted)) ?? [];
    const matches = (entry: Entry) => named.every((type) => entry.key(type) === wanted.key(type));
    const found = existing.filter(matches);
    if (found.length === 0) throw new Refusal(ERRNO.ENOENT);
    const rest = existing.filter((entry) => !matches(entry));
    if (rest.length === 0) this.#entries.delete(this.#key(wanted));
    else this.#entries.set(this.#key(wanted), rest);
    for (const entry of found) this.#notify(RTM.DELNEIGH, entry);
  }

  /** What goes with a device. */
  deleteOf(index: number): void {
    for (const [key, entries] of this.#entries) {
      if (!key.startsWith(`${index} `)) continue;
      this.#entries.delete(key);
      for (const entry of entries) this.#notify(RTM.DELNEIGH, entry);
    }
  }

  /** RTM_GETNEIGH with family AF_BRIDGE: those of one device, or all for index 0. */
  show(request: NetlinkRequest): Uint8Array[] {
    const index = deviceOf(request);
    return [...this.#entries.values()].flat()
      .filter((entry) => index === 0 || entry.view.getInt32(4, true) === index)
      .map((entry) => entry.encode());
  }
}
