/** The VXLAN backend: what its device is called and what it looks like. */
import { familyOf } from "../address/cidr.ts";
import type { Underlay, VxlanLink } from "../base/kernel_objects.ts";
import { DEVICE_ALIAS } from "../base/limits.ts";

/** What the backend needs to know of this host. */
export interface VxlanConfig {
  /** 1 to 2^24 - 1 (RFC 7348 section 5). */
  readonly vni: number;
  /** UDP port that this host's device listens on and that peers without a port of their own get. */
  readonly port: number;
  /** Of the device; stable for the life of this host, locally administered. */
  readonly mac: string;
  /** Bytes; see {@linkcode overlayMtuOn}. */
  readonly mtu: number;
  readonly underlay: Underlay;
}

/** The device's name, flannel's: `flannel.1` for VNI 1, and `flannel-v6.1` for its IPv6 subnets. */
export function deviceName(vni: number, family: 4 | 6 = 4): string {
  return family === 4 ? `flannel.${vni}` : `flannel-v6.${vni}`;
}

/** The device as it should be (flannel's, with an alias that proves it ours). */
export function vxlanLink(config: VxlanConfig): VxlanLink {
  return {
    name: deviceName(config.vni, familyOf(config.underlay.address)),
    vni: config.vni,
    port: config.port,
    local: config.underlay.address,
    underlayIndex: config.underlay.index,
    mac: config.mac,
    mtu: config.mtu,
    // All peers are programmed, so there is nothing to learn and nobody may teach us.
    learning: false,
    up: true,
    alias: DEVICE_ALIAS,
  };
}
