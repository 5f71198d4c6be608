/**
 * What `gossamer up` would do to this host's kernel first, as commands: from the configuration, the state directory and the
 * kernel as they are. Nothing is written, locked or sent. The same code as the agent's makes the plan; only the subnet of a
 * host that has none yet cannot be known, and stands in the commands as a word.
 */
import { addressBits, aloneCidr, familyOf } from "../address/cidr.ts";
import { cidrsOverlap, deviceAddressOf } from "../address/network.ts";
import { vtepMac } from "../address/mac.ts";
import { ipv6HalfOf, subnetsOf } from "../address/pool.ts";
import { UserError } from "../base/errors.ts";
import type { Firewall } from "../base/firewall_objects.ts";
import type { HostSettings } from "../base/host_setting.ts";
import { Log } from "../base/log.ts";
import type { Problem } from "../base/problem.ts";
import { Random } from "../base/random.ts";
import { HostCore, type HostSnapshot } from "../claim/host_core.ts";
import { PoolKeeper } from "../claim/pool_keeper.ts";
import type { ClaimRecord, Vtep } from "../claim/record.ts";
import { openFirewall } from "../host/firewall.ts";
import { hostSettings } from "../host/host_settings.ts";
import { openKernel } from "../host/kernel.ts";
import { machineFingerprint } from "../host/machine_fingerprint.ts";
import { Store } from "../host/store.ts";
import { fittedMtu } from "../overlay/mtu.ts";
import { adoptedBy } from "./agent_parts.ts";
import type { AgentConfig } from "./config.ts";
import { DataPath } from "./data_path.ts";
import { firewallConfig } from "./firewall_wish.ts";
import { hostOptions } from "./options.ts";
import type { PatientKernel } from "./overlay_ports.ts";
import { isDrawnLater, type Peek, storedIdentity } from "./stored_identity.ts";
import { UnderlayKeeper, type WatchedSource } from "./underlay_keeper.ts";

/** Of a record that nobody is told of. */
const NO_NUMBER = "00".repeat(8);

export interface DryRun {
  /** What is assumed, as lines of comment, and then the plan. */
  readonly text: string;
  /** What stands in the way, or would be a problem of the agent. */
  readonly warnings: readonly string[];
}

/** What a dry run looks at; all of it is only read. */
export interface DryRunHost {
  readonly kernel: PatientKernel & WatchedSource;
  /** Throws where the kernel has no nf_tables. */
  readonly openFirewall: () => Firewall;
  readonly settings: HostSettings;
  readonly peek: Peek;
  /** See machineFingerprint. */
  readonly machine: string | undefined;
}

/** Throws UserError where `gossamer up` would refuse to start for what can be known before. */
export async function dryRun(config: AgentConfig): Promise<DryRun> {
  const kernel = openKernel();
  try {
    return await planStart(config, {
      kernel,
      openFirewall,
      settings: hostSettings,
      peek: (document, copy) => Store.peek(config.stateDir, document, copy),
      machine: machineFingerprint(),
    });
  } finally {
    await kernel.close();
  }
}

/** The same of any host. */
export async function planStart(config: AgentConfig, host: DryRunHost): Promise<DryRun> {
  const warnings: string[] = [];
  const underlay = new UnderlayKeeper(host.kernel, config);
  const { keepIdentity: keepsIdentity } = config;
  const identity = storedIdentity(host.peek, { machine: host.machine, keepsIdentity }, warnings);
  const { claim } = identity;
  if (claim?.pool !== undefined) underlay.beginWith(new PoolKeeper(config.pool, claim.pool).pool);
  underlay.checkOverlap(claim?.record?.state === "held" || (claim?.previous ?? null) !== null);
  const { pin, mac } = await adoptedBy(config, host.kernel, identity);
  const options = await hostOptions({ ...config, pin }, identity, underlay.present, mac);
  const core = new HostCore(options, new Random(0));
  core.step(0, { kind: "wake" }); // what it would send and write is dropped
  const snapshot = core.snapshot();
  const subnet = subnetOf({ ...config, pin }, snapshot);
  const own = ownRecord(snapshot, subnet.subnet, options.claim.vtep);
  const overlay = underlay.overlay(mac);
  const dataPath = new DataPath({
    overlay: config.followsMtu ? fittedMtu(overlay, own.hostId, snapshot.claim.records) : overlay,
    subnetFile: config.subnetFile,
    onRenumber: null,
    kernel: host.kernel,
    firewall: { config: firewallConfig(config), open: host.openFirewall },
    settings: { host: host.settings, txChecksum: config.txChecksum },
    log: new Log({ level: "error", format: "text", write: () => {}, now: () => "" }),
    snapshot: () => asHeld(snapshot, own),
    isUnderlayThere: () => true,
  });
  const { changes, obstacles } = dataPath.plan();
  dataPath.stop();
  warnings.push(...obstacles, ...underlay.problems().map(problemText));
  const { device, address, mtu } = underlay.present;
  const peers = snapshot.claim.owners.filter(({ hostId }) => hostId !== identity.hostId).length;
  const comments = [
    `what gossamer up would do on ${config.name} first; nothing was changed, nothing sent`,
    `underlay: ${device}, ${address}, MTU ${mtu}`,
    `subnet: ${subnet.text}`,
    `peers: ${peers === 0 ? "none is remembered" : `${peers} remembered; gossip tells the rest`}`,
  ];
  const isMacOpen = isDrawnLater(identity) && mac === vtepMac(identity.hostId, config.vni);
  const words = new Map<string, string>(isMacOpen ? [[mac, "MAC"]] : []);
  if (isMacOpen) {
    comments.push("MAC stands for the device's, which goes with the identity");
  }
  if (subnet.isOpen) {
    for (const [is, word] of wordsOf(snapshot, subnet.subnet)) words.set(is, word);
  }
  const commands = changes === "" ? "# nothing: the kernel is as wanted\n" : changes;
  return {
    text: comments.map((line) => `# ${line}\n`).join("") + replaced(commands, words),
    warnings,
  };
}

interface Subnet {
  readonly subnet: string;
  /** Whether it stands for one that is yet to be chosen. */
  readonly isOpen: boolean;
  readonly text: string;
}

/** Throws UserError when the pool has none left, by what this host knows. */
function subnetOf(
  config: AgentConfig,
  { swim, claim }: HostSnapshot,
): Subnet {
  const pinned = claim.poolRecord?.pins.find(({ hostId }) => hostId === swim.self.id);
  const pin = pinned?.subnet ?? config.pin;
  const held = claim.state === "held" ? claim.subnet : null;
  if (held !== null) {
    return { subnet: held, isOpen: false, text: `${held}, which this host held before` };
  }
  if (pin !== null) {
    return {
      subnet: pin,
      isOpen: false,
      text: `${pin}, to which this host is pinned, once nobody else has it`,
    };
  }
  const taken = [...claim.records.map(({ subnet }) => subnet), ...config.masqueradeExcluded];
  const free = subnetsOf(claim.pool).findLast((subnet) =>
    !taken.some((other) => cidrsOverlap(subnet, other))
  );
  if (free === undefined) {
    throw new UserError("this host would wait: by what it remembers, no subnet is free", {
      remedy: "look at it with gossamer subnets on a host of the cluster",
    });
  }
  const text = "still to be chosen, when the others have been heard; SUBNET stands for it";
  return { subnet: free, isOpen: true, text };
}

/** Its own as the agent would write it, as far as the kernel has to do with it. */
function ownRecord(
  { swim, claim }: HostSnapshot,
  subnet: string,
  vtep: Vtep,
): ClaimRecord {
  return {
    hostId: swim.self.id,
    instance: NO_NUMBER,
    generation: 1,
    sequence: 0,
    poolVersion: claim.pool.version,
    poolDigest: NO_NUMBER,
    subnet,
    state: "held",
    epoch: 1,
    strength: 1,
    stamp: 0,
    vtep,
    absenceTtlHours: 1,
  };
}

/** As if the subnet were this host's already. */
function asHeld({ swim, claim }: HostSnapshot, own: ClaimRecord): HostSnapshot {
  const withOwn = (records: readonly ClaimRecord[]) => [
    ...records.filter(({ hostId }) => hostId !== own.hostId),
    own,
  ];
  const { owners, records } = claim;
  return {
    swim,
    claim: {
      ...claim,
      state: "held",
      record: own,
      owners: withOwn(owners),
      records: withOwn(records),
    },
  };
}

/** What a subnet that stands for another one is called in commands. */
function wordsOf({ claim }: HostSnapshot, subnet: string): [string, string][] {
  const half = ipv6HalfOf(claim.pool, subnet);
  return [
    [aloneCidr(deviceAddressOf(subnet)), `SUBNET_ADDRESS/${addressBits(familyOf(subnet))}`],
    [subnet, "SUBNET"],
    ...(half === null ? [] : [
      [`${deviceAddressOf(half)}/128`, "IPV6_SUBNET_ADDRESS/128"],
      [half, "IPV6_SUBNET"],
    ] satisfies [string, string][]),
  ];
}

/** Whole words only: `10.244.1.0/24` is not part of `110.244.1.0/24`. */
function replaced(text: string, words: ReadonlyMap<string, string>): string {
  return text.split("\n").map((line) =>
    line.split(" ").map((part) => words.get(part) ?? part).join(" ")
  ).join("\n");
}

function problemText({ text, remedy }: Problem): string {
  return `${text} - ${remedy}`;
}
