/** Whether the ports that the agent needs are free, or its own. */
import type { Check } from "../check.ts";
import type { DoctorHost, PortOwner } from "../doctor_host.ts";
import { fail, type Finding, ok } from "../finding.ts";

const NAME = "ports";

interface Need {
  readonly protocol: "udp" | "tcp";
  readonly port: number;
  readonly flag: string;
  /** What has it when all is well. */
  readonly user: "agent" | "kernel";
}

export const ports: Check = {
  name: NAME,
  isRepeated: false,
  run(host) {
    const needs = needsOf(host);
    const findings = needs.map((need) => {
      const owner = host.portOwner(need.protocol, need.port);
      return taken(need, owner, host.agent !== null);
    }).filter((found) => found !== null);
    if (findings.length > 0) return findings;
    const names = needs.map(({ protocol, port }) => `${protocol.toUpperCase()} ${port}`).join(", ");
    return [ok(NAME, host.agent === null ? `${names} are free` : `${names} are the agent's`)];
  },
};

function needsOf({ setup }: DoctorHost): Need[] {
  const gossip = { port: setup.gossipPort, flag: "--gossip-port", user: "agent" } as const;
  const speaksVxlan = setup.backend === "vxlan" || setup.backend === "vxlan-direct";
  return [
    { protocol: "udp", ...gossip },
    { protocol: "tcp", ...gossip },
    ...(speaksVxlan
      ? [
        {
          protocol: "udp",
          port: setup.vxlanPort,
          flag: "--vxlan-port",
          user: "kernel",
        } as const,
      ]
      : []),
  ];
}

/** Who has the port and should not; null when nobody does. */
function taken(need: Need, owner: PortOwner | null, agentRuns: boolean): Finding | null {
  const port = `${need.protocol.toUpperCase()} port ${need.port}`;
  if (owner === null) return null;
  // Devices of several overlays share one port of the kernel's.
  if (owner.kind === "kernel" && need.user === "kernel") return null;
  if (need.user === "agent" && agentRuns) return null;
  const whom = owner.kind === "program"
    ? `the program ${owner.name} (process ${owner.pid})`
    : owner.kind === "kernel"
    ? "a tunnel device of the kernel"
    : "another program";
  return fail(
    NAME,
    `${port} is taken by ${whom}`,
    `Stop it, or give another port with ${need.flag}, the same on every host`,
  );
}
