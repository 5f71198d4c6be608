/** Offloads of a network device by ioctl(2) SIOCETHTOOL (linux/ethtool.h, linux/sockios.h). */
import { cString, pinnedBytes, viewOf } from "./bytes.ts";
import { ERRNO, SysError } from "./errno.ts";
import { lastErrno, libc } from "./libc.ts";
import { AF_INET, closeDescriptor, openSocket, SOCK_DGRAM } from "./socket.ts";

const SIOCETHTOOL = 0x8946n;
const ETHTOOL_GTXCSUM = 0x16;
const ETHTOOL_STXCSUM = 0x17;
/** linux/if.h IFNAMSIZ: with the terminating zero. */
const NAME_BYTES = 16;
/** struct ifreq: the name, then a union of 24 bytes of which ethtool uses a pointer. */
const REQUEST_BYTES = 40;
/** struct ethtool_value: command and value. */
const VALUE_BYTES = 8;

/** Runs one command; returns its value, or the negated error number. */
function ethtoolValue(device: string, command: number, value: number): number {
  const name = cString(device);
  if (name.length > NAME_BYTES) throw new Error(`Not a device: ${JSON.stringify(device)}`);
  const argument = pinnedBytes(VALUE_BYTES);
  viewOf(argument).setUint32(0, command, true);
  viewOf(argument).setUint32(4, value, true);
  const request = pinnedBytes(REQUEST_BYTES);
  request.set(name);
  const pointer = Deno.UnsafePointer.value(Deno.UnsafePointer.of(argument));
  viewOf(request).setBigUint64(NAME_BYTES, BigInt(pointer), true);
  const fd = openSocket(AF_INET, SOCK_DGRAM, 0, "open a socket for ethtool");
  try {
    const failed = libc().ioctl(fd, SIOCETHTOOL, request) < 0;
    // Read after the call, so that the argument is reachable while the kernel uses it.
    return failed ? -lastErrno() : viewOf(argument).getUint32(4, true);
  } finally {
    closeDescriptor(fd);
  }
}

/**
 * Equivalent to: ethtool -k DEVICE, its tx-checksumming. Null when there is no such device in the current network
 * namespace, or it cannot say. Throws SysError.
 */
export function txChecksumming(device: string): boolean | null {
  const value = ethtoolValue(device, ETHTOOL_GTXCSUM, 0);
  if (value === -ERRNO.ENODEV || value === -ERRNO.EOPNOTSUPP) return null;
  if (value < 0) throw new SysError(`read the offloads of ${device}`, -value);
  return value !== 0;
}

/**
 * Equivalent to: ethtool -K DEVICE tx on|off. Off, the kernel computes checksums before packets reach the device, and
 * segmentation offload goes with it. Throws SysError.
 */
export function setTxChecksumming(device: string, isOn: boolean): void {
  const value = ethtoolValue(device, ETHTOOL_STXCSUM, isOn ? 1 : 0);
  const remedy = -value === ERRNO.EPERM ? "this needs CAP_NET_ADMIN" : "";
  if (value < 0) throw new SysError(`set tx-checksumming of ${device}`, -value, remedy);
}
