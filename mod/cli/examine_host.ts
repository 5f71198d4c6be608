/** Runs the doctor's checks on this host, with what the agent knows where one runs. */
import type { StatusDocument } from "../agent/api.ts";
import { makePool } from "../address/pool.ts";
import { ExitCode, UserError } from "../base/errors.ts";
import { CHECKS } from "../doctor/checks/all.ts";
import { examine } from "../doctor/doctor.ts";
import type { DoctorSetup, VxlanDevice } from "../doctor/doctor_host.ts";
import type { Finding } from "../doctor/finding.ts";
import { RealHost } from "../doctor/real_host.ts";
import { vxlanDevices } from "../doctor/vxlan_devices.ts";
import { fetchStatus } from "./agent_status.ts";
import type { Given } from "./command.ts";
import { agentConfig, gatherSources } from "./config/agent_config.ts";
import type { Outside } from "./outside.ts";

export interface Examination {
  readonly hasAgent: boolean;
  readonly findings: readonly Finding[];
}

/** Throws ConfigError where `gossamer up` would. */
export async function examineHost(outside: Outside, given: Given): Promise<Examination> {
  const config = agentConfig(await gatherSources(outside, given), outside);
  const status = await statusIfRunning(config.runDir);
  const setup = status === null ? config : setupOf(config, status, vxlanDevices());
  const host = new RealHost(setup, status);
  try {
    return { hasAgent: status !== null, findings: await examine(host, CHECKS) };
  } finally {
    host.close();
  }
}

async function statusIfRunning(runDir: string): Promise<StatusDocument | null> {
  try {
    return await fetchStatus(runDir);
  } catch (error) {
    if (error instanceof UserError && error.exitCode === ExitCode.notRunning) return null;
    throw error;
  }
}

/** As the agent runs, which may have been told otherwise than this command was. */
export function setupOf(
  config: DoctorSetup,
  { host, cluster, overlay }: StatusDocument,
  devices: readonly VxlanDevice[],
): DoctorSetup {
  const device = devices.find(({ name }) => name === overlay.device);
  const isVxlan = cluster.backend === "vxlan";
  const backends: readonly DoctorSetup["backend"][] = [config.backend, "vxlan", "host-gw", "udp"];
  const backend = backends.find((one) => one === cluster.backend) ?? config.backend;
  return {
    ...config,
    name: host.name,
    gossipPort: host.gossipPort,
    pool: makePool({ network: cluster.network, subnetLength: cluster.subnetLen }),
    backend: isVxlan && cluster.directRouting ? "vxlan-direct" : backend,
    vni: device?.vni ?? config.vni,
    vxlanPort: device?.port ?? config.vxlanPort,
    udpPort: overlay.udp?.port ?? config.udpPort,
    interfaces: config.publicIp === null ? [host.address] : config.interfaces,
  };
}
