/** What sets the backends apart besides the ways that packets take: the headers they put around each packet. */
import { VXLAN_OVERHEAD_BYTES } from "../base/limits.ts";
import type { OwnBackend } from "./path.ts";

/**
 * Bytes that the underlay's MTU must have beyond the overlay's. Direct routes beside VXLAN change nothing: a peer may be
 * reached in VXLAN from one moment to the next, and containers keep the MTU they were started with.
 */
export function overheadOf(backend: OwnBackend): number {
  return backend === "host-gw" ? 0 : VXLAN_OVERHEAD_BYTES;
}
