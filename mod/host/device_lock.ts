/**
 * One agent a device: two that share one would undo each other's changes for ever, whatever directories they have.
 *
 * The lock is a netlink port id, which the kernel gives out once a network namespace and takes back when the process ends,
 * however it ends. No file can say that: devices belong to namespaces, files to mounts.
 */
import { SysError } from "../../ffi/errno.ts";
import { bindNetlink, NETLINK_ROUTE } from "../../ffi/netlink/socket.ts";
import { closeDescriptor } from "../../ffi/socket.ts";
import { UserError } from "../base/errors.ts";

/**
 * ASCII "g" above the 24 bits of a VNI. The kernel itself gives out process ids, at most 2^22, and negative numbers
 * (netlink_autobind in net/netlink/af_netlink.c).
 */
const PORT_BASE = 0x6700_0000;

export class DeviceLock {
  readonly #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Throws UserError when an agent of this network namespace has the device of that VNI. */
  static take(vni: number, device: string): DeviceLock {
    try {
      return new DeviceLock(bindNetlink(NETLINK_ROUTE, 0, PORT_BASE + vni).fd);
    } catch (error) {
      if (!(error instanceof SysError) || error.code !== "EADDRINUSE") throw error;
      throw new UserError(`another agent on this host has ${device}`, {
        remedy: "stop it first, or give this one its own --vni, --state-dir, --run-dir and " +
          "--gossip-port",
        cause: error,
      });
    }
  }

  release(): void {
    closeDescriptor(this.#fd);
  }
}
