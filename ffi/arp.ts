/**
 * Address conflict detection for IPv4 (RFC 5227): asks a link who has an address, in the name of nobody. A packet(7) socket,
 * opened in the current network namespace; nothing blocks.
 */
import { pinnedBytes, viewOf } from "./bytes.ts";
import { ERRNO } from "./errno.ts";
import {
  addressToBytes,
  bytesToAddress,
  bytesToMac,
  MAC_BYTES,
  writeAddress,
  writeMac,
} from "./inet.ts";
import { check, libc } from "./libc.ts";
import { waitForInput } from "./wait.ts";
import {
  bindSocket,
  closeDescriptor,
  MSG_DONTWAIT,
  openSocket,
  receiveBytes,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
} from "./socket.ts";

const AF_PACKET = 17;
/** linux/if_ether.h, in network order. */
const ETH_P_ARP = 0x0806;
const ETH_P_IP = 0x0800;
/** linux/if_arp.h. */
const ARPHRD_ETHER = 1;
const ARPOP_REQUEST = 1;
/** struct sockaddr_ll (linux/if_packet.h). */
const SOCKADDR_LL_BYTES = 20;
/** RFC 826 for Ethernet and IPv4: kinds and lengths, operation, and the two pairs of addresses. */
const ARP_BYTES = 28;
const SENDER_MAC = 8;
const SENDER_ADDRESS = 14;
const TARGET_ADDRESS = 24;
const BROADCAST = "ff:ff:ff:ff:ff:ff";

/** Who says that an address is his. */
export interface ArpSender {
  readonly address: string;
  readonly mac: string;
}

/** The question of a host that has no address yet: "who has `address`, tell nobody". */
export function encodeArpProbe(mac: string, address: string): Uint8Array<ArrayBuffer> {
  const packet = pinnedBytes(ARP_BYTES);
  const view = viewOf(packet);
  view.setUint16(0, ARPHRD_ETHER, false);
  view.setUint16(2, ETH_P_IP, false);
  packet[4] = MAC_BYTES;
  packet[5] = addressToBytes(address).length;
  view.setUint16(6, ARPOP_REQUEST, false);
  writeMac(packet, SENDER_MAC, mac);
  writeAddress(packet, TARGET_ADDRESS, address);
  return packet;
}

/** The sender of a question or an answer; null for anything but ARP for IPv4 on Ethernet. */
export function decodeArpSender(packet: Uint8Array): ArpSender | null {
  if (packet.length < ARP_BYTES) return null;
  const view = viewOf(packet);
  if (view.getUint16(0, false) !== ARPHRD_ETHER || view.getUint16(2, false) !== ETH_P_IP) {
    return null;
  }
  if (packet[4] !== MAC_BYTES) return null;
  const address = bytesToAddress(packet.subarray(SENDER_ADDRESS, SENDER_ADDRESS + 4));
  return address === null
    ? null
    : { address, mac: bytesToMac(packet, SENDER_MAC, SENDER_MAC + MAC_BYTES) };
}

export class ArpSocket {
  readonly #index: number;
  readonly #receive = pinnedBytes(256);
  #fd: number;

  /** @param index of the device. Needs CAP_NET_RAW; throws SysError. */
  constructor(index: number) {
    this.#index = index;
    // The protocol of a packet socket is in network order.
    const protocol = ((ETH_P_ARP & 0xff) << 8) | (ETH_P_ARP >>> 8);
    const type = SOCK_DGRAM | SOCK_NONBLOCK;
    this.#fd = openSocket(AF_PACKET, type, protocol, "open a packet socket");
    try {
      bindSocket(this.#fd, this.#place(null), "bind a packet socket");
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Asks everybody on the link. Throws SysError, ENETDOWN when the device is down. */
  probe(mac: string, address: string): void {
    const packet = encodeArpProbe(mac, address);
    const to = this.#place(BROADCAST);
    const sent = libc().sendto(this.#fd, packet, BigInt(packet.length), 0, to, to.length);
    check("send an ARP probe", Number(sent));
  }

  /** What has come in since the last call. */
  receive(): ArpSender[] {
    const senders: ArpSender[] = [];
    for (;;) {
      const length = receiveBytes(this.#fd, this.#receive, MSG_DONTWAIT);
      if (length === -ERRNO.EAGAIN || length < 0) return senders;
      const sender = decodeArpSender(this.#receive.subarray(0, length));
      if (sender !== null) senders.push(sender);
    }
  }

  /** Resolves when something is there to receive, or `timeoutMs` have passed. */
  async arrival(timeoutMs: number): Promise<void> {
    await waitForInput(this.#fd, timeoutMs);
  }

  close(): void {
    if (this.#fd < 0) return;
    closeDescriptor(this.#fd);
    this.#fd = -1;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #place(mac: string | null): Uint8Array<ArrayBuffer> {
    const address = pinnedBytes(SOCKADDR_LL_BYTES);
    const view = viewOf(address);
    view.setUint16(0, AF_PACKET, true);
    view.setUint16(2, ETH_P_ARP, false);
    view.setInt32(4, this.#index, true);
    if (mac === null) return address;
    address[11] = MAC_BYTES;
    writeMac(address, 12, mac);
    return address;
  }
}
