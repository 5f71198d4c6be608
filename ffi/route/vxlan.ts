/** VXLAN devices: the tunnel end (VTEP) that carries the overlay over UDP (RFC 7348). */
import type { NetlinkRequest, NetlinkTransport } from "../netlink/transport.ts";
import { type Link, linkAdd, linkAddRequest, type NewLink } from "./link.ts";
import { type VxlanParameters, writeVxlanData } from "./vxlan_data.ts";

export type { VxlanInfo, VxlanParameters } from "./vxlan_data.ts";

/** A vxlan device to create. */
export interface VxlanCreate extends NewLink {
  readonly vxlan: VxlanParameters;
}

function createOf(create: VxlanCreate) {
  const { vxlan, ...settings } = create;
  const data = (writer: Parameters<typeof writeVxlanData>[0]) => writeVxlanData(writer, vxlan);
  return { ...settings, kind: "vxlan", data };
}

/**
 * Equivalent to: ip link add NAME address MAC mtu N txqueuelen 0 type vxlan id VNI dev UNDERLAY
 * local ADDRESS dstport PORT nolearning.
 */
export function vxlanAddRequest(create: VxlanCreate): NetlinkRequest {
  return linkAddRequest(createOf(create));
}

/**
 * Creates a vxlan device and returns it. Throws NetlinkError: EEXIST when the name, or a device
 * with this VNI and port, is there already.
 */
export function vxlanAdd(transport: NetlinkTransport, create: VxlanCreate): Link {
  return linkAdd(transport, createOf(create));
}
