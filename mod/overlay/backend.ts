/** What sets the backends apart besides the ways that packets take: the headers they put around each packet. */
import { VXLAN_IPV6_OVERHEAD_BYTES, VXLAN_OVERHEAD_BYTES } from "../base/limits.ts";
import type { OwnBackend } from "./path.ts";

/**
 * Bytes that the underlay's MTU must have beyond the overlay's. Direct routes beside VXLAN change nothing: a peer may be
 * reached in VXLAN from one moment to the next, and containers keep the MTU they were started with.
 */
export function overheadOf(backend: OwnBackend, family: 4 | 6 = 4): number {
  if (backend === "host-gw") return 0;
  return family === 4 ? VXLAN_OVERHEAD_BYTES : VXLAN_IPV6_OVERHEAD_BYTES;
}
