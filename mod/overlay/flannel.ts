/**
 * What flannel leaves in the kernel for each of its hosts: a route through the device, a neighbour for its gateway, and a forwarding
 * entry for that one's MAC. While hosts move from flannel to gossamer one after the other, these lead to those that have not moved
 * yet. They bear no mark of ours, so they stay until gossip claims their subnets.
 */
import type { KernelState } from "../base/kernel_objects.ts";
import { ROUTE_PROTOCOL } from "../base/limits.ts";
import type { Problem } from "../base/problem.ts";
import { cidrContains } from "../address/network.ts";

/** A host that still runs flannel, as this host's kernel knows it. */
export interface FlannelPeer {
  readonly subnet: string;
  /** On the underlay. */
  readonly address: string;
  readonly mac: string;
}

/** Hosts that a problem names. */
const NAMED_MAX = 3;

/**
 * The hosts whose three objects are all there and not ours, in the order of the routes.
 *
 * @param wanted destinations of routes that claims want: their hosts have moved.
 */
export function flannelPeers(
  device: string,
  networks: readonly string[],
  wanted: ReadonlySet<string>,
  { routes, neighbours, forwarding }: KernelState,
): FlannelPeer[] {
  const macs = new Map(
    neighbours.filter(({ protocol, permanent }) => permanent && protocol !== ROUTE_PROTOCOL)
      .map(({ address, mac }) => [address, mac]),
  );
  const destinations = new Map(
    forwarding.filter(({ permanent, destination }) => permanent && destination !== "")
      .map(({ mac, destination }) => [mac, destination]),
  );
  const peers: FlannelPeer[] = [];
  for (const { destination: subnet, gateway, protocol, device: through } of routes) {
    if (through !== device || protocol === ROUTE_PROTOCOL || gateway === null) continue;
    if (wanted.has(subnet) || !networks.some((network) => cidrContains(network, gateway))) continue;
    const mac = macs.get(gateway);
    const address = mac === undefined ? undefined : destinations.get(mac);
    if (mac !== undefined && address !== undefined) peers.push({ subnet, address, mac });
  }
  return peers;
}

/** What a person should know of them; null when there are none. */
export function flannelProblem(peers: readonly FlannelPeer[]): Problem | null {
  if (peers.length === 0) return null;
  const named = peers.slice(0, NAMED_MAX).map(({ address, subnet }) => `${address} (${subnet})`);
  const more = peers.length > NAMED_MAX ? ` and ${peers.length - NAMED_MAX} more` : "";
  const one = peers.length === 1;
  return {
    code: "flannel-hosts",
    severity: "warning",
    text:
      `${peers.length} ${one ? "host" : "hosts"} of flannel ${one ? "has" : "have"} not moved ` +
      `yet, and ${one ? "is" : "are"} reached by what flannel left here: ` +
      named.join(", ") + more,
    remedy: "Start gossamer on them within a day, after which flannel forgets this host; for one " +
      `that is gone, take its route away: "ip route delete ${peers[0]?.subnet}"`,
  };
}
