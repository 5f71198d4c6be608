/**
 * Refuses an overlay network that this host uses for something else: routes to peers would take that traffic away, up to
 * the host's own way to the world (flannel lets it happen).
 */
import { cidrContains, cidrsOverlap } from "../address/network.ts";
import type { Pool } from "../address/pool.ts";
import { ConfigError } from "../base/errors.ts";
import type { Underlay } from "../base/kernel_objects.ts";
import { ROUTE_PROTOCOL } from "../base/limits.ts";
import type { HostAddress, HostDevice, HostNetwork } from "./host_network.ts";

/** Kinds of devices that containers hang on: they bear addresses of our own subnet, now or from before a change. */
const CONTAINER_KINDS: ReadonlySet<string> = new Set(["bridge", "veth", "dummy", "macvlan"]);

/** Default routes, whole or as the two halves by which VPNs cover them: they overlap everything and mean nothing. */
const DEFAULT_LENGTH_MAX = 1;

/** rtm_protocol of the routes that the kernel makes for the addresses of its devices (linux/rtnetlink.h). */
const RTPROT_KERNEL = 2;

/**
 * @param device name of the overlay device; whoever made it is told elsewhere.
 * @param setting what the network was given by; `--network` unless said.
 * Throws ConfigError for that setting, naming both networks and the device.
 */
export function checkPoolOverlap(
  source: { hostNetwork(): HostNetwork },
  pool: Pool,
  device: string,
  underlay: Underlay,
  setting = "--network",
): void {
  const { devices, routes } = source.hostNetwork();
  const isIgnored = (used: HostDevice) => used.isOwn || used.name === device || used.name === "lo";
  const isContainers = (used: HostDevice, network: string) =>
    used.index !== underlay.index && isOfContainers(used, lengthOf(network), pool);
  for (const used of devices) {
    if (isIgnored(used)) continue;
    for (const { address, prefixLength } of used.addresses) {
      const isInside = cidrContains(pool.cidr, address);
      if (isInside && !isContainers(used, `${address}/${prefixLength}`)) {
        throw overlapError(pool, `the address ${address}/${prefixLength}`, used.name, setting);
      }
    }
  }
  const byIndex = new Map(devices.map((used) => [used.index, used]));
  for (const { destination, index, protocol } of routes) {
    const used = index === null ? undefined : byIndex.get(index);
    if (used === undefined || isIgnored(used) || protocol === ROUTE_PROTOCOL) continue;
    if (lengthOf(destination) <= DEFAULT_LENGTH_MAX) continue;
    // A way to a wider network (10.0.0.0/8 of a company) stays: ours are longer prefixes within it. Neighbours on the
    // same link are another matter, they would be cut off.
    const isWider = lengthOf(destination) < lengthOf(pool.cidr);
    if (isWider && protocol !== RTPROT_KERNEL) continue;
    if (!cidrsOverlap(pool.cidr, destination) || isContainers(used, destination)) continue;
    throw overlapError(pool, `a route to ${destination}`, used.name, setting);
  }
}

/**
 * The host without what containers of the overlay hang on, for the choice of the underlay.
 *
 * @param used the underlay in use, null when none is: an operator elsewhere who adds the underlay's own network to the pool
 * does not make a container's of it.
 */
export function withoutContainers(
  network: HostNetwork,
  pool: Pool,
  used: Underlay | null,
): HostNetwork {
  const devices = network.devices.map((device) => {
    const isContainers = ({ address, prefixLength }: HostAddress) => {
      if (!isOfContainers(device, prefixLength, pool)) return false;
      if (cidrContains(pool.cidr, address)) return true;
      const isUsed = device.index === used?.index && address === used.address;
      return !isUsed && pool.added.some((added) => cidrContains(added, address));
    };
    return { ...device, addresses: device.addresses.filter((one) => !isContainers(one)) };
  });
  return { ...network, devices };
}

/** Whether that part of the overlay's network belongs on that device. */
function isOfContainers({ kind }: HostDevice, prefixLength: number, pool: Pool): boolean {
  return CONTAINER_KINDS.has(kind ?? "") && prefixLength >= pool.subnetLength;
}

function lengthOf(cidr: string): number {
  return Number(cidr.slice(cidr.indexOf("/") + 1));
}

function overlapError(
  pool: Pool,
  what: string,
  device: string,
  setting: string,
): ConfigError {
  return new ConfigError(
    setting,
    `${pool.cidr} overlaps ${what} on ${device} of this host`,
    "Choose a network that no host of the cluster uses, the same on every host",
  );
}
