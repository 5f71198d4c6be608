/** The VXLAN devices of this network namespace. */
import { openNetlinkSocket } from "../../ffi/netlink/socket.ts";
import type { NetlinkTransport } from "../../ffi/netlink/transport.ts";
import { linkDump } from "../../ffi/route/link.ts";
import { DEVICE_ALIAS } from "../base/limits.ts";
import type { VxlanDevice } from "./doctor_host.ts";

/** Throws SysError or NetlinkError. */
export function vxlanDevices(): VxlanDevice[] {
  const transport = openNetlinkSocket();
  try {
    return readVxlanDevices(transport);
  } finally {
    transport.close();
  }
}

export function readVxlanDevices(transport: NetlinkTransport): VxlanDevice[] {
  return linkDump(transport).flatMap(({ name, vxlan, alias }) =>
    vxlan === null ? [] : [{ name, vni: vxlan.id, port: vxlan.port, isOwn: alias === DEVICE_ALIAS }]
  );
}
