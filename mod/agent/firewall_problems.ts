/** What a person should know of the packet filter. */
import type { AddressFamily } from "../base/firewall_objects.ts";
import type { Problem } from "../base/problem.ts";

export function foreignTableProblem(family: AddressFamily, name: string): Problem {
  return {
    code: "foreign-table",
    severity: "error",
    text: `There is a table ${family} ${name} in nftables that gossamer did not make`,
    remedy: `Delete it with "nft delete table ${family} ${name}", or give --vni another number`,
  };
}

/** The kernel refused. */
export function nftablesProblem(reason: string, masquerade: boolean): Problem {
  return {
    code: "nftables",
    severity: masquerade ? "error" : "warning",
    text: `nftables is not as wanted: ${reason}`,
    remedy: "See that the kernel has nf_tables (CONFIG_NF_TABLES, since Linux 5.10) and that the " +
      "agent has CAP_NET_ADMIN; without --ip-masq and with --guard off nothing depends on it",
  };
}

/** Others sent VXLAN packets, which the guard dropped. */
export function strangersProblem(packets: number, port: number): Problem {
  return {
    code: "vxlan-strangers",
    severity: "warning",
    text: `VXLAN packets from addresses of no member were dropped: ${packets} so far`,
    remedy: `Keep others away from UDP port ${port}; if the senders are hosts of this cluster ` +
      "whose addresses are translated, give them --public-ip as others see them, or start the " +
      "agents with --guard off",
  };
}
