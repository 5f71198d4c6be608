/**
 * The figures of claims: how long a host takes from its start to its subnet, how often newcomers choose the same one, and
 * what a host writes until all is quiet.
 */
import { makePool } from "../../address/pool.ts";
import { assert } from "../../base/assert.ts";
import type { Action } from "../../base/core.ts";
import type { HostEvent } from "../../claim/host_core.ts";
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
}

/** What became of each newcomer. */
export interface NewcomerFigures {
  /** From its start in the simulator, where programs load in no time. */
  readonly heldMs: number;
  /** Subnets that it chose and that went to another host. */
  readonly choicesLost: number;
  /** Records that it wrote to its disk until nothing moved any more. */
  readonly writes: number;
}

/** Hosts of the first cluster start by tenths of those there are, and at least so many. */
const BATCH_MIN = 10;
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
  readonly #heldAtMs = new Map<string, number>();

  constructor(plan: ClaimPlan) {
    this.#hosts = new HostCluster({
      seed: plan.seed,
      pool: makePool({ network: plan.network, subnetLength: 24 }),
      keepEvents: false,
      keepWrites: false,
      afterStep: (host, actions) => this.#note(host, actions),
    });
    this.#form(plan.hosts);
    const newcomers = plan.together ? this.#together(plan.newcomers) : this.#apart(plan.newcomers);
    this.#hosts.cluster.runFor(QUIET_MS);
    this.newcomers = newcomers.map((host) => this.#figures(host));
  }

  #note(host: SimulatedHost, actions: readonly Action<HostEvent>[]): void {
    for (const action of actions) {
      if (action.kind !== "event" || action.event.kind !== "claim-changed") continue;
      if (action.event.to.state !== "held" || this.#heldAtMs.has(host.name)) continue;
      this.#heldAtMs.set(host.name, this.#hosts.cluster.nowMs);
    }
  }

  /** A cluster at rest. */
  #form(count: number): void {
    const batch = Math.max(BATCH_MIN, count / 10);
    for (let started = 0; started < count;) {
      const size = Math.min(started === 0 ? 1 : batch, count - started);
      this.#untilHeld(Array.from({ length: size }, () => this.#start()));
      started += size;
    }
    this.#hosts.cluster.runFor(QUIET_MS);
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
    return { heldMs: heldAtMs - host.startedAtMs, choicesLost, writes };
  }
}
