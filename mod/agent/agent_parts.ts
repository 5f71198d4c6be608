/** What the agent takes of its host before it starts: everything that can fail does so here, before anything is changed. */
import { poolFamily } from "../address/pool.ts";
import { vtepMac } from "../address/mac.ts";
import type { Kernel } from "../base/kernel_objects.ts";
import type { HostOptions } from "../claim/host_core.ts";
import { PoolKeeper } from "../claim/pool_keeper.ts";
import { DeviceLock } from "../host/device_lock.ts";
import { type HostKernel, openKernel } from "../host/kernel.ts";
import { machineFingerprint } from "../host/machine_fingerprint.ts";
import { Store } from "../host/store.ts";
import { Transport } from "../host/transport.ts";
import { UDP_DEVICE } from "../overlay/udp.ts";
import { deviceName } from "../overlay/vxlan.ts";
import type { AgentConfig } from "./config.ts";
import { prepareRunDirectory } from "./control.ts";
import { type Identity, restoreIdentity } from "./identity.ts";
import { hostOptions } from "./options.ts";
import { UnderlayKeeper } from "./underlay_keeper.ts";

export interface AgentParts {
  readonly kernel: HostKernel;
  readonly underlay: UnderlayKeeper;
  readonly lock: DeviceLock;
  readonly store: Store;
  readonly transport: Transport;
  readonly identity: Identity;
  /** How many identities this process gave up before. */
  readonly identitiesLost: number;
  readonly options: HostOptions;
}

/** Until when an identity is kept though another host claims it, and how many were given up before. */
export interface IdentityPast {
  readonly keptUntilMs: number;
  readonly lost: number;
}

/** Throws UserError when this host cannot take part. */
export async function openParts(config: AgentConfig, past: IdentityPast): Promise<AgentParts> {
  const kernel = openKernel();
  const underlay = new UnderlayKeeper(kernel, config);
  await prepareRunDirectory(config.runDir);
  const lock = DeviceLock.take(config.vni, deviceName(config.vni, poolFamily(config.pool)));
  if (config.backend === "udp") lock.takeUdp(UDP_DEVICE);
  const store = Store.open(config.stateDir);
  const identity = restoreIdentity(store, {
    machine: machineFingerprint(),
    keepsIdentity: config.keepIdentity,
  });
  const { claim } = identity;
  if (claim?.pool !== undefined) underlay.beginWith(new PoolKeeper(config.pool, claim.pool).pool);
  underlay.checkOverlap(claim?.record?.state === "held" || (claim?.previous ?? null) !== null);
  const { pin, mac } = await adoptedBy(config, kernel, identity);
  const own = { ...config, pin };
  const { swim, ...others } = await hostOptions(own, identity, underlay.present, mac);
  const transport = Transport.open(config.gossipPort, poolFamily(config.pool));
  const options = { swim: { ...swim, identityKeptUntilMs: past.keptUntilMs }, ...others };
  return {
    kernel,
    underlay,
    lock,
    store,
    transport,
    identity,
    identitiesLost: past.lost,
    options,
  };
}

/** The subnet to ask for and the device's MAC: this host's own, or those that flannel left. Throws ConfigError. */
export async function adoptedBy(
  config: AgentConfig,
  kernel: Pick<Kernel, "dump">,
  { hostId, claim }: Pick<Identity, "hostId" | "claim">,
): Promise<{ pin: string | null; mac: string }> {
  const { pin, vni } = config;
  const ownMac = vtepMac(hostId, vni);
  if (!config.adoptFlannel) return { pin, mac: ownMac };
  const { adopt } = await import("./adoption.ts");
  const adopted = adopt(config, kernel, claim?.record !== undefined && claim.record !== null);
  return { pin: adopted.pin, mac: adopted.mac ?? ownMac };
}

/** For the agent's own choices, which nobody shall foresee. */
export function randomSeed(): number {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return (high % 0x20_0000) * 0x1_0000_0000 + low; // 53 bits: what a number holds exactly
}
