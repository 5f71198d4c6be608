/**
 * Whole hosts in virtual time: membership and claims together, with disks that survive kills, and the claim protocol's
 * invariants checked after every step.
 */
import { vtepMac } from "../address/mac.ts";
import { makePool, type Pool } from "../address/pool.ts";
import { sha256Hex } from "../base/hash.ts";
import type { Random } from "../base/random.ts";
import {
  type ClaimOptions,
  type HostCommand,
  HostCore,
  type HostEvent,
  type HostSnapshot,
} from "../claim/host_core.ts";
import { decodeClaimMemory } from "../claim/memory.ts";
import { decodeMembers } from "../swim/memory.ts";
import { LAN_TIMINGS, type SwimTimings } from "../swim/timings.ts";
import type { Keyring } from "../wire/keyring.ts";
import { Cluster } from "./cluster.ts";
import { ClaimInvariants } from "./invariants.ts";
import type { NetworkOptions } from "./network.ts";
import type { Boot, SimHost } from "./sim_host.ts";

export type SimulatedHost = SimHost<HostCommand, HostEvent, HostSnapshot>;

/** How one host is configured when it starts; read anew at each start. */
export interface HostSettings {
  seeds?: readonly string[];
  pool?: Pool;
  pin?: string | null;
  bootstrap?: boolean;
  /** Of the identity that is drawn at a first start; the host's name unless said. */
  identity?: string;
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
}

const VXLAN_PORT = 8472;
const VNI = 1;

export class HostCluster {
  readonly cluster: Cluster<HostCommand, HostEvent, HostSnapshot>;
  readonly invariants = new ClaimInvariants();
  readonly #settings = new Map<string, HostSettings>();
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
      afterStep: (host) => this.invariants.check(this.cluster.nowMs, this.cluster.hosts, host),
    });
  }

  /** Adds a host and starts it. */
  start(settings: HostSettings, name?: string): SimulatedHost {
    const host = this.cluster.add(name);
    this.configure(host, settings);
    this.cluster.boot(host);
    return host;
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

  #start(boot: Boot): HostCore {
    const settings = this.#settings.get(boot.name) ?? {};
    const claimBytes = boot.documents.get("claim");
    const memberBytes = boot.documents.get("members");
    const restored = claimBytes === undefined ? null : decodeClaimMemory(claimBytes);
    const members = memberBytes === undefined ? null : decodeMembers(memberBytes);
    const hostId = restored?.hostId ?? sha256Hex(settings.identity ?? boot.name).slice(0, 32);
    const instance = [boot.random.uint32(), boot.random.uint32()]
      .map((part) => part.toString(16).padStart(8, "0")).join("");
    const seeds = settings.seeds ?? [];
    const claim: ClaimOptions = {
      cluster: "simulated",
      pool: settings.pool ?? this.#pool,
      pin: settings.pin ?? null,
      bootstrap: settings.bootstrap ?? false,
      seedsGiven: seeds.length > 0,
      vtep: {
        address: boot.endpoint.slice(0, boot.endpoint.lastIndexOf(":")),
        port: VXLAN_PORT,
        mac: vtepMac(hostId, VNI),
      },
      hostId,
      instance,
      restored,
    };
    const { keyring } = this.#options;
    return new HostCore({
      claim,
      swim: {
        ...(keyring === undefined ? {} : { keys: keyring(boot.random) }),
        label: "simulated",
        self: { id: hostId, name: boot.name, endpoint: boot.endpoint, instance, version: "0.0.0" },
        incarnation: members === null ? 0 : members.incarnation + 1,
        timings: this.#options.timings ?? LAN_TIMINGS,
        seeds,
        remembered: members?.members ?? [],
      },
    }, boot.random);
  }
}
