/**
 * Whole hosts in virtual time: membership and claims together, with disks that survive kills, and the claim protocol's
 * invariants checked after every step.
 */
import { vtepMac } from "../address/mac.ts";
import { makePool, type Pool, subnetsOf } from "../address/pool.ts";
import { assert } from "../base/assert.ts";
import type { Action, Endpoint, Input } from "../base/core.ts";
import { sha256Hex } from "../base/hash.ts";
import { ABSENCE_TTL_HOURS_DEFAULT } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import {
  type ClaimOptions,
  type HostCommand,
  HostCore,
  type HostEvent,
  type HostSnapshot,
} from "../claim/host_core.ts";
import { decodeClaimMemory, encodeClaimMemory } from "../claim/memory.ts";
import type { RestoredClaim } from "../claim/options.ts";
import type { Vtep } from "../claim/record.ts";
import { successorOf } from "../claim/successor.ts";
import type { MemberId } from "../swim/member.ts";
import { decodeMembers, encodeMembers } from "../swim/memory.ts";
import { LAN_TIMINGS, type SwimTimings } from "../swim/timings.ts";
import type { Keyring } from "../wire/keyring.ts";
import { Cluster } from "./cluster.ts";
import { formCluster, type FormedHost } from "./formed_cluster.ts";
import { ClaimInvariants } from "./invariants.ts";
import { SIMULATED_LABEL } from "./membership_cluster.ts";
import { NOWHERE } from "./nowhere.ts";
import type { NetworkOptions } from "./network.ts";
import type { Boot, SimHost } from "./sim_host.ts";

export type SimulatedHost = SimHost<HostCommand, HostEvent, HostSnapshot>;

/** How one host is configured when it starts; read anew at each start. */
export interface HostSettings {
  seeds?: readonly string[];
  pool?: Pool;
  pin?: string | null;
  bootstrap?: boolean;
  /** How long the host may be absent before its subnet may be taken. */
  absenceTtlHours?: number;
  /** Of the identity that is drawn at a first start; the host's name unless said. */
  identity?: string;
  /** Of its cluster; hosts of other labels do not hear it. */
  label?: string;
}

export interface HostClusterOptions {
  readonly seed: number;
  /** The pool of every host that has none of its own. */
  readonly pool?: Pool;
  readonly network?: Partial<NetworkOptions>;
  readonly persistDelayMs?: number;
  readonly timings?: SwimTimings;
  /** Makes the gossip keys of a host that starts; gossip is plain without. */
  readonly keyring?: (random: Random) => Keyring;
  /** See ClusterOptions. */
  readonly keepEvents?: boolean;
  readonly keepWrites?: boolean;
  /** A host that starts with an empty disk, and not for the first time, is another host. */
  readonly newIdentities?: boolean;
  /** Called when a host has given up its identity and was started under another one. */
  readonly identityLost?: (host: SimulatedHost) => void;
  /** Given, it is called after each step instead of the rules of {@linkcode ClaimInvariants}. */
  readonly afterStep?: (
    host: SimulatedHost,
    actions: readonly Action<HostEvent>[],
    input: Input<HostCommand>,
  ) => void;
}

const VXLAN_PORT = 8472;
const HOUR_MS = 3_600_000;
const VNI = 1;

export class HostCluster {
  readonly cluster: Cluster<HostCommand, HostEvent, HostSnapshot>;
  readonly invariants = new ClaimInvariants();
  readonly #settings = new Map<string, HostSettings>();
  /** Of hosts that run or ran. */
  readonly #ids = new Map<string, MemberId>();
  /** When a host made its last step, in the cluster's time. */
  readonly #aliveAtMs = new Map<string, number>();
  /** How often a host gave up its identity. */
  readonly #losses = new Map<string, number>();
  #lastPacket: Uint8Array | null = null;
  /** What hosts begin with that have been a cluster for long, by name: their first start only. */
  readonly #formed = new Map<string, FormedHost>();
  readonly #options: HostClusterOptions;
  readonly #pool: Pool;

  constructor(options: HostClusterOptions) {
    this.#options = options;
    this.#pool = options.pool ?? makePool({ network: "10.244.0.0/16" });
    this.cluster = new Cluster({
      seed: options.seed,
      start: (boot) => this.#start(boot),
      ...(options.network === undefined ? {} : { network: options.network }),
      ...(options.persistDelayMs === undefined ? {} : { persistDelayMs: options.persistDelayMs }),
      ...(options.keepEvents === undefined ? {} : { keepEvents: options.keepEvents }),
      ...(options.keepWrites === undefined ? {} : { keepWrites: options.keepWrites }),
      afterStep: (host, actions, input) => {
        if (input.kind === "packet" && input.from !== NOWHERE) this.#lastPacket = input.bytes;
        if (options.afterStep !== undefined) options.afterStep(host, actions, input);
        else this.#check(host, actions, input);
        this.#aliveAtMs.set(host.name, this.cluster.nowMs);
        for (const action of actions) {
          if (action.kind !== "event" || action.event.kind !== "identity-lost") continue;
          this.#beginAnew(host, action.event);
        }
      },
    });
  }

  find(name: string): SimulatedHost | undefined {
    return this.cluster.hosts.find((host) => host.name === name);
  }

  /** The id that a host has, or had when it ran last; null before its first start. */
  idOf(name: string): MemberId | null {
    return this.#ids.get(name) ?? null;
  }

  /** What a host is given to join through. */
  seedsOf(host: SimulatedHost): readonly string[] {
    return this.#settings.get(host.name)?.seeds ?? [];
  }

  /** Whether a host is configured with another pool than most. */
  hasOwnPool(host: SimulatedHost): boolean {
    return this.#settings.get(host.name)?.pool !== undefined;
  }

  /** The pool that a host is configured with. */
  poolOf(host: SimulatedHost): Pool {
    return this.#settings.get(host.name)?.pool ?? this.#pool;
  }

  /** The subnet that a host is pinned to, by its own configuration or by all. */
  pinOf(host: SimulatedHost): string | null {
    const pins = host.isRunning ? host.snapshot().claim.poolRecord?.pins : undefined;
    const pin = pins?.find(({ hostId }) => hostId === this.idOf(host.name))?.subnet;
    return pin ?? this.#settings.get(host.name)?.pin ?? null;
  }

  /** Where packets for a host's containers go at present. */
  vtepOf(host: SimulatedHost): Vtep {
    return vtepAt(host.endpoint, this.#ids.get(host.name) ?? sha256Hex(host.name).slice(0, 32));
  }

  /** A packet that arrived somewhere lately; null before the first. */
  lastPacket(): Uint8Array | null {
    return this.#lastPacket;
  }

  /** Adds a host and starts it. */
  start(settings: HostSettings, name?: string): SimulatedHost {
    const host = this.cluster.add(name);
    this.configure(host, settings);
    this.cluster.boot(host);
    return host;
  }

  /**
   * Starts these hosts as a cluster that has been there for long: all know each other, and each holds a subnet that all
   * know. Their disks hold their own claims and all members.
   */
  bootFormed(hosts: readonly SimulatedHost[]): void {
    const { cluster } = this;
    const found = subnetsOf(this.#pool);
    assert(found.length >= hosts.length, "there is a subnet for each host of a formed cluster");
    const subnets = cluster.random.sample(found, hosts.length);
    const keys = this.#options.keyring?.(cluster.random);
    const formed = formCluster(hosts.map(({ name, endpoint }, index) => {
      const hostId = this.#drawnId(name, 0);
      const subnet = subnets[index] ?? "";
      return {
        name,
        endpoint,
        hostId,
        subnet,
        pool: this.#pool,
        vtep: vtepAt(endpoint, hostId),
        keys,
      };
    }));
    const all = formed.map(({ member: { id, name, endpoint } }) => ({ id, name, endpoint }));
    const members = encodeMembers({ incarnation: 0, members: all });
    hosts.forEach((host, index) => {
      const own = formed[index];
      assert(own !== undefined, "each host is formed");
      this.#formed.set(host.name, own);
      cluster.write(host, "claim", encodeClaimMemory({ ...own.restored, others: [] }));
      cluster.write(host, "members", members);
      cluster.boot(host);
    });
  }

  /** Settings for the host's next start. */
  configure(host: SimulatedHost, settings: HostSettings): void {
    this.#settings.set(host.name, settings);
  }

  /** Starts that many hosts one after another, each when the one before holds its subnet. */
  grow(count: number): SimulatedHost[] {
    const hosts: SimulatedHost[] = [];
    for (let number = 0; number < count; number++) {
      const first = this.cluster.hosts[0];
      const host = this.start(first === undefined ? {} : { seeds: [first.endpoint] });
      this.untilHeld([host], 30_000);
      hosts.push(host);
    }
    return hosts;
  }

  /** Lets time pass until all these hosts hold a subnet; says how long it took. */
  untilHeld(hosts: readonly SimulatedHost[], withinMs: number): number {
    const names = hosts.map(({ name }) => name).join(", ");
    return this.cluster.runUntil(
      `${names} hold subnets`,
      () => hosts.every((host) => host.isRunning && host.snapshot().claim.state === "held"),
      withinMs,
    );
  }

  /** Kills at once and silently, or starts again what is down. */
  kill(host: SimulatedHost): void {
    this.cluster.kill(host);
  }

  restart(host: SimulatedHost): void {
    if (host.isRunning) this.cluster.kill(host);
    this.cluster.boot(host);
  }

  /** Checks what must hold once nothing has happened for a while: see ClaimInvariants.checkQuiescent. */
  checkQuiescent(): void {
    this.invariants.checkQuiescent(this.cluster.hosts);
  }

  /** As the agent tells by the times of its files. */
  #wasAwayForLong(name: string, restored: RestoredClaim | null): boolean {
    const aliveAtMs = this.#aliveAtMs.get(name);
    const ttlHours = restored?.record?.absenceTtlHours ?? ABSENCE_TTL_HOURS_DEFAULT;
    return aliveAtMs !== undefined && this.cluster.nowMs - aliveAtMs > ttlHours * HOUR_MS / 2;
  }

  /** What the agent does when its identity is another host's: the same process, with a new one. */
  #beginAnew(
    host: SimulatedHost,
    other: { readonly id: MemberId; readonly endpoint: Endpoint },
  ): void {
    const { cluster } = this;
    const { boots } = host;
    cluster.after(0, () => {
      if (!host.isRunning || host.boots !== boots) return;
      cluster.kill(host);
      const losses = (this.#losses.get(host.name) ?? 0) + 1;
      this.#losses.set(host.name, losses);
      const claim = host.documents.get("claim");
      if (claim !== undefined) {
        const successor = successorOf(decodeClaimMemory(claim), newIdentity(host.name, losses));
        cluster.write(host, "claim", encodeClaimMemory(successor));
      }
      const known = host.documents.get("members");
      const members = [
        { ...other, name: other.id.slice(0, 8) },
        ...(known === undefined ? [] : decodeMembers(known).members),
      ];
      cluster.write(host, "members", encodeMembers({ incarnation: 0, members }));
      cluster.boot(host);
      this.#options.identityLost?.(host);
    });
  }

  #check(
    host: SimulatedHost,
    actions: readonly Action<HostEvent>[],
    input: Input<HostCommand>,
  ): void {
    this.invariants.check(this.cluster.nowMs, this.cluster.hosts, host, input, actions);
  }

  #start(boot: Boot): HostCore {
    const settings = this.#settings.get(boot.name) ?? {};
    const claimBytes = boot.documents.get("claim");
    const memberBytes = boot.documents.get("members");
    const restored = claimBytes === undefined ? null : decodeClaimMemory(claimBytes);
    const members = memberBytes === undefined ? null : decodeMembers(memberBytes);
    const isNew = this.#options.newIdentities === true && boot.bootNumber > 0;
    const losses = this.#losses.get(boot.name) ?? 0;
    const drawn = losses > 0 && !isNew
      ? newIdentity(boot.name, losses)
      : this.#drawnId(boot.name, isNew ? boot.bootNumber : 0);
    const hostId = restored?.hostId ?? drawn;
    this.#ids.set(boot.name, hostId);
    const formed = boot.bootNumber === 0 ? this.#formed.get(boot.name) : undefined;
    const instance = formed?.member.instance ?? [boot.random.uint32(), boot.random.uint32()]
      .map((part) => part.toString(16).padStart(8, "0")).join("");
    const seeds = settings.seeds ?? [];
    const claim: ClaimOptions = {
      cluster: settings.label ?? SIMULATED_LABEL,
      pool: settings.pool ?? this.#pool,
      pin: settings.pin ?? null,
      bootstrap: settings.bootstrap ?? false,
      seedsGiven: seeds.length > 0,
      vtep: vtepAt(boot.endpoint, hostId),
      hostId,
      instance,
      restored: formed?.restored ?? restored,
      ...(formed === undefined ? {} : { continues: true }),
      returnsCarefully: this.#wasAwayForLong(boot.name, restored),
    };
    const { keyring } = this.#options;
    const { absenceTtlHours } = settings;
    return new HostCore({
      claim: absenceTtlHours === undefined ? claim : { ...claim, absenceTtlHours },
      swim: {
        ...(keyring === undefined ? {} : { keys: keyring(boot.random) }),
        label: settings.label ?? SIMULATED_LABEL,
        self: { id: hostId, name: boot.name, endpoint: boot.endpoint, instance, version: "0.0.0" },
        incarnation: members === null || formed !== undefined ? 0 : members.incarnation + 1,
        timings: this.#options.timings ?? LAN_TIMINGS,
        seeds,
        remembered: formed === undefined ? members?.members ?? [] : [],
        ...(formed === undefined ? {} : { known: formed.known }),
      },
    }, boot.random);
  }

  /** The id that a host draws at its first start, or at a later one with an empty disk. */
  #drawnId(name: string, bootNumber: number): MemberId {
    const identity = this.#settings.get(name)?.identity ?? name;
    const text = bootNumber > 0 ? `${identity} ${bootNumber}` : identity;
    return sha256Hex(text).slice(0, 32);
  }
}

function newIdentity(name: string, losses: number): MemberId {
  return sha256Hex(`${name}, identity ${losses + 1}`).slice(0, 32);
}

function vtepAt(endpoint: Endpoint, hostId: MemberId): Vtep {
  return {
    address: endpoint.slice(0, endpoint.lastIndexOf(":")),
    port: VXLAN_PORT,
    mac: vtepMac(hostId, VNI),
  };
}
