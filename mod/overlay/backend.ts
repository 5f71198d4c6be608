/** What sets the backends apart besides the ways that packets take: the headers they put around each packet. */
import {
  UDP_IPV6_OVERHEAD_BYTES,
  UDP_OVERHEAD_BYTES,
  VXLAN_IPV6_OVERHEAD_BYTES,
  VXLAN_OVERHEAD_BYTES,
} from "../base/limits.ts";
import type { OwnBackend } from "./path.ts";
import { UDP_DEVICE } from "./udp.ts";
import { deviceName } from "./vxlan.ts";

/** The UDP port on which that backend takes packets. */
export function dataPort(
  { backend, vxlanPort, udpPort }: {
    readonly backend: OwnBackend;
    readonly vxlanPort: number;
    readonly udpPort: number;
  },
): number {
  return backend === "udp" ? udpPort : vxlanPort;
}

/** The overlay's device of that family; null for backends without one. */
export function overlayDevice(
  { backend, vni }: { readonly backend: OwnBackend; readonly vni: number },
  family: 4 | 6 = 4,
): string | null {
  if (backend === "host-gw") return null;
  return backend === "udp" ? UDP_DEVICE : deviceName(vni, family);
}

/**
 * Bytes that the underlay's MTU, an underlay of that family, must have beyond the overlay's. Direct routes beside VXLAN change nothing: a peer may be
 * reached in VXLAN from one moment to the next, and containers keep the MTU they were started with.
 */
export function overheadOf(backend: OwnBackend, family: 4 | 6 = 4): number {
  if (backend === "host-gw") return 0;
  if (backend === "udp") return family === 4 ? UDP_OVERHEAD_BYTES : UDP_IPV6_OVERHEAD_BYTES;
  return family === 4 ? VXLAN_OVERHEAD_BYTES : VXLAN_IPV6_OVERHEAD_BYTES;
}

/** The same for the IPv6 half of dual stack: VXLAN's packets travel over IPv6, those of udp over IPv4 as all others. */
export function halfOverheadOf(backend: OwnBackend): number {
  return overheadOf(backend, backend === "udp" ? 4 : 6);
}
