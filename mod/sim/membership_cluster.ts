/** Hosts that run membership alone: what most simulations of swim are made of. */
import type { Endpoint } from "../base/core.ts";
import { assert } from "../base/assert.ts";
import { Random } from "../base/random.ts";
import type { SwimEvent } from "../swim/event.ts";
import type { Lifeguard } from "../swim/lifeguard.ts";
import type { Member, MemberId } from "../swim/member.ts";
import { decodeMembers } from "../swim/memory.ts";
import type { Rider } from "../swim/rider.ts";
import {
  ownMember,
  Swim,
  type SwimCommand,
  type SwimOptions,
  type SwimSnapshot,
} from "../swim/swim.ts";
import { LAN_TIMINGS, type SwimTimings } from "../swim/timings.ts";
import { clearKeyring } from "./clear_cipher.ts";
import { Cluster, type ClusterOptions } from "./cluster.ts";
import type { Boot, SimHost } from "./sim_host.ts";

export type MemberHost = SimHost<SwimCommand, SwimEvent, SwimSnapshot>;

/** The label of simulated clusters. */
export const SIMULATED_LABEL = "simulated";

/** Of simulated hosts: what version is said matters to nobody. */
const VERSION = "0.0.0";

/** Rides along without a word. */
export const SILENT_RIDER: Rider = {
  compare: () => new Uint8Array(),
  compared: () => new Uint8Array(),
  update: () => null,
  updated: () => new Uint8Array(),
  merge: () => {},
  receive: () => {},
  memberChanged: () => {},
  synced: () => {},
};

/** Of an id: how many other hosts were at this address before. */
const PREDECESSORS_DIGITS = 2;

type Options = Partial<ClusterOptions<SwimCommand, SwimEvent, SwimSnapshot>>;

export interface MembershipOptions extends Options {
  readonly seed: number;
  readonly timings?: SwimTimings;
  readonly lifeguard?: Lifeguard;
  /** So many of the first hosts are everybody's seeds; 1 unless said. */
  readonly seedHosts?: number;
  /** Whether hosts have a gossip key; see clear_cipher.ts. */
  readonly isSealed?: boolean;
}

export class MembershipCluster {
  readonly cluster: Cluster<SwimCommand, SwimEvent, SwimSnapshot>;
  readonly timings: SwimTimings;
  readonly #options: MembershipOptions;
  readonly #ids = new Map<string, MemberId>();
  /** Those that begin among each other; shared by all. */
  #known: readonly Member[] | null = null;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.timings = options.timings ?? LAN_TIMINGS;
    this.cluster = new Cluster({ ...options, start: (boot) => this.#start(boot) });
  }

  /** Of `h5`: an id that is readable in failures, `0..05`; the third host at its address has `020..05`. */
  idOf(name: string): MemberId {
    let id = this.#ids.get(name);
    if (id === undefined) {
      id = name.replace(/\D/g, "").padStart(32, "0");
      this.#ids.set(name, id);
    }
    return id;
  }

  /** From its next start on, the host of that name is another one. */
  replace(name: string): void {
    const id = this.idOf(name);
    const predecessors = Number(id.slice(0, PREDECESSORS_DIGITS)) + 1;
    this.#ids.set(
      name,
      predecessors.toString().padStart(PREDECESSORS_DIGITS, "0") + id.slice(PREDECESSORS_DIGITS),
    );
  }

  /** The host of that id; undefined if it is none of ours, or was replaced. */
  hostOf(id: MemberId): MemberHost | undefined {
    const host = this.cluster.hosts[Number(id.slice(PREDECESSORS_DIGITS)) - 1];
    return host !== undefined && this.idOf(host.name) === id ? host : undefined;
  }

  /** Adds hosts without starting them. */
  add(count: number): MemberHost[] {
    return Array.from({ length: count }, () => this.cluster.add());
  }

  /**
   * Adds hosts and starts them as a cluster that has been there for long: all know each other, nobody has news. Thousands
   * are there at once.
   */
  addFormed(count: number): MemberHost[] {
    assert(this.#known === null, "a cluster is formed once");
    const hosts = this.add(count);
    this.#known = hosts.map((host) => ownMember(this.#swimOptions(host.name, host.endpoint, 0)))
      .sort((one, other) => one.id < other.id ? -1 : 1);
    for (const host of hosts) this.cluster.boot(host);
    return hosts;
  }

  /** The endpoints that every host is given to join through. */
  seeds(): Endpoint[] {
    const { hosts } = this.cluster;
    return hosts.slice(0, this.#options.seedHosts ?? 1).map(({ endpoint }) => endpoint);
  }

  /** Whom a host knows before its first step: of its first life in a cluster that began formed, everybody. */
  knownAtStart(host: MemberHost): readonly Member[] {
    const isFormed = host.boots <= 1 && this.#known?.some(({ name }) => name === host.name);
    return isFormed === true ? this.#known ?? [] : [];
  }

  #start(boot: Boot): Swim {
    const document = boot.documents.get("members");
    const memory = document === undefined ? undefined : decodeMembers(document);
    const options = this.#swimOptions(boot.name, boot.endpoint, boot.bootNumber, boot.random);
    const isFormed = this.#known !== null && boot.bootNumber === 0 &&
      this.#known.some(({ name }) => name === boot.name);
    return new Swim(
      {
        ...options,
        incarnation: memory === undefined ? 0 : memory.incarnation + 1,
        remembered: memory?.members ?? [],
        ...(isFormed && this.#known !== null ? { known: this.#known } : {}),
      },
      boot.random,
      SILENT_RIDER,
    );
  }

  #swimOptions(
    name: string,
    endpoint: Endpoint,
    bootNumber: number,
    random = new Random(bootNumber),
  ): SwimOptions {
    const { lifeguard, isSealed } = this.#options;
    const number = name.replace(/\D/g, "");
    return {
      label: SIMULATED_LABEL,
      ...(isSealed === true ? { keys: clearKeyring(random) } : {}),
      self: {
        id: this.idOf(name),
        name,
        endpoint,
        // Different in each life, and the same in each run.
        instance: number.padStart(8, "0") + bootNumber.toString().padStart(8, "0"),
        version: VERSION,
      },
      incarnation: 0,
      timings: this.timings,
      ...(lifeguard === undefined ? {} : { lifeguard }),
      seeds: this.seeds().filter((seed) => seed !== endpoint),
      remembered: [],
    };
  }
}
