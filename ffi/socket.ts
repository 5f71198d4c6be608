/**
 * Raw file descriptors: sockets as socket(2), and the few calls on them that netlink, ICMP and
 * namespaces share. Every call is synchronous and uses the calling thread's network namespace.
 */
import { cInt, cString, pinnedBytes, viewOf } from "./bytes.ts";
import { ERRNO, SysError } from "./errno.ts";
import { check, lastErrno, libc } from "./libc.ts";

/** Address families (bits/socket.h). */
export const AF_INET = 2;
export const AF_BRIDGE = 7;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;

/** Socket types and flags (bits/socket_type.h). */
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
export const SOCK_NONBLOCK = 0o4000;

/** Socket-level options (asm-generic/socket.h). */
export const SOL_SOCKET = 1;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_RCVTIMEO = 20;
export const SO_SNDBUFFORCE = 32;
export const SO_RCVBUFFORCE = 33;

/** recv(2) flags (bits/socket.h). */
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;

/** Opens a socket in the current network namespace; children do not inherit it. */
export function openSocket(domain: number, type: number, protocol: number, op: string): number {
  return check(op, libc().socket(domain, type | SOCK_CLOEXEC, protocol));
}

/** Opens a file read-only; children do not inherit it. */
export function openFile(path: string): number {
  const O_RDONLY = 0;
  const O_CLOEXEC = 0o2000000;
  return check(`open ${path}`, libc().open(cString(path), O_RDONLY | O_CLOEXEC, 0));
}

/** Closes a descriptor. Linux has let go of it even when close(2) reports an error. */
export function closeDescriptor(fd: number): void {
  libc().close(fd);
}

/** Sets an `int` option; false when the kernel does not know it or the privilege is missing. */
export function tryOption(fd: number, level: number, option: number, value: number): boolean {
  return libc().setsockopt(fd, level, option, cInt(value), 4) === 0;
}

/** Sets an `int` option or throws SysError. */
export function setOption(
  fd: number,
  level: number,
  option: number,
  value: number,
  op: string,
): void {
  check(op, libc().setsockopt(fd, level, option, cInt(value), 4));
}

/** Lets a blocking receive give up (EAGAIN) after `timeoutMs`. */
export function setReceiveTimeout(fd: number, timeoutMs: number): void {
  const timeval = pinnedBytes(16);
  const view = viewOf(timeval);
  view.setBigInt64(0, BigInt(Math.floor(timeoutMs / 1000)), true);
  view.setBigInt64(8, BigInt((timeoutMs % 1000) * 1000), true);
  check("set SO_RCVTIMEO", libc().setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval, 16));
}

/** Binds a socket to `address`, a struct sockaddr in a pinned buffer. */
export function bindSocket(fd: number, address: Uint8Array<ArrayBuffer>, op: string): void {
  check(op, libc().bind(fd, address, address.length));
}

/** Sends all of `bytes` (a view on a pinned buffer) as one datagram. Throws SysError. */
export function sendBytes(fd: number, bytes: Uint8Array<ArrayBuffer>, op: string): void {
  for (;;) {
    const sent = Number(libc().send(fd, bytes, BigInt(bytes.length), 0));
    if (sent >= 0) return;
    const errno = lastErrno();
    if (errno !== ERRNO.EINTR) throw new SysError(op, errno);
  }
}

/**
 * As sendBytes, on a pool thread: the caller goes on meanwhile and must keep the bytes as they are
 * until this settles. Settles with whether all of them went; why not cannot be known.
 */
export async function sendBytesLater(fd: number, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  return Number(await libc().send_wait(fd, bytes, BigInt(bytes.length), 0)) === bytes.length;
}

/**
 * Receives one datagram into `buffer`. Returns its true length, which exceeds the buffer's when it
 * was cut (MSG_TRUNC), or the negated error number, because EAGAIN and ENOBUFS are answers here.
 */
export function receiveBytes(fd: number, buffer: Uint8Array<ArrayBuffer>, flags: number): number {
  for (;;) {
    const length = Number(libc().recv(fd, buffer, BigInt(buffer.length), flags | MSG_TRUNC));
    if (length >= 0) return length;
    const errno = lastErrno();
    if (errno !== ERRNO.EINTR) return -errno;
  }
}
