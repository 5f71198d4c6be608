/** What the claims want of this host's packet filter. */
import { isIpv4Embedded } from "../address/ipv6.ts";
import { ipv6HalfOf, networksOf } from "../address/pool.ts";
import type { HostSnapshot } from "../claim/host_core.ts";
import { occupies } from "../claim/record.ts";
import type { FirewallConfig } from "../overlay/firewall.ts";
import { dataPort } from "../overlay/backend.ts";
import type { AgentConfig } from "./config.ts";
import type { FirewallWish } from "./firewall_keeper.ts";

export function firewallConfig(
  config: Pick<
    AgentConfig,
    "vni" | "vxlanPort" | "udpPort" | "backend" | "ipMasq" | "masqueradeExcluded" | "guard"
  >,
): FirewallConfig {
  return {
    vni: config.vni,
    port: dataPort(config),
    hasNetworkIdentifier: config.backend !== "udp",
    masquerade: config.ipMasq,
    masqueradeExcluded: config.masqueradeExcluded,
    guard: config.guard && config.backend !== "host-gw",
  };
}

/**
 * @param settled whether every claim of the cluster had time to arrive.
 * @param guests addresses of others that send packets as members do: hosts that still run flannel.
 */
export function firewallWish(
  { claim }: HostSnapshot,
  settled: boolean,
  guests: readonly string[] = [],
): FirewallWish {
  if (claim.state === "held" && claim.record !== null) {
    // Hosts that ask for a subnet, or give theirs up, send packets too; a dead agent's kernel as well.
    const owners = claim.records.filter(occupies).flatMap(({ vtep }) =>
      vtep.ipv6 === undefined || isIpv4Embedded(vtep.ipv6)
        ? [vtep.address]
        : [vtep.address, vtep.ipv6]
    );
    const members = [...owners, ...guests];
    const { pool, record: { subnet } } = claim;
    const half = ipv6HalfOf(pool, subnet);
    const facts = [{ subnet, networks: networksOf(pool), members }];
    if (half !== null && pool.ipv6 !== undefined) {
      facts.push({ subnet: half, networks: [pool.ipv6.cidr], members });
    }
    return { want: "up", facts, settled };
  }
  const isOver = claim.state === "released" || claim.state === "waiting";
  return { want: isOver ? "down" : "unchanged" };
}
