/** What the claims want of this host's packet filter. */
import { networksOf } from "../address/pool.ts";
import type { HostSnapshot } from "../claim/host_core.ts";
import { occupies } from "../claim/record.ts";
import type { FirewallConfig } from "../overlay/firewall.ts";
import type { AgentConfig } from "./config.ts";
import type { FirewallWish } from "./firewall_keeper.ts";

export function firewallConfig(
  config: Pick<
    AgentConfig,
    "vni" | "vxlanPort" | "backend" | "ipMasq" | "masqueradeExcluded" | "guard"
  >,
): FirewallConfig {
  return {
    vni: config.vni,
    port: config.vxlanPort,
    masquerade: config.ipMasq,
    masqueradeExcluded: config.masqueradeExcluded,
    guard: config.guard && config.backend !== "host-gw",
  };
}

/** @param settled whether every claim of the cluster had time to arrive. */
export function firewallWish({ claim }: HostSnapshot, settled: boolean): FirewallWish {
  if (claim.state === "held" && claim.record !== null) {
    // Hosts that ask for a subnet, or give theirs up, send packets too; a dead agent's kernel as well.
    const members = claim.records.filter(occupies).map(({ vtep }) => vtep.address);
    const facts = { subnet: claim.record.subnet, networks: networksOf(claim.pool), members };
    return { want: "up", facts: [facts], settled };
  }
  const isOver = claim.state === "released" || claim.state === "waiting";
  return { want: isOver ? "down" : "unchanged" };
}
