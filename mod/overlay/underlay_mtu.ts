/** How large the overlay's packets may be: what the underlay leaves beside the headers that the backend puts around them. */
import { familyOf } from "../address/cidr.ts";
import { ConfigError } from "../base/errors.ts";
import type { Underlay } from "../base/kernel_objects.ts";
import { VXLAN_OVERHEAD_BYTES } from "../base/limits.ts";
import type { Problem } from "../base/problem.ts";
import { overheadOf } from "./backend.ts";
import type { OwnBackend } from "./path.ts";

/** The smallest MTU an IPv4 link may have (RFC 791), and the least the kernel lets a VXLAN device have. */
export const OVERLAY_MTU_MIN = 68;

/** The smallest on which the kernel lets a device have IPv6 (RFC 8200 section 5). */
const IPV6_MTU_MIN = 1280;

/** The largest: an IPv4 packet's length field has 16 bits (linux/if_ether.h ETH_MAX_MTU). */
export const OVERLAY_MTU_MAX = 65_535;

/** What an operator can do about an MTU that is too small for IPv6. */
interface Ipv6MtuAdvice {
  readonly setting: string;
  readonly otherwise: string;
}

const DUAL_STACK: Ipv6MtuAdvice = {
  setting: "--ipv6-network",
  otherwise: ", or leave out --ipv6-network",
};
const IPV6_ALONE: Ipv6MtuAdvice = { setting: "--iface", otherwise: "" };

/** The MTU of the overlay whose packets travel between addresses of that family. Throws a ConfigError as both below. */
export function overlayMtuOn(
  underlay: Underlay,
  configured: number | null,
  backend: OwnBackend,
): number {
  const family = familyOf(underlay.address);
  const overheadBytes = overheadOf(backend, family);
  return family === 4
    ? overlayMtu(underlay, configured, overheadBytes)
    : ipv6OverlayMtu(underlay, configured, overheadBytes, IPV6_ALONE);
}

/**
 * As {@linkcode overlayMtu}, for IPv6: as much less as its headers are longer. Throws a ConfigError when that is less than
 * IPv6 takes.
 */
export function ipv6OverlayMtu(
  underlay: Underlay,
  configured: number | null,
  overheadBytes: number,
  advice = DUAL_STACK,
): number {
  const fits = underlay.mtu - overheadBytes;
  if (fits < IPV6_MTU_MIN) {
    throw new ConfigError(
      advice.setting,
      `${underlay.device} has an MTU of ${underlay.mtu} bytes, which leaves ${fits} for the IPv6 ` +
        `overlay: less than the ${IPV6_MTU_MIN} that IPv6 takes`,
      `Raise the MTU of ${underlay.device}${advice.otherwise}`,
    );
  }
  if (configured !== null && configured < IPV6_MTU_MIN) {
    throw new ConfigError(
      "--mtu",
      `${configured} is less than the ${IPV6_MTU_MIN} that IPv6 takes`,
      `Give ${IPV6_MTU_MIN} or more${advice.otherwise}`,
    );
  }
  return Math.min(configured ?? fits, fits, OVERLAY_MTU_MAX);
}

/**
 * The overlay's MTU in bytes: the underlay's minus the outer headers, or the one configured where that is less. The kernel
 * gives a device no more than fits, and refuses to raise it. Throws a ConfigError when nothing usable comes out.
 *
 * @param overheadBytes what the backend puts around each packet.
 */
export function overlayMtu(
  underlay: Underlay,
  configured: number | null,
  overheadBytes = VXLAN_OVERHEAD_BYTES,
): number {
  const fits = underlay.mtu - overheadBytes;
  if (configured !== null && (configured < OVERLAY_MTU_MIN || configured > OVERLAY_MTU_MAX)) {
    throw new ConfigError(
      "--mtu",
      `${configured} is not an MTU that the overlay's device can have`,
      `Give a number from ${OVERLAY_MTU_MIN} to ${OVERLAY_MTU_MAX}, or leave the flag out`,
    );
  }
  if (fits < OVERLAY_MTU_MIN) {
    throw new ConfigError(
      "--iface",
      `${underlay.device} has an MTU of ${underlay.mtu} bytes, which leaves ${fits} for the overlay`,
      `Raise the MTU of ${underlay.device}, or choose another device with --iface`,
    );
  }
  return Math.min(configured ?? fits, fits, OVERLAY_MTU_MAX);
}

/** Warns when packets of the configured size cannot cross the underlay in one piece; null when they can. */
export function mtuProblem(
  underlay: Underlay,
  configured: number | null,
  overheadBytes = VXLAN_OVERHEAD_BYTES,
): Problem | null {
  const fits = underlay.mtu - overheadBytes;
  if (configured === null || configured <= fits) return null;
  return {
    code: "mtu-too-large",
    severity: "warning",
    text: `The overlay's MTU is ${fits} bytes instead of the ${configured} of --mtu, which ` +
      (overheadBytes === 0 ? "" : `with ${overheadBytes} bytes of outer headers `) +
      `are more than the ${underlay.mtu} that ${underlay.device} carries`,
    remedy: `Use --mtu ${fits} or less, or leave the flag out`,
  };
}
