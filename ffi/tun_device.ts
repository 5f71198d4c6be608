/**
 * TUN devices (linux/if_tun.h, Documentation/networking/tuntap.rst): the kernel makes one when it is first opened, and with
 * the persistent flag keeps it when nobody has it open any more. rtnetlink cannot make them.
 */
import { cInt } from "./bytes.ts";
import { check, libc } from "./libc.ts";
import { closeDescriptor } from "./socket.ts";

const O_RDWR = 0x2;
const O_NONBLOCK = 0x800;
const O_CLOEXEC = 0x8_0000;
/** _IOW('T', 202, int) and _IOW('T', 203, int). */
const TUNSETIFF = 0x4004_54ca;
const TUNSETPERSIST = 0x4004_54cb;
/** _IOW('T', 208, unsigned int). */
const TUNSETOFFLOAD = 0x4004_54d0;
/** _IOR('T', 210, unsigned int), _IOW('T', 216, int). */
const TUNGETIFF = 0x8004_54d2;
const TUNSETVNETHDRSZ = 0x4004_54d8;
/** What whoever reads the device finishes itself: checksums, and the segmentation of TCP and, since Linux 6.2, UDP. */
const TUN_F_CSUM = 0x01;
const TUN_F_TSO4 = 0x02;
const TUN_F_TSO6 = 0x04;
const TUN_F_USO4 = 0x20;
const TUN_F_USO6 = 0x40;
const IFF_TUN = 0x0001;
const IFF_MULTI_QUEUE = 0x0100;
/** Packets without four bytes of flags and protocol before them. */
const IFF_NO_PI = 0x1000;
/** Each packet has a header that says what was left undone: checksum, segmentation (struct virtio_net_hdr). */
const IFF_VNET_HDR = 0x4000;
/** The device stays when nobody has it open. */
const IFF_PERSIST = 0x0800;
/** Of struct virtio_net_hdr. Some programs use the one of 12 bytes, and a device remembers it. */
const VNET_HEADER_BYTES = 10;
/** struct ifreq of linux/if.h: 16 bytes of name, then a union of 24 bytes; the buffer is larger than 64 bytes for FFI. */
const IFREQ_BYTES = 40;
const BUFFER_BYTES = 128;
const NAME_BYTES_MAX = 15;
const PATH = "/dev/net/tun";

const REMEDY = `load the module ("modprobe tun"), or give the container the device ${PATH} and ` +
  "the capability NET_ADMIN";

/**
 * Opens a TUN device with packets that carry a virtio header, makes it when it is not there, and gives the descriptor, which
 * does not block.
 * Throws SysError: EBUSY when somebody else has it open, EINVAL when the name is another kind of device's.
 */
export function openTun(name: string, isMultiQueue: boolean): number {
  const path = new Uint8Array(new ArrayBuffer(BUFFER_BYTES));
  path.set(new TextEncoder().encode(PATH));
  const fd = check(`open ${PATH}`, libc().open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0), REMEDY);
  try {
    const request = requestFor(name);
    const flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | (isMultiQueue ? IFF_MULTI_QUEUE : 0);
    new DataView(request.buffer).setInt16(16, flags, true);
    check(`make the TUN device ${name}`, libc().ioctl(fd, BigInt(TUNSETIFF), request), REMEDY);
    return fd;
  } catch (error) {
    libc().close(fd);
    throw error;
  }
}

/**
 * Opens a TUN device that stays, for whoever moves its packets. Throws SysError as {@linkcode openTun} does, and an Error when
 * there is none: one made here would go with its user, and stand in the way of the one that stays.
 */
export function attachTun(name: string): number {
  const fd = openTun(name, false);
  try {
    const request = requestFor(name);
    check(`look at the TUN device ${name}`, libc().ioctl(fd, BigInt(TUNGETIFF), request));
    const flags = new DataView(request.buffer).getInt16(16, true);
    if ((flags & IFF_PERSIST) === 0) throw new Error(`there is no device ${name} that stays`);
    const size = cInt(VNET_HEADER_BYTES);
    check(`set up the TUN device ${name}`, libc().ioctl(fd, BigInt(TUNSETVNETHDRSZ), size));
    return fd;
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

/** A struct ifreq. */
function requestFor(name: string): Uint8Array<ArrayBuffer> {
  const request = new Uint8Array(new ArrayBuffer(BUFFER_BYTES), 0, IFREQ_BYTES);
  const { written } = new TextEncoder().encodeInto(name, request.subarray(0, NAME_BYTES_MAX));
  if (written !== name.length) throw new Error(`${name} is no name of a device`);
  return request;
}

/** Lets the device stay when the descriptor is closed. Throws SysError. */
export function persistTun(fd: number): void {
  check("make the TUN device stay", libc().ioctl_number(fd, BigInt(TUNSETPERSIST), 1n));
}

/**
 * Lets packets of up to 64 KiB come through unsegmented and without checksums. Gives whether that is so of UDP too, and then
 * the device takes such packets as well. Throws SysError.
 */
export function setTunOffloads(fd: number): boolean {
  const tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
  const both = tcp | TUN_F_USO4 | TUN_F_USO6;
  if (libc().ioctl_number(fd, BigInt(TUNSETOFFLOAD), BigInt(both)) === 0) return true;
  check(
    "set the TUN device's offloads",
    libc().ioctl_number(fd, BigInt(TUNSETOFFLOAD), BigInt(tcp)),
  );
  return false;
}
