/** Netlink sockets: datagrams to the real kernel, in the namespace the socket was opened in. */
import { pinnedBytes, viewOf } from "../bytes.ts";
import { ERRNO, SysError } from "../errno.ts";
import { check, libc } from "../libc.ts";
import {
  AF_NETLINK,
  bindSocket,
  closeDescriptor,
  MSG_DONTWAIT,
  openSocket,
  receiveBytes,
  sendBytes,
  sendBytesLater,
  setReceiveTimeout,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SOCK_RAW,
  SOL_SOCKET,
  tryOption,
} from "../socket.ts";
import { NetlinkConversation } from "./conversation.ts";
import type { Datagrams } from "./datagrams.ts";
import { NetlinkFormatError } from "./error.ts";
import { RenewingTransport } from "./renewing_transport.ts";
import type { NetlinkTransport } from "./transport.ts";

/** Protocol of routes, links, addresses and neighbours (linux/netlink.h). */
export const NETLINK_ROUTE = 0;

const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
/** Bytes of struct sockaddr_nl: family, padding, port id, groups. */
const SOCKADDR_NL_BYTES = 12;

/**
 * Room for replies and notifications. A change of 5,000 peers makes 15,000 notifications of
 * about 768 bytes of kernel memory each, 11.5 MB; the kernel doubles what is asked for.
 */
const SOCKET_BUFFER_BYTES = 8 * 1024 * 1024;

/** The kernel builds dump parts of at most 32 KiB (af_netlink.c netlink_recvmsg). */
const RECEIVE_BYTES = 64 * 1024;

/** rtnetlink answers within the send; only a stuck kernel takes longer, and gossip cannot wait for it. */
const REPLY_TIMEOUT_MS = 2_000;

function setOptions(fd: number, receiveBytes: number): void {
  // Beyond rmem_max needs CAP_NET_ADMIN in the initial user namespace; take what we are given.
  if (!tryOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, receiveBytes)) {
    tryOption(fd, SOL_SOCKET, SO_RCVBUF, receiveBytes);
  }
  if (!tryOption(fd, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER_BYTES)) {
    tryOption(fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER_BYTES);
  }
  // Since Linux 4.3, 4.12 and 4.20; without them errors have no text and dumps come unfiltered.
  tryOption(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
  tryOption(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
  tryOption(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
}

/**
 * A bound netlink socket in the current namespace; `groups` is the bit set of multicast groups. The kernel chooses the port
 * id unless one is given, which throws SysError EADDRINUSE when another socket of the namespace has it.
 */
export function bindNetlink(
  protocol: number,
  groups: number,
  portWanted = 0,
  receiveBytes = SOCKET_BUFFER_BYTES,
): { fd: number; port: number } {
  const fd = openSocket(AF_NETLINK, SOCK_RAW, protocol, "open a netlink socket");
  try {
    setOptions(fd, receiveBytes);
    const address = pinnedBytes(SOCKADDR_NL_BYTES);
    const view = viewOf(address);
    view.setUint16(0, AF_NETLINK, true);
    view.setUint32(4, portWanted, true);
    view.setUint32(8, groups, true);
    bindSocket(fd, address, "bind a netlink socket");
    const length = pinnedBytes(4);
    viewOf(length).setUint32(0, SOCKADDR_NL_BYTES, true);
    check("read a netlink socket's port id", libc().getsockname(fd, address, length));
    return { fd, port: view.getUint32(4, true) };
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

/** The datagrams of a real socket. */
class SocketDatagrams implements Datagrams {
  readonly port: number;
  readonly #fd: number;
  readonly #buffer = pinnedBytes(RECEIVE_BYTES);

  constructor(protocol: number, portWanted: number, receiveBytes?: number) {
    const { fd, port } = bindNetlink(protocol, 0, portWanted, receiveBytes);
    this.#fd = fd;
    this.port = port;
    setReceiveTimeout(fd, REPLY_TIMEOUT_MS);
  }

  send(bytes: Uint8Array<ArrayBuffer>, op: string): void {
    sendBytes(this.#fd, bytes, op);
  }

  async sendLater(bytes: Uint8Array<ArrayBuffer>, op: string): Promise<void> {
    if (!await sendBytesLater(this.#fd, bytes)) throw new SysError(op, ERRNO.EIO);
  }

  receive(wait: boolean): Uint8Array | number {
    const length = receiveBytes(this.#fd, this.#buffer, wait ? 0 : MSG_DONTWAIT);
    if (length < 0) return -length;
    if (length > this.#buffer.length) {
      throw new NetlinkFormatError(`datagram of ${length} bytes, more than ${RECEIVE_BYTES}`);
    }
    return this.#buffer.slice(0, length);
  }

  close(): void {
    closeDescriptor(this.#fd);
  }
}

/**
 * Datagrams of a new netlink socket in the current network namespace. Throws SysError.
 *
 * @param receiveBytes of the receive buffer, for tests of its overflow; the kernel doubles it and allows 2,304 at least.
 */
export function openDatagrams(
  protocol = NETLINK_ROUTE,
  receiveBytes = SOCKET_BUFFER_BYTES,
): Datagrams {
  return new SocketDatagrams(protocol, 0, receiveBytes);
}

/** Opens a netlink socket in the current network namespace, where it stays. Throws SysError. */
export function openNetlinkSocket(protocol = NETLINK_ROUTE): NetlinkTransport {
  return new NetlinkConversation(openDatagrams(protocol));
}

/** The thread's network namespace as the kernel names it: "net:[4026531840]". */
function namespaceName(): string {
  return Deno.readLinkSync("/proc/thread-self/ns/net");
}

/**
 * As openNetlinkSocket, for as long as the process runs: a socket that fails is replaced, with the same port id where it
 * is free, in this network namespace and in no other.
 */
export function openLastingNetlinkSocket(protocol = NETLINK_ROUTE): NetlinkTransport {
  const home = namespaceName();
  return new RenewingTransport((portWanted) => {
    if (namespaceName() !== home) {
      throw new Error(`The netlink socket of ${home} failed, and this is ${namespaceName()}`);
    }
    return new NetlinkConversation(openPreferably(protocol, portWanted));
  });
}

function openPreferably(protocol: number, portWanted: number): Datagrams {
  try {
    return new SocketDatagrams(protocol, portWanted);
  } catch (error) {
    if (portWanted === 0 || !(error instanceof SysError)) throw error;
    return new SocketDatagrams(protocol, 0); // taken meanwhile: EADDRINUSE
  }
}
