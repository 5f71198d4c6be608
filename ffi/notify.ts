/**
 * What a service tells its manager: one datagram to the socket that NOTIFY_SOCKET names (sd_notify(3)). Nobody answers.
 */
import { pinnedBytes, viewOf } from "./bytes.ts";
import { SysError } from "./errno.ts";
import { lastErrno, libc } from "./libc.ts";
import { closeDescriptor, MSG_DONTWAIT, openSocket, SOCK_DGRAM } from "./socket.ts";

/** Address family of bits/socket.h. */
const AF_UNIX = 1;
/** Of struct sockaddr_un (linux/un.h): the family, then the path. */
const PATH_AT = 2;
const PATH_BYTES_MAX = 108;

/**
 * Sends the lines, which are `NAME=value`. A name that begins with `@` is of the abstract kind: no file, but of this network
 * namespace. Throws SysError when nobody is there, and does not wait when its queue is full.
 */
export function notify(socketName: string, lines: readonly string[]): void {
  const name = new TextEncoder().encode(socketName);
  if (name.length === 0 || name.length > PATH_BYTES_MAX - 1) {
    throw new Error(`NOTIFY_SOCKET must have 1 to ${PATH_BYTES_MAX - 1} bytes, not ${name.length}`);
  }
  const isAbstract = socketName.startsWith("@");
  const address = pinnedBytes(PATH_AT + PATH_BYTES_MAX);
  viewOf(address).setUint16(0, AF_UNIX, true);
  address.set(name, PATH_AT);
  if (isAbstract) address[PATH_AT] = 0;
  // An abstract name is as long as the address says; a path ends with a zero.
  const addressBytes = PATH_AT + name.length + (isAbstract ? 0 : 1);
  const text = new TextEncoder().encode(lines.join("\n"));
  const message = pinnedBytes(text.length);
  message.set(text);
  const fd = openSocket(AF_UNIX, SOCK_DGRAM, 0, "socket of the service manager");
  try {
    const length = BigInt(text.length);
    const sent = libc().sendto(fd, message, length, MSG_DONTWAIT, address, addressBytes);
    if (Number(sent) < 0) throw new SysError(`send to ${socketName}`, lastErrno());
  } finally {
    closeDescriptor(fd);
  }
}
