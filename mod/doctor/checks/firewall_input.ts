/** Whether rules of others drop the gossip and the VXLAN packets of other hosts. */
import { aloneCidr, familyOf } from "../../address/cidr.ts";
import { dataPort } from "../../overlay/backend.ts";
import { findForwardDrop, type ForwardDrop } from "../../overlay/forward_drop.ts";
import type { ForeignTable } from "../../base/firewall_objects.ts";
import type { Underlay } from "../../base/kernel_objects.ts";
import type { Check } from "../check.ts";
import type { DoctorHost } from "../doctor_host.ts";
import { fail, ok } from "../finding.ts";
import { underlayOf } from "../underlay_of.ts";

const NAME = "firewall-input";
/** IANA's numbers. */
const PROTOCOL = { tcp: 6, udp: 17 } as const;

interface Port {
  readonly protocol: keyof typeof PROTOCOL;
  readonly port: number;
  readonly what: string;
}

export const firewallInput: Check = {
  name: NAME,
  isRepeated: true,
  async run(host) {
    const underlay = underlayOf(host);
    if (underlay === null) return [];
    const others = await host.others();
    const sources = others.length === 0
      ? [familyOf(underlay.address) === 4 ? "0.0.0.0/0" : "::/0"]
      : others.map(({ address }) => aloneCidr(address));
    const tables = host.tables("input");
    const dropped = portsOf(host).flatMap((port) => {
      const drop = firstDrop(tables, underlay, sources, port);
      return drop === null ? [] : [{ ...port, drop }];
    });
    const [first] = dropped;
    if (first === undefined) {
      return [ok(NAME, "Nothing seen drops gossip or overlay packets that come in")];
    }
    const { table, chain, by } = first.drop;
    const where = `${table.family} ${table.name}, ${by ?? `the policy of ${chain}`}`;
    const names = dropped.map(({ what, protocol, port }) =>
      `${protocol.toUpperCase()} ${port} (${what})`
    );
    return [fail(
      NAME,
      `nftables drops what comes in to ${names.join(", ")}: table ${where}`,
      remedyOf(table, dropped),
    )];
  },
};

function portsOf({ setup }: DoctorHost): Port[] {
  const { backend, gossipPort } = setup;
  return [
    { protocol: "udp", port: gossipPort, what: "gossip" },
    { protocol: "tcp", port: gossipPort, what: "gossip" },
    ...(backend === "host-gw"
      ? []
      : [{ protocol: "udp", port: dataPort(setup), what: "overlay" } as const]),
  ];
}

function firstDrop(
  tables: readonly ForeignTable[],
  { device, index, address }: Underlay,
  sources: readonly string[],
  { protocol, port }: Port,
): ForwardDrop | null {
  for (const source of sources) {
    const drop = findForwardDrop(tables, {
      source,
      destination: aloneCidr(address),
      inDevice: device,
      outDevice: null,
      arriving: { inIndex: index, protocol: PROTOCOL[protocol], port },
    });
    if (drop !== null) return drop;
  }
  return null;
}

function remedyOf({ family, name, chains }: ForeignTable, ports: readonly Port[]): string {
  const isIptables = (family === "ip" || family === "ip6") && name === "filter" &&
    chains.some((chain) => chain.name === "INPUT");
  if (name === "firewalld") {
    const flags = ports.map(({ protocol, port }) => `--add-port=${port}/${protocol}`).join(" ");
    return `Open them: "firewall-cmd --permanent ${flags}", then "firewall-cmd --reload"`;
  }
  if (isIptables) {
    const commands = ports.map(({ protocol, port }) =>
      `"iptables -I INPUT -p ${protocol} --dport ${port} -j ACCEPT"`
    );
    return `Open them for the other hosts: ${commands.join(", ")}`;
  }
  return `Accept them from the other hosts in that chain, before they are dropped`;
}
