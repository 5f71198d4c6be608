/** The longest packets that hosts announce to take, and how little of it their records have to say. */
import { familyOf } from "../address/cidr.ts";
import { ETHERNET_MTU } from "../base/limits.ts";
import { backendOf, type Vtep } from "../claim/record.ts";
import { halfOverheadOf, overheadOf } from "./backend.ts";

/** What a host that announces no MTU has: what its backend leaves of Ethernet's. */
function usualMtu(vtep: Vtep): number {
  const backend = backendOf(vtep);
  const known = backend === "host-gw" || backend === "udp" ? backend : "vxlan";
  if (vtep.ipv6 !== undefined) return ETHERNET_MTU - halfOverheadOf(known);
  return ETHERNET_MTU - overheadOf(known, familyOf(vtep.address));
}

/** What a host's containers take. */
export function mtuOf(vtep: Vtep): number {
  return vtep.mtu ?? usualMtu(vtep);
}

/** The end point as it is announced by a host whose own underlay leaves so much. */
export function withMtu({ mtu: _mtu, ...vtep }: Vtep, mtu: number): Vtep {
  return mtu === usualMtu(vtep) ? vtep : { ...vtep, mtu };
}
