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

/** No overlay has this one: it stands for the device without a number. */
const NO_VNI = 0;

function bind(vni: number): number {
  return bindNetlink(NETLINK_ROUTE, 0, PORT_BASE + vni).fd;
}

function taken(error: unknown, device: string, remedy: string): unknown {
  if (!(error instanceof SysError) || error.code !== "EADDRINUSE") return error;
  return new UserError(`another agent on this host has ${device}`, { remedy, cause: error });
}

export class DeviceLock {
  readonly #fds: number[];

  private constructor(fd: number) {
    this.#fds = [fd];
  }

  /** Throws UserError when an agent of this network namespace has the device of that VNI. */
  static take(vni: number, device: string): DeviceLock {
    try {
      return new DeviceLock(bind(vni));
    } catch (error) {
      throw taken(
        error,
        device,
        "stop it first, or give this one its own --vni, --state-dir, --run-dir and --gossip-port",
      );
    }
  }

  /** Takes the device of the UDP backend besides, of which there is one on a host. Throws UserError as `take` does. */
  takeUdp(device: string): void {
    try {
      this.#fds.push(bind(NO_VNI));
    } catch (error) {
      this.release();
      throw taken(
        error,
        device,
        "only one agent of a host can use --backend udp: stop it first, or give this one another " +
          "--backend",
      );
    }
  }

  release(): void {
    for (const fd of this.#fds.splice(0)) closeDescriptor(fd);
  }
}
