/**
 * ICMP echo, for the demo and the tests in place of a ping binary (RFC 792, RFC 4443 §4). A socket
 * is opened in the current network namespace and stays there; nothing blocks.
 */
import { pinnedBytes, viewOf } from "./bytes.ts";
import { ERRNO, SysError } from "./errno.ts";
import { addressToBytes, bytesToAddress, familyOf } from "./inet.ts";
import { check, lastErrno, libc } from "./libc.ts";
import {
  AF_INET,
  AF_INET6,
  closeDescriptor,
  MSG_DONTWAIT,
  MSG_TRUNC,
  openSocket,
  setOption,
  SOCK_NONBLOCK,
  SOCK_RAW,
} from "./socket.ts";

const POLLIN = 1;
const IPPROTO_IP = 0;
export const IPPROTO_ICMP = 1;
const IPPROTO_IPV6 = 41;
export const IPPROTO_ICMPV6 = 58;
const IP_MTU_DISCOVER = 10;
const IPV6_MTU_DISCOVER = 23;
/** Let packets be fragmented, here and on the way. */
const PMTUDISC_DONT = 0;
/** Set DF (on IPv6: do not fragment here), and refuse with EMSGSIZE what exceeds the path MTU. */
const PMTUDISC_DO = 2;

/** Message types of echo by family. */
export const ECHO = {
  4: { request: 8, reply: 0 },
  6: { request: 128, reply: 129 },
} as const;

/** Type, code, checksum, identifier, sequence number. */
const ICMP_HEADER_BYTES = 8;
const RECEIVE_BYTES = 64 * 1024;
/** Most payload an IPv4 packet can carry: 65,535 - 20 - 8. */
const LARGEST_PAYLOAD_BYTES = 65_507;

/** What routers say about packets sent earlier, read from the socket once each. */
export const REPORTED_ERRORS: ReadonlySet<number> = new Set([
  ERRNO.EINTR,
  ERRNO.EMSGSIZE,
  ERRNO.EPROTO,
  ERRNO.EACCES,
  ERRNO.EHOSTDOWN,
  ERRNO.EHOSTUNREACH,
  ERRNO.ENETUNREACH,
  ERRNO.ECONNREFUSED,
  ERRNO.EOPNOTSUPP,
]);

/** An answer to one of our echo requests. */
export interface EchoReply {
  readonly sequence: number;
  readonly from: string;
  readonly payloadBytes: number;
}

/** Options of one echo request. */
export interface EchoOptions {
  /** Forbid fragmentation; off by default. */
  readonly dontFragment?: boolean;
}

/** Internet checksum (RFC 1071) of `bytes`. */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < bytes.length; index += 2) {
    sum += ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** An echo request with a payload of `payloadBytes` counting bytes. */
export function encodeEcho(
  family: 4 | 6,
  identifier: number,
  sequence: number,
  payloadBytes: number,
): Uint8Array<ArrayBuffer> {
  const packet = pinnedBytes(ICMP_HEADER_BYTES + payloadBytes);
  const view = viewOf(packet);
  view.setUint8(0, ECHO[family].request);
  view.setUint16(4, identifier, false);
  view.setUint16(6, sequence, false);
  for (let index = 0; index < payloadBytes; index++) packet[ICMP_HEADER_BYTES + index] = index;
  // The kernel computes ICMPv6 checksums itself, because they cover the pseudo header.
  if (family === 4) view.setUint16(2, internetChecksum(packet), false);
  return packet;
}

/** Sequence number and payload size of an echo reply to `identifier`; null for anything else. */
export function decodeEcho(
  family: 4 | 6,
  packet: Uint8Array,
  identifier: number,
): { sequence: number; payloadBytes: number } | null {
  const start = family === 4 ? 4 * ((packet[0] ?? 0) & 0x0f) : 0;
  if (packet.length < start + ICMP_HEADER_BYTES) return null;
  const view = viewOf(packet.subarray(start));
  if (view.getUint8(0) !== ECHO[family].reply) return null;
  if (view.getUint16(4, false) !== identifier) return null;
  return {
    sequence: view.getUint16(6, false),
    payloadBytes: packet.length - start - ICMP_HEADER_BYTES,
  };
}

let lastIdentifier = 0;

/** A socket that pings one destination. */
export class IcmpSocket {
  readonly #family: 4 | 6;
  readonly #identifier: number;
  readonly #receive = pinnedBytes(RECEIVE_BYTES);
  readonly #from = pinnedBytes(28); // struct sockaddr_in6
  readonly #fromLength = pinnedBytes(4);
  readonly #pollfd = pinnedBytes(8); // struct pollfd: fd, events, revents
  #fd: number;

  constructor(destination: string) {
    this.#family = familyOf(destination);
    // Several sockets of one process, and several processes, share a namespace.
    this.#identifier = (Deno.pid + 7919 * lastIdentifier++) & 0xffff;
    const v4 = this.#family === 4;
    this.#fd = openSocket(
      v4 ? AF_INET : AF_INET6,
      SOCK_RAW | SOCK_NONBLOCK,
      v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
      "open an ICMP socket",
    );
    try {
      const address = socketAddress(destination);
      check(`ping ${destination}`, libc().connect(this.#fd, address, address.length));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Sends one echo request. "too-big" is the kernel's EMSGSIZE: with `dontFragment` the packet
   * exceeds the path MTU. Sequence numbers have 16 bits. Throws SysError, such as ENETUNREACH.
   */
  send(sequence: number, payloadBytes: number, options: EchoOptions = {}): "sent" | "too-big" {
    if (payloadBytes < 0 || payloadBytes > LARGEST_PAYLOAD_BYTES) {
      throw new Error(`Echo payload of ${payloadBytes} bytes is not within 0 to 65507`);
    }
    const v4 = this.#family === 4;
    setOption(
      this.#fd,
      v4 ? IPPROTO_IP : IPPROTO_IPV6,
      v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER,
      options.dontFragment === true ? PMTUDISC_DO : PMTUDISC_DONT,
      "set the path MTU discovery of an ICMP socket",
    );
    const packet = encodeEcho(this.#family, this.#identifier, sequence, payloadBytes);
    // An ICMP error that came in earlier is reported by the next send, which then is not done.
    for (let attempt = 0;; attempt++) {
      if (Number(libc().send(this.#fd, packet, BigInt(packet.length), 0)) >= 0) return "sent";
      const errno = lastErrno();
      if (errno === ERRNO.EMSGSIZE) return "too-big";
      if (attempt === 1) throw new SysError("send an ICMP echo request", errno);
    }
  }

  /** The replies that have come in since the last call. Reported ICMP errors are skipped. */
  receive(): EchoReply[] {
    const replies: EchoReply[] = [];
    for (;;) {
      viewOf(this.#fromLength).setUint32(0, this.#from.length, true);
      const length = Number(
        libc().recvfrom(
          this.#fd,
          this.#receive,
          BigInt(this.#receive.length),
          MSG_DONTWAIT | MSG_TRUNC,
          this.#from,
          this.#fromLength,
        ),
      );
      if (length < 0) {
        const errno = lastErrno();
        if (errno === ERRNO.EAGAIN) return replies;
        if (REPORTED_ERRORS.has(errno)) continue;
        throw new SysError("receive ICMP echo replies", errno);
      }
      const packet = this.#receive.subarray(0, Math.min(length, this.#receive.length));
      const echo = decodeEcho(this.#family, packet, this.#identifier);
      const address = this.#family === 4 ? this.#from.subarray(4, 8) : this.#from.subarray(8, 24);
      const from = bytesToAddress(address);
      if (echo !== null && from !== null) replies.push({ ...echo, from });
    }
  }

  /**
   * Resolves when something is there to receive, or `timeoutMs` have passed (-1: never). One wait
   * at a time; the socket stays open until it ends.
   */
  async arrival(timeoutMs: number): Promise<void> {
    const view = viewOf(this.#pollfd);
    view.setInt32(0, this.#fd, true);
    view.setInt32(4, POLLIN, true);
    await libc().poll_wait(this.#pollfd, 1n, timeoutMs);
  }

  close(): void {
    if (this.#fd < 0) return;
    closeDescriptor(this.#fd);
    this.#fd = -1;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** struct sockaddr_in or sockaddr_in6 without port. */
export function socketAddress(address: string): Uint8Array<ArrayBuffer> {
  const bytes = addressToBytes(address);
  const v4 = familyOf(address) === 4;
  const socket = pinnedBytes(v4 ? 16 : 28);
  viewOf(socket).setUint16(0, v4 ? AF_INET : AF_INET6, true);
  socket.set(bytes, v4 ? 4 : 8);
  return socket;
}

/** Opens an ICMP echo socket to `destination` in the current namespace; needs CAP_NET_RAW. */
export function openIcmp(destination: string): IcmpSocket {
  return new IcmpSocket(destination);
}
