/** Who is on the link of this host's underlay, as its routes tell it: to such hosts packets may be handed over bare. */
import { ConfigError } from "../base/errors.ts";
import type { Underlay } from "../base/kernel_objects.ts";
import { ROUTE_PROTOCOL } from "../base/limits.ts";
import type { HostNetwork } from "../host/host_network.ts";
import { type LinkRoute, linkRoutes } from "../overlay/adjacency.ts";
import type { UnderlaySettings } from "./underlay_rules.ts";

type LinkSettings = Pick<UnderlaySettings, "backend" | "publicIp">;

/** By the addresses and routes of the network's family; see {@linkcode linkRoutes}. */
export function linkRoutesIn(
  network: HostNetwork,
  present: Underlay,
  settings: LinkSettings,
): LinkRoute[] {
  const own = network.devices.flatMap(({ addresses }) => addresses);
  const { publicIp } = settings;
  // Others take a host that they reach through an address translation for far; so it does not send them bare packets.
  if (publicIp !== null && !own.some(({ address }) => address === publicIp)) return [];
  return linkRoutesOf(network, own, present, settings);
}

/** The same for the IPv6 half of dual stack. */
export function ipv6LinkRoutesIn(
  { devices, ipv6 }: HostNetwork,
  present: Underlay,
  settings: LinkSettings,
): LinkRoute[] {
  if (ipv6 === undefined) return [];
  return linkRoutesOf({ devices, routes: ipv6.routes }, ipv6.addresses, present, settings);
}

/** Throws ConfigError when other hosts would be told an address that no host of this link answers for. */
export function refuseElsewhere(
  { devices }: HostNetwork,
  { index }: Underlay,
  { publicIp }: LinkSettings,
): void {
  const device = devices.find((one) => one.index === index);
  if (publicIp === null || device === undefined) return;
  if (device.addresses.some(({ address }) => address === publicIp)) return;
  throw new ConfigError(
    "--public-ip",
    `${publicIp} is not an address of ${device.name}, and with --backend host-gw the other ` +
      "hosts send to it on their own link",
    "Leave it out, or use --backend vxlan",
  );
}

function linkRoutesOf(
  { devices, routes }: Pick<HostNetwork, "devices" | "routes">,
  own: readonly { readonly address: string }[],
  { index }: Underlay,
  { backend }: LinkSettings,
): LinkRoute[] {
  const device = devices.find((one) => one.index === index);
  if (device === undefined || backend === "vxlan") return [];
  const others = routes.filter(({ protocol }) => protocol !== ROUTE_PROTOCOL);
  return linkRoutes(device, others, own.map(({ address }) => address));
}
