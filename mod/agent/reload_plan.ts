/** Which settings a running agent takes over when its configuration is read again, and which wait for its next start. Pure. */
import type { AgentConfig } from "./config.ts";

type Key = keyof AgentConfig;

/** When another value of a setting takes effect. `start` means nothing to an agent that runs. */
type Effect = "reload" | "restart" | "start";

/** By field: the setting as users know it. */
const SETTINGS: Readonly<Record<Key, readonly [setting: string, effect: Effect]>> = {
  join: ["join", "reload"],
  name: ["name", "restart"],
  cluster: ["cluster", "restart"],
  gossipPort: ["gossip-port", "restart"],
  gossipProfile: ["gossip-profile", "restart"],
  keyFile: ["key-file", "restart"],
  plainGossip: ["plain-gossip", "restart"],
  bootstrap: ["bootstrap", "start"],
  keepIdentity: ["keep-identity", "start"],
  adoptFlannel: ["adopt-flannel", "restart"],
  absenceTtlHours: ["absence-ttl", "restart"],
  pool: ["network", "restart"],
  pin: ["subnet", "restart"],
  backend: ["backend", "restart"],
  vni: ["vni", "restart"],
  vxlanPort: ["vxlan-port", "restart"],
  udpPort: ["udp-port", "restart"],
  ipMasq: ["ip-masq", "reload"],
  masqueradeExcluded: ["masq-exclude", "reload"],
  guard: ["guard", "reload"],
  txChecksum: ["tx-checksum", "reload"],
  mtu: ["mtu", "reload"],
  followsMtu: ["mtu", "reload"],
  interfaces: ["iface", "restart"],
  interfacePatterns: ["iface-regex", "restart"],
  interfaceCanReach: ["iface-can-reach", "restart"],
  publicIp: ["public-ip", "restart"],
  stateDir: ["state-dir", "restart"],
  runDir: ["run-dir", "restart"],
  subnetFile: ["subnet-file", "restart"],
  onRenumber: ["on-renumber", "reload"],
  onEvent: ["on-event", "reload"],
  http: ["http", "reload"],
  logLevel: ["log-level", "reload"],
  logFormat: ["log-format", "reload"],
};

/** Settings that a running agent takes over, as users know them, in the order of the table of settings. */
export const RELOADED_SETTINGS: readonly string[] = [
  ...new Set(
    Object.values(SETTINGS).filter(([, effect]) => effect === "reload").map(([setting]) => setting),
  ),
];

export interface ReloadPlan {
  /** What the agent runs with from now on. */
  readonly config: AgentConfig;
  /** Fields in which that differs from before. */
  readonly changed: readonly Key[];
  /** Settings that wait for the next start, as users know them. */
  readonly waiting: readonly string[];
}

/**
 * @param running what the agent was started with, or runs with since the last reload.
 * @param wanted what its configuration says now.
 */
export function planReload(running: AgentConfig, wanted: AgentConfig): ReloadPlan {
  const differing = keys().filter((key) => !isEqual(running[key], wanted[key]));
  const changed = differing.filter((key) => SETTINGS[key][1] === "reload");
  const waiting = differing.filter((key) => SETTINGS[key][1] === "restart");
  const taken = Object.fromEntries(changed.map((key) => [key, wanted[key]]));
  return { config: { ...running, ...taken }, changed, waiting: settingNames(waiting) };
}

/** The settings of these fields as users know them, each once. */
export function settingNames(fields: readonly Key[]): string[] {
  return [...new Set(fields.map((key) => SETTINGS[key][0]))];
}

function keys(): Key[] {
  // Object.keys forgets the names.
  return Object.keys(SETTINGS) as Key[];
}

function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
