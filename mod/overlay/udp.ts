/**
 * The UDP backend: a TUN device into which the kernel routes the whole overlay, and from which the agent takes packets to
 * carry them to other agents. What the device is called, what it looks like, which routes lead there.
 */
import { isIpv6Text } from "../address/ipv6.ts";
import type { KernelState, Route, TunLink } from "../base/kernel_objects.ts";
import { DEVICE_ALIAS, ROUTE_PROTOCOL } from "../base/limits.ts";
import { peerMetric, TABLE_MAIN } from "./host_gw.ts";

/** flannel's name for it; there is one on a host. */
export const UDP_DEVICE = "flannel0";

/**
 * The device's alias. Unlike `flannel.1`, its name does not say whose overlay it is, so the alias does: agents of several
 * clusters on one host would take each other's device for a leftover of their own.
 */
export function tunAlias(vni: number): string {
  return `${DEVICE_ALIAS} ${vni}`;
}

/** The device as it should be. */
export function tunLink({ vni, mtu }: { readonly vni: number; readonly mtu: number }): TunLink {
  return { name: UDP_DEVICE, mtu, up: true, alias: tunAlias(vni), multiQueue: false };
}

/** As flannel does: `ip route add 10.244.0.0/16 dev flannel0`; who has which subnet only the agent knows. */
export function networkRoute(network: string): Route {
  return {
    device: UDP_DEVICE,
    destination: network,
    gateway: null,
    onlink: false,
    protocol: ROUTE_PROTOCOL,
    table: TABLE_MAIN,
    metric: peerMetric(network),
  };
}

/**
 * With dual stack the one device carries both halves of the overlay, each of which is kept by itself and must not take what is
 * the other's for a leftover. Cleaning up, and without dual stack, all that is on it is looked at.
 */
export function ownHalf(state: KernelState, family: 4 | 6): KernelState {
  const isOwn = (text: string) => isIpv6Text(text) === (family === 6);
  return {
    ...state,
    addresses: state.addresses.filter(({ address }) => isOwn(address)),
    routes: state.routes.filter(({ destination }) => isOwn(destination)),
  };
}

/** A device that a backend other than the present one may have left. */
export interface RetiredDevice {
  readonly name: string;
  /** That proves it ours. */
  readonly alias: string;
}

/** The UDP backend's device, for hosts that use another one. */
export function retiredUdp(vni: number): RetiredDevice {
  return { name: UDP_DEVICE, alias: tunAlias(vni) };
}
