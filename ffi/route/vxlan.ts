/** VXLAN devices: the tunnel end (VTEP) that carries the overlay over UDP (RFC 7348). */
import { execute, type NetlinkRequest, type NetlinkTransport } from "../netlink/transport.ts";
import { type Link, linkAdd, linkAddRequest, linkChangeRequest, type NewLink } from "./link.ts";
import {
  type VxlanMove,
  type VxlanParameters,
  writeVxlanData,
  writeVxlanMove,
} from "./vxlan_data.ts";

export type { VxlanInfo, VxlanMove, VxlanParameters } from "./vxlan_data.ts";

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

/** Equivalent to: ip link set dev INDEX type vxlan [dev UNDERLAY] [local ADDRESS]. */
export function vxlanMoveRequest(index: number, move: VxlanMove): NetlinkRequest {
  return linkChangeRequest(index, "vxlan", (writer) => writeVxlanMove(writer, move));
}

/**
 * Gives a device another place on the underlay; its addresses, neighbours, forwarding entries and the routes through it
 * stay. Lowers its MTU where the new underlay device carries less. Throws NetlinkError: EOPNOTSUPP on kernels before 4.12
 * or when the device had no local address of that family, ENODEV when there is no such underlay device.
 */
export function vxlanMove(transport: NetlinkTransport, index: number, move: VxlanMove): void {
  execute(transport, vxlanMoveRequest(index, move));
}
