/** Whether packets between containers of one bridge pass the firewall of forwarded ones, and are dropped there. */
import { findForwardDrop } from "../../overlay/forward_drop.ts";
import type { Check } from "../check.ts";
import { ok, warn } from "../finding.ts";

const NAME = "bridge-filter";

export const bridgeFilter: Check = {
  name: NAME,
  isRepeated: true,
  run(host) {
    const value = host.sysctl("net/bridge/bridge-nf-call-iptables");
    if (value === null || value === "0") {
      return [ok(NAME, "Packets within a bridge pass no firewall (br_netfilter is off)")];
    }
    const { cidr } = host.setup.pool;
    const packet = { source: cidr, destination: cidr, inDevice: null, outDevice: null };
    const drop = findForwardDrop(host.tables("forward"), packet);
    if (drop === null) {
      return [ok(NAME, "br_netfilter is on, and nothing seen drops those packets")];
    }
    const { table, chain } = drop;
    return [warn(
      NAME,
      `br_netfilter is on, and the chain ${chain} of the table ${table.family} ${table.name} ` +
        "drops packets between containers of one host",
      `Accept packets from and to ${cidr} there, or run sysctl -w net.bridge.bridge-nf-call-iptables=0 ` +
        "where nothing (Kubernetes, Docker's isolation) needs it",
    )];
  },
};
