/** Whether the ports that the agent needs are free, or its own. */
import { dataPort } from "../../overlay/backend.ts";
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
      const isAgents = need.user === "agent" && host.agent !== null;
      return isAgents ? null : taken(need, host.portOwner(need.protocol, need.port));
    }).filter((found) => found !== null);
    if (findings.length > 0) return findings;
    const names = needs.map(({ protocol, port }) => `${protocol.toUpperCase()} ${port}`).join(", ");
    return [ok(NAME, host.agent === null ? `${names} are free` : `${names} are the agent's`)];
  },
};

function needsOf({ setup }: DoctorHost): Need[] {
  const { backend, gossipPort } = setup;
  const gossip = { port: gossipPort, flag: "--gossip-port", user: "agent" } as const;
  const gossips: Need[] = [{ protocol: "udp", ...gossip }, { protocol: "tcp", ...gossip }];
  if (backend === "host-gw") return gossips;
  const port = dataPort(setup);
  return backend === "udp"
    ? [...gossips, { protocol: "udp", port, flag: "--udp-port", user: "agent" }]
    : [...gossips, { protocol: "udp", port, flag: "--vxlan-port", user: "kernel" }];
}

/** Who has the port and should not; null when nobody does. */
function taken(need: Need, owner: PortOwner | null): Finding | null {
  const port = `${need.protocol.toUpperCase()} port ${need.port}`;
  if (owner === null) return null;
  // Devices of several overlays share one port of the kernel's.
  if (owner.kind === "kernel" && need.user === "kernel") return null;
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
