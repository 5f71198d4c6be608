/** The host's and the container's network namespace, each by a socket of its own. */
import { SysError } from "../../ffi/errno.ts";
import { closeNamespace, openNamespace, runIn } from "../../ffi/netns.ts";
import { openNetlinkSocket } from "../../ffi/netlink/socket.ts";
import type { NetlinkTransport } from "../../ffi/netlink/transport.ts";
import { CniCode, CniError } from "./errors.ts";

/** All namespaces are on one device, nsfs; the number in it tells them apart. */
const OWN_NAMESPACE = "/proc/thread-self/ns/net";

export interface ContainerNamespace {
  readonly fd: number;
  readonly netlink: NetlinkTransport;
  close(): void;
}

/** Calls with a socket of this process's namespace, the host's. */
export function withHost<T>(use: (host: NetlinkTransport) => T): T {
  const host = openNetlinkSocket();
  try {
    return use(host);
  } finally {
    host.close();
  }
}

/** Calls with the container's namespace; see {@linkcode openContainerNamespace}. */
export function withContainer<T>(path: string, use: (container: ContainerNamespace) => T): T {
  const container = openContainerNamespace(path);
  try {
    return use(container);
  } finally {
    container.close();
  }
}

/** Opens the namespace at CNI_NETNS. Throws CniError: code 3 when there is none, 4 when it is no container's. */
export function openContainerNamespace(path: string): ContainerNamespace {
  const fd = openPath(path);
  try {
    checkOther(fd, path);
    const netlink = runIn(fd, () => openNetlinkSocket());
    return {
      fd,
      netlink,
      close() {
        netlink.close();
        closeNamespace(fd);
      },
    };
  } catch (error) {
    closeNamespace(fd);
    throw error;
  }
}

/** Whether there still is a namespace behind the path. What `ip netns` leaves behind for a moment is an empty file. */
export function isNamespace(path: string): boolean {
  try {
    return Deno.statSync(path).dev === Deno.statSync(OWN_NAMESPACE).dev;
  } catch {
    return false;
  }
}

function openPath(path: string): number {
  try {
    return openNamespace(path);
  } catch (error) {
    if (error instanceof SysError && (error.code === "ENOENT" || error.code === "ENOTDIR")) {
      throw new CniError(
        CniCode.unknownContainer,
        `CNI_NETNS: there is no ${path}`,
        "the container has ended, or the plugin runs in another mount namespace",
        error,
      );
    }
    throw error;
  }
}

/** Throws CniError code 4 for a file that is no namespace, or the one that we are in. */
function checkOther(fd: number, path: string): void {
  const own = Deno.statSync(OWN_NAMESPACE);
  const other = Deno.statSync(`/proc/self/fd/${fd}`);
  const what = other.dev !== own.dev
    ? "is no network namespace"
    : other.ino === own.ino
    ? "is the host's own network namespace"
    : null;
  if (what === null) return;
  throw new CniError(CniCode.invalidEnvironment, `CNI_NETNS: ${path} ${what}`);
}
