/** A UDP socket that takes and gives many datagrams of one size at once: UDP_SEGMENT and UDP_GRO (linux/udp.h, udp(7)). */
import { pinnedBytes, viewOf } from "./bytes.ts";
import { libc } from "./libc.ts";
import {
  AF_INET,
  AF_INET6,
  bindSocket,
  closeDescriptor,
  openSocket,
  setOption,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  tryOption,
} from "./socket.ts";

export const SOL_UDP = 17;
/** As a control message: bytes of each datagram that a message is cut into. */
export const UDP_SEGMENT = 103;
/** As an option: join what arrives; as a control message: bytes of each datagram that was joined. */
export const UDP_GRO = 104;
const SOL_IP = 0;
const SOL_IPV6 = 41;
/** Whether a datagram may be cut up on its way (linux/in.h). */
const IP_MTU_DISCOVER = 10;
/** Never by this host, and it says so when one is too long for a path. */
const IP_PMTUDISC_DO = 2;
/** Wherever it is needed. */
const IP_PMTUDISC_DONT = 0;
/** The path's MTU, of a connected socket. */
const IP_MTU = 14;
/** The same of IPv6 (linux/in6.h); and nothing of IPv4 comes in. */
const IPV6_MTU_DISCOVER = 23;
const IPV6_MTU = 24;
const IPV6_V6ONLY = 26;

/** Room for what arrives while the thread is busy with the other direction: a few milliseconds at 10 Gbit/s. */
const BUFFER_BYTES = 8 * 1024 * 1024;

/** Of struct sockaddr_in6; struct sockaddr_in is shorter, and the kernel takes it with this length too. */
export const SOCKADDR_BYTES = 28;
/** Where its address begins, in 32-bit words: four of IPv6, one of IPv4. */
export const SOCKADDR_IPV6_AT = 8;
export const SOCKADDR_IPV4_AT = 4;

/** An unsigned number of IPv4, or the four of IPv6, the most significant first. */
export type SocketAddress = number | readonly number[];

/** Writes a struct sockaddr_in or sockaddr_in6. */
export function putSocketAddress(
  view: DataView,
  at: number,
  address: SocketAddress,
  port: number,
): void {
  view.setUint16(at + 2, port);
  if (typeof address === "number") {
    view.setUint16(at, AF_INET, true);
    view.setUint32(at + SOCKADDR_IPV4_AT, address);
    return;
  }
  view.setUint16(at, AF_INET6, true);
  view.setUint32(at + 4, 0);
  for (let index = 0; index < 4; index++) {
    view.setUint32(at + SOCKADDR_IPV6_AT + 4 * index, address[index] ?? 0);
  }
  view.setUint32(at + 24, 0);
}

/**
 * Opens one on that address and port. Throws SysError, EADDRINUSE when somebody has the port,
 * EADDRNOTAVAIL when this host has no such address.
 */
export function openOffloadSocket(address: SocketAddress, port: number): number {
  const isIpv4 = typeof address === "number";
  const fd = openSocket(
    isIpv4 ? AF_INET : AF_INET6,
    SOCK_DGRAM | SOCK_NONBLOCK,
    0,
    "open a UDP socket",
  );
  try {
    for (
      const [force, plain] of [[SO_RCVBUFFORCE, SO_RCVBUF], [SO_SNDBUFFORCE, SO_SNDBUF]] as const
    ) {
      if (!tryOption(fd, SOL_SOCKET, force, BUFFER_BYTES)) {
        tryOption(fd, SOL_SOCKET, plain, BUFFER_BYTES);
      }
    }
    tryOption(fd, SOL_UDP, UDP_GRO, 1); // Linux 5.0; without it datagrams come one by one
    if (isIpv4) setOption(fd, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO, "set IP_MTU_DISCOVER");
    else {
      setOption(fd, SOL_IPV6, IPV6_V6ONLY, 1, "set IPV6_V6ONLY");
      setOption(fd, SOL_IPV6, IPV6_MTU_DISCOVER, IP_PMTUDISC_DO, "set IPV6_MTU_DISCOVER");
    }
    const name = pinnedBytes(SOCKADDR_BYTES);
    putSocketAddress(new DataView(name.buffer), 0, address, port);
    bindSocket(fd, name, `take UDP port ${port}`);
    return fd;
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

/** Of SO_MEMINFO (linux/sock_diag.h, since Linux 4.12): the last one is how many were dropped at the socket. */
const SO_MEMINFO = 55;
const MEMINFO_BYTES = 36;
const DROPS_AT = 32;

/** Counts what the kernel dropped at a socket, since nobody took it in time. */
export class SocketDrops {
  readonly #fd: number;
  readonly #values = pinnedBytes(MEMINFO_BYTES);
  readonly #length = pinnedBytes(4);
  #counted = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** How many since it was asked last: 0 to 2^32 - 1. */
  more(): number {
    viewOf(this.#length).setUint32(0, MEMINFO_BYTES, true);
    const isKnown =
      libc().getsockopt(this.#fd, SOL_SOCKET, SO_MEMINFO, this.#values, this.#length) === 0;
    const now = isKnown ? viewOf(this.#values).getUint32(DROPS_AT, true) : this.#counted;
    const more = (now - this.#counted) >>> 0;
    this.#counted = now;
    return more;
  }
}

/** Whether the kernel cuts messages up into datagrams: since Linux 4.18. */
export function canSegment(fd: number): boolean {
  const [value, length] = [pinnedBytes(4), pinnedBytes(4)];
  viewOf(length).setUint32(0, 4, true);
  return libc().getsockopt(fd, SOL_UDP, UDP_SEGMENT, value, length) === 0;
}

/** Whether the next datagrams may be cut up on their way. */
export function allowFragments(fd: number, isAllowed: boolean, isIpv4 = true): void {
  const value = isAllowed ? IP_PMTUDISC_DONT : IP_PMTUDISC_DO;
  if (isIpv4) tryOption(fd, SOL_IP, IP_MTU_DISCOVER, value);
  else tryOption(fd, SOL_IPV6, IPV6_MTU_DISCOVER, value);
}

/** What the kernel knows of the longest packet on the way to an address, outer headers included; null when nothing. */
export function pathMtu(address: SocketAddress, port: number): number | null {
  const isIpv4 = typeof address === "number";
  const fd = openSocket(isIpv4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0, "open a UDP socket");
  try {
    const name = pinnedBytes(SOCKADDR_BYTES);
    putSocketAddress(new DataView(name.buffer), 0, address, port);
    if (libc().connect(fd, name, SOCKADDR_BYTES) !== 0) return null;
    const value = pinnedBytes(4);
    const length = pinnedBytes(4);
    viewOf(length).setUint32(0, 4, true);
    const isKnown = libc().getsockopt(
      fd,
      isIpv4 ? SOL_IP : SOL_IPV6,
      isIpv4 ? IP_MTU : IPV6_MTU,
      value,
      length,
    ) === 0;
    return isKnown ? viewOf(value).getInt32(0, true) : null;
  } finally {
    closeDescriptor(fd);
  }
}
