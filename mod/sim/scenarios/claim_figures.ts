/**
 * The figures of claims: how long a host takes from its start to its subnet, how often newcomers choose the same one, and
 * what a host writes until all is quiet.
 */
import { makePool, type Pool, poolDigest, subnetsOf } from "../../address/pool.ts";
import { assert } from "../../base/assert.ts";
import type { Action } from "../../base/core.ts";
import { sha256Hex } from "../../base/hash.ts";
import { ABSENCE_TTL_HOURS_DEFAULT } from "../../base/limits.ts";
import type { HostEvent } from "../../claim/host_core.ts";
import { encodeClaimMemory } from "../../claim/memory.ts";
import { type ClaimRecord, STRONG } from "../../claim/record.ts";
import { HostCluster, type SimulatedHost } from "../host_cluster.ts";

/** One cluster and those who join it. */
export interface ClaimPlan {
  readonly seed: number;
  /** There before. */
  readonly hosts: number;
  readonly newcomers: number;
  /** Whether the newcomers start in one instant, and not each when the one before is at rest. */
  readonly together: boolean;
  /** The pool; 10.244.0.0/16 in /24s is 255 subnets. */
  readonly network: string;
  /** Share of packets lost once the cluster is at rest, 0 to 1; none unless said. */
  readonly lossRate?: number;
}

/** What became of each newcomer. */
export interface NewcomerFigures {
  /** From its start in the simulator, where programs load in no time. */
  readonly heldMs: number;
  /** From its subnet until all others route to it (L2); Infinity when that was later than what is waited for. */
  readonly knownMs: number;
  /** Subnets that it chose and that went to another host. */
  readonly choicesLost: number;
  /** Records that it wrote to its disk until nothing moved any more. */
  readonly writes: number;
}

/** Hosts of the first cluster that start in one instant. */
const START_TOGETHER = 50;
/** Strength rises within the objection wait of 3 s and more; after this nobody writes. */
const QUIET_MS = 8_000;
const BETWEEN_MS = 2_000;
const LOOK_MS = 500;
const HELD_MS_MAX = 120_000;

export function measureClaims(plan: ClaimPlan): NewcomerFigures[] {
  return new ClaimRun(plan).newcomers;
}

class ClaimRun {
  readonly newcomers: NewcomerFigures[];
  readonly #hosts: HostCluster;
  readonly #pool: Pool;
  readonly #heldAtMs = new Map<string, number>();
  /** Who does not know yet of a newcomer that holds a subnet: by the newcomer's name, then names of others. */
  readonly #unaware = new Map<string, Set<string>>();
  #isFormed = false;
  readonly #knownAtMs = new Map<string, number>();

  constructor(plan: ClaimPlan) {
    this.#pool = makePool({ network: plan.network, subnetLength: 24 });
    this.#hosts = new HostCluster({
      seed: plan.seed,
      pool: this.#pool,
      keepEvents: false,
      keepWrites: false,
      afterStep: (host, actions) => this.#note(host, actions),
    });
    this.#form(plan.hosts);
    this.#isFormed = true;
    this.#hosts.cluster.network.configure({ lossRate: plan.lossRate ?? 0 });
    const newcomers = plan.together ? this.#together(plan.newcomers) : this.#apart(plan.newcomers);
    this.#hosts.cluster.runFor(QUIET_MS);
    this.newcomers = newcomers.map((host) => this.#figures(host));
  }

  #note(host: SimulatedHost, actions: readonly Action<HostEvent>[]): void {
    if (this.#unaware.size > 0) this.#noteKnown(host);
    for (const action of actions) {
      if (action.kind !== "event" || action.event.kind !== "claim-changed") continue;
      if (action.event.to.state !== "held" || this.#heldAtMs.has(host.name)) continue;
      this.#heldAtMs.set(host.name, this.#hosts.cluster.nowMs);
      if (!this.#isFormed) continue;
      const others = this.#hosts.cluster.running.filter((other) => other !== host);
      this.#unaware.set(host.name, new Set(others.map(({ name }) => name)));
    }
  }

  /** A host learns of others in a step of its own, so that the moment is exact. */
  #noteKnown(host: SimulatedHost): void {
    for (const [newcomer, others] of this.#unaware) {
      if (!others.has(host.name)) continue;
      const id = this.#hosts.idOf(newcomer);
      if (!host.snapshot().claim.owners.some(({ hostId }) => hostId === id)) continue;
      others.delete(host.name);
      if (others.size > 0) continue;
      this.#unaware.delete(newcomer);
      this.#knownAtMs.set(newcomer, this.#hosts.cluster.nowMs);
    }
  }

  /**
   * A cluster at rest. Its hosts come back from a restart, each with its claim on its disk: how they once got them is measured
   * elsewhere, and a thousand of them take long.
   */
  #form(count: number): void {
    const { cluster } = this.#hosts;
    const subnets = subnetsOf(this.#pool);
    for (let number = 0; number < count; number++) {
      const host = cluster.add();
      cluster.write(host, "claim", this.#memoryOf(host, subnets[number] ?? ""));
      const [first] = cluster.hosts;
      const isFirst = first === undefined || first === host;
      this.#hosts.configure(host, isFirst ? {} : { seeds: [first.endpoint] });
      cluster.boot(host);
      if (number % START_TOGETHER === 0) cluster.runFor(LOOK_MS);
    }
    this.#untilHeld(cluster.hosts);
    cluster.runFor(QUIET_MS);
  }

  #memoryOf(host: SimulatedHost, subnet: string): Uint8Array {
    const hostId = sha256Hex(host.name).slice(0, 32);
    const record: ClaimRecord = {
      hostId,
      instance: hostId.slice(0, 16),
      generation: 1,
      sequence: 1,
      poolVersion: this.#pool.version,
      poolDigest: poolDigest(this.#pool),
      subnet,
      state: "held",
      epoch: 1,
      strength: STRONG,
      stamp: 1,
      vtep: this.#hosts.vtepOf(host),
      absenceTtlHours: ABSENCE_TTL_HOURS_DEFAULT,
    };
    return encodeClaimMemory({
      hostId,
      generation: 1,
      lamport: 1,
      fence: [{ subnet, epoch: 1 }],
      record,
      previous: null,
    });
  }

  #together(count: number): SimulatedHost[] {
    const hosts = Array.from({ length: count }, () => this.#start());
    this.#untilHeld(hosts);
    return hosts;
  }

  #apart(count: number): SimulatedHost[] {
    return Array.from({ length: count }, () => {
      const host = this.#start();
      this.#untilHeld([host]);
      this.#hosts.cluster.runFor(BETWEEN_MS);
      return host;
    });
  }

  /** Looked at now and then: the moments are known from the events. */
  #untilHeld(hosts: readonly SimulatedHost[]): void {
    const { cluster } = this.#hosts;
    const endMs = cluster.nowMs + HELD_MS_MAX;
    while (!hosts.every(({ name }) => this.#heldAtMs.has(name))) {
      assert(cluster.nowMs < endMs, `a newcomer has no subnet after ${HELD_MS_MAX} ms`);
      cluster.runFor(LOOK_MS);
    }
  }

  #start(): SimulatedHost {
    const [first] = this.#hosts.cluster.hosts;
    return this.#hosts.start(first === undefined ? {} : { seeds: [first.endpoint] });
  }

  #figures(host: SimulatedHost): NewcomerFigures {
    const { choicesLost, writes } = host.snapshot().claim.counters;
    const heldAtMs = this.#heldAtMs.get(host.name) ?? Infinity;
    const knownMs = (this.#knownAtMs.get(host.name) ?? Infinity) - heldAtMs;
    return { heldMs: heldAtMs - host.startedAtMs, knownMs, choicesLost, writes };
  }
}
