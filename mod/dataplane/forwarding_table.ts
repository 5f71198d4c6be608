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
  /** Our own. */
  readonly subnet: string;
  readonly ipv6Subnet?: string;
  readonly peers: readonly PeerEntry[];
}

/** The place of our own subnet among those of the peers. */
const OURSELVES = 0x7fff_ffff;

export class ForwardingTable {
  readonly #ipv4: SubnetIndex;
  readonly #ipv6: SubnetIndex | null;
  readonly #addresses: Uint32Array;
  readonly #ports: Uint16Array;
  readonly #mtus: Uint16Array;
  readonly #silent: Uint8Array;
  /** Of those that send: only asked for what is refused. */
  readonly #endpoints = new Set<number>();
  readonly slots: number;

  /** Takes what the overlay checked: canonical texts, one subnet length, no subnet twice. */
  constructor({ subnet, ipv6Subnet, peers }: TableSpec) {
    const own = parseNetwork(subnet);
    this.slots = peers.reduce((most, { slot }) => Math.max(most, slot + 1), 0);
    this.#ipv4 = new SubnetIndex(1, own.length, peers.length + 1);
    this.#ipv6 = ipv6Subnet === undefined
      ? null
      : new SubnetIndex(4, parseIpv6Network(ipv6Subnet).length, peers.length + 1);
    this.#addresses = new Uint32Array(this.slots);
    this.#ports = new Uint16Array(this.slots);
    this.#mtus = new Uint16Array(this.slots);
    this.#silent = new Uint8Array(this.slots);
    for (const peer of peers) this.#add(peer);
    this.#ipv4.set([own.address], OURSELVES);
    if (ipv6Subnet !== undefined) this.#ipv6?.set(ipv6Words(ipv6Subnet), OURSELVES);
  }

  #add({ slot, subnet, ipv6Subnet, address, port, mtu, silent }: PeerEntry): void {
    // An underlay of IPv6 is refused by the configuration; whoever says to have one is not reached.
    if (isIpv6Text(address)) return;
    this.#ipv4.set([parseNetwork(subnet).address], slot);
    if (ipv6Subnet !== undefined) this.#ipv6?.set(ipv6Words(ipv6Subnet), slot);
    this.#addresses[slot] = parseAddress(address);
    this.#ports[slot] = port;
    this.#mtus[slot] = mtu;
    this.#silent[slot] = silent ? 1 : 0;
    this.#endpoints.add(endpointKey(this.#addresses[slot] ?? 0, port));
  }

  /** Of a peer, as an unsigned number. */
  addressOf(slot: number): number {
    return this.#addresses[slot] ?? 0;
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
   * @param address of the datagram's source, as an unsigned number.
   */
  incoming(
    bytes: Uint8Array,
    offset: number,
    length: number,
    address: number,
    port: number,
  ): number {
    const fault = checkHeader(bytes, offset, length);
    if (fault !== 0) return this.#isSender(address, port) ? fault : -DROP.unknownSender;
    const isIpv4 = versionOf(bytes, offset) === 4;
    const slot = this.#find(bytes, isIpv4, offset + (isIpv4 ? 12 : 8));
    const isFrom = slot >= 0 && slot !== OURSELVES && this.#addresses[slot] === address &&
      this.#ports[slot] === port;
    if (!isFrom) return this.#isSender(address, port) ? -DROP.foreignSource : -DROP.unknownSender;
    const destination = this.#find(bytes, isIpv4, offset + (isIpv4 ? 16 : 24));
    if (destination === OURSELVES) return slot;
    return isToMany(bytes, offset) ? -DROP.multicast : -DROP.foreignDestination;
  }

  #isSender(address: number, port: number): boolean {
    return this.#endpoints.has(endpointKey(address, port));
  }

  #find(bytes: Uint8Array, isIpv4: boolean, at: number): number {
    if (isIpv4) return this.#ipv4.find(word(bytes, at));
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

function endpointKey(address: number, port: number): number {
  return address * 0x1_0000 + port;
}

function ipv6Words(subnet: string): number[] {
  const address = parseIpv6(subnet.slice(0, subnet.indexOf("/")));
  return [96n, 64n, 32n, 0n].map((shift) => Number((address >> shift) & 0xffff_ffffn));
}
