/** The UDP backend's device: made by opening it, marked as ours, and only then told to stay. */
import { attachTun, openTun, persistTun } from "../../ffi/tun_device.ts";
import { closeDescriptor } from "../../ffi/socket.ts";
import { openNetlinkSocket } from "../../ffi/netlink/socket.ts";
import type { NetlinkTransport } from "../../ffi/netlink/transport.ts";
import { type Link, linkGet, linkSet } from "../../ffi/route/link.ts";
import type { TunLink } from "../base/kernel_objects.ts";

/**
 * Makes the device; whoever dies between leaves none behind. Throws SysError when the kernel makes none, NetlinkError when
 * it cannot be set as wanted.
 */
export function addTun(transport: NetlinkTransport, tun: TunLink): Link {
  const { name, multiQueue, alias, mtu, up } = tun;
  const fd = openTun(name, multiQueue);
  try {
    const link = linkGet(transport, name);
    if (link === null) throw new Error(`Device ${name} vanished as soon as it was made`);
    linkSet(transport, link.index, { alias, mtu });
    persistTun(fd);
    // Last: what the kernel adds when a device comes up, it adds to a finished one.
    linkSet(transport, link.index, { up });
    return linkGet(transport, name) ?? link;
  } finally {
    closeDescriptor(fd);
  }
}

/**
 * Opens the device to move its packets. Throws when there is none, or it is not the one with that alias: what was opened
 * would be changed, and its packets would be taken away from whoever made it.
 */
export function openOwnTun(name: string, alias: string): number {
  const transport = openNetlinkSocket();
  try {
    const link = linkGet(transport, name);
    if (link === null) throw new Error(`there is no device ${name}`);
    if (link.alias !== alias) throw new Error(`device ${name} is not this agent's`);
  } finally {
    transport.close();
  }
  return attachTun(name);
}
