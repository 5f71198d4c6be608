/**
 * Where packets go and from whom they are taken: what the data path of the UDP backend decides of each packet, in constant
 * time and without a new object. A table does not change: news of members makes another one, put in its place between two
 * packets.
 *
 * Nobody here lowers a packet's time to live: the sender's kernel did when it forwarded the packet from the bridge to the
 * TUN device, and the receiver's does from there to its bridge, so that the way between is one link (RFC 2003 section 3.1)
 * and hops are the same as with VXLAN. Nothing can go round in circles: what is taken from the underlay must be for our own
 * subnet, and what is sent never is.
 */
import { isIpv6Text, parseIpv6, parseIpv6Network } from "../address/ipv6.ts";
import { parseAddress, parseNetwork } from "../address/parse.ts";
import { DROP } from "./drop_reason.ts";
import { checkHeader, isToMany, versionOf, word } from "./ip_header.ts";
import { NOBODY, SubnetIndex } from "./subnet_index.ts";

/** A member that takes packets in UDP. */
export interface PeerEntry {
  readonly hostId: string;
  /** Its place among the counters, the same as long as it is known. From 0, without large gaps. */
  readonly slot: number;
  readonly subnet: string;
  readonly ipv6Subnet?: string;
  /** Where it receives and from where it sends. */
  readonly address: string;
  readonly port: number;
  /** The longest packet that it takes, in bytes. */
  readonly mtu: number;
  /** Of a silent one nothing but the device is asked, to learn whether it is back. */
  readonly silent: boolean;
}

/** Plain data, as it is sent from one thread to another. */
export interface TableSpec {
  /** Our own, of either family. Peers of the other one are nobody. */
  readonly subnet: string;
  /** With dual stack. */
  readonly ipv6Subnet?: string;
  readonly peers: readonly PeerEntry[];
}

/** Of the underlay: an unsigned number of IPv4, or the four of IPv6. */
export type UnderlayAddress = number | readonly number[];

/** The place of our own subnet among those of the peers. */
const OURSELVES = 0x7fff_ffff;

export class ForwardingTable {
  readonly #ipv4: SubnetIndex | null;
  readonly #ipv6: SubnetIndex | null;
  /** Hosts talk over the family of their subnets; with dual stack over IPv4, whatever is inside. */
  readonly #isIpv4: boolean;
  readonly #addresses: UnderlayAddress[];
  /** The same, four for each slot. */
  readonly #words: Uint32Array;
  readonly #ports: Uint16Array;
  readonly #mtus: Uint16Array;
  readonly #silent: Uint8Array;
  /** Of those that send: only asked for what is refused. */
  readonly #endpoints = new Set<number>();
  readonly slots: number;

  /** Takes what the overlay checked: canonical texts, one subnet length, no subnet twice. */
  constructor({ subnet, ipv6Subnet, peers }: TableSpec) {
    this.#isIpv4 = !isIpv6Text(subnet);
    const ipv6 = this.#isIpv4 ? ipv6Subnet : subnet;
    this.slots = peers.reduce((most, { slot }) => Math.max(most, slot + 1), 0);
    this.#ipv4 = this.#isIpv4
      ? new SubnetIndex(1, parseNetwork(subnet).length, peers.length + 1)
      : null;
    this.#ipv6 = ipv6 === undefined
      ? null
      : new SubnetIndex(4, parseIpv6Network(ipv6).length, peers.length + 1);
    this.#addresses = Array.from({ length: this.slots }, () => 0);
    this.#words = new Uint32Array(4 * this.slots);
    this.#ports = new Uint16Array(this.slots);
    this.#mtus = new Uint16Array(this.slots);
    this.#silent = new Uint8Array(this.slots);
    for (const peer of peers) this.#add(peer);
    if (this.#isIpv4) this.#ipv4?.set([parseNetwork(subnet).address], OURSELVES);
    if (ipv6 !== undefined) this.#ipv6?.set(ipv6Words(ipv6), OURSELVES);
  }

  #add({ slot, subnet, ipv6Subnet, address, port, mtu, silent }: PeerEntry): void {
    // Over one family a socket sends; whoever says to be reached over the other one is not.
    if (isIpv6Text(address) === this.#isIpv4 || isIpv6Text(subnet) === this.#isIpv4) return;
    const ipv6 = this.#isIpv4 ? ipv6Subnet : subnet;
    if (this.#isIpv4) this.#ipv4?.set([parseNetwork(subnet).address], slot);
    if (ipv6 !== undefined) this.#ipv6?.set(ipv6Words(ipv6), slot);
    const words = underlayWords(address);
    this.#addresses[slot] = this.#isIpv4 ? words[0] ?? 0 : words;
    this.#words.set(words, 4 * slot);
    this.#ports[slot] = port;
    this.#mtus[slot] = mtu;
    this.#silent[slot] = silent ? 1 : 0;
    const [a = 0, b = 0, c = 0, d = 0] = words;
    this.#endpoints.add(endpointKey(a, b, c, d, port));
  }

  /** Of a peer. */
  addressOf(slot: number): UnderlayAddress {
    return this.#addresses[slot] ?? 0;
  }

  /** Whether both tables send what is for that slot to the same place. */
  isSameWay(other: ForwardingTable, slot: number): boolean {
    return this.#isIpv4 === other.#isIpv4 && this.portOf(slot) === other.portOf(slot) &&
      [0, 1, 2, 3].every((index) => {
        const at = 4 * slot + index;
        return (this.#words[at] ?? 0) === (other.#words[at] ?? 0);
      });
  }

  portOf(slot: number): number {
    return this.#ports[slot] ?? 0;
  }

  /** The longest packet that the peer takes. */
  mtuOf(slot: number): number {
    return this.#mtus[slot] ?? 0;
  }

  /** What to do with a packet that the kernel wants sent: the slot of the peer, or a negative {@linkcode DROP} reason. */
  outgoing(bytes: Uint8Array, offset: number, length: number): number {
    const fault = checkHeader(bytes, offset, length);
    if (fault !== 0) return fault;
    if (isToMany(bytes, offset)) return -DROP.multicast;
    const isIpv4 = versionOf(bytes, offset) === 4;
    // Whoever gets it would refuse it.
    if (this.#find(bytes, isIpv4, offset + (isIpv4 ? 12 : 8)) !== OURSELVES) {
      return -DROP.foreignSource;
    }
    const at = offset + (isIpv4 ? 16 : 24);
    const slot = this.#find(bytes, isIpv4, at);
    if (slot === NOBODY) return -DROP.noHost;
    if (slot === OURSELVES) return -DROP.ownSubnet;
    return this.#silent[slot] === 1 && !this.#isDevice(bytes, isIpv4, at) ? -DROP.silentHost : slot;
  }

  /**
   * What to do with a packet that came in a datagram: the slot of the peer that sent it, or a negative {@linkcode DROP}
   * reason.
   *
   * @param a of the datagram's source, with IPv4 all of its address, with IPv6 the first of four words.
   */
  incoming(
    bytes: Uint8Array,
    offset: number,
    length: number,
    a: number,
    port: number,
    b = 0,
    c = 0,
    d = 0,
  ): number {
    const fault = checkHeader(bytes, offset, length);
    if (fault !== 0) return this.#isSender(a, b, c, d, port) ? fault : -DROP.unknownSender;
    const isIpv4 = versionOf(bytes, offset) === 4;
    const slot = this.#find(bytes, isIpv4, offset + (isIpv4 ? 12 : 8));
    const isFrom = slot >= 0 && slot !== OURSELVES && this.#ports[slot] === port &&
      this.#isAt(slot, a, b, c, d);
    if (!isFrom) {
      return this.#isSender(a, b, c, d, port) ? -DROP.foreignSource : -DROP.unknownSender;
    }
    const destination = this.#find(bytes, isIpv4, offset + (isIpv4 ? 16 : 24));
    if (destination === OURSELVES) return slot;
    return isToMany(bytes, offset) ? -DROP.multicast : -DROP.foreignDestination;
  }

  #isAt(slot: number, a: number, b: number, c: number, d: number): boolean {
    const words = this.#words;
    const at = 4 * slot;
    return words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d;
  }

  #isSender(a: number, b: number, c: number, d: number, port: number): boolean {
    return this.#endpoints.has(endpointKey(a, b, c, d, port));
  }

  #find(bytes: Uint8Array, isIpv4: boolean, at: number): number {
    if (isIpv4) return this.#ipv4?.find(word(bytes, at)) ?? NOBODY;
    return this.#ipv6?.find(
      word(bytes, at),
      word(bytes, at + 4),
      word(bytes, at + 8),
      word(bytes, at + 12),
    ) ?? NOBODY;
  }

  /** Whether that is the first address of a subnet, the one of the host's device: its host bits are 0. */
  #isDevice(bytes: Uint8Array, isIpv4: boolean, at: number): boolean {
    const index = isIpv4 ? this.#ipv4 : this.#ipv6;
    return index?.isFirst(bytes, at) ?? false;
  }
}

/** Of IPv6 addresses two may have the same one: then a drop is counted for another reason, and is one all the same. */
function endpointKey(a: number, b: number, c: number, d: number, port: number): number {
  const mixed = Math.imul(Math.imul(Math.imul(d, 31) + c, 31) + b, 31);
  return ((a ^ mixed) >>> 0) * 0x1_0000 + port;
}

/** As a table compares it: one word of IPv4, four of IPv6. */
export function underlayWords(address: string): number[] {
  return isIpv6Text(address) ? ipv6Words(address) : [parseAddress(address)];
}

function ipv6Words(subnet: string): number[] {
  const [text = ""] = subnet.split("/");
  const address = parseIpv6(text);
  return [96n, 64n, 32n, 0n].map((shift) => Number((address >> shift) & 0xffff_ffffn));
}
