/**
 * Plays one schedule on whole hosts, membership and claims, with every rule checked on the way: faults, then calm, then the
 * time that the protocol may take to be of one mind again, then quiet.
 */
import { assert } from "../base/assert.ts";
import type { Action, Input } from "../base/core.ts";
import { reasonOf } from "../base/errors.ts";
import type { HostCommand, HostEvent, HostSnapshot } from "../claim/host_core.ts";
import { ClaimMeasures } from "./claim_measures.ts";
import { ClaimSettled } from "./claim_settled.ts";
import { type ClaimSetup, poolOf } from "./claim_setup.ts";
import { ClaimShadow } from "./claim_shadow.ts";
import { clearKeyring } from "./clear_cipher.ts";
import type { TimedFault } from "./fault.ts";
import { FaultPlayer } from "./fault_player.ts";
import { HostCluster, type SimulatedHost } from "./host_cluster.ts";
import { HostFaults } from "./host_faults.ts";
import { InvariantError } from "./invariant_error.ts";
import { ClaimInvariants } from "./invariants.ts";
import type { RunView } from "./run_observer.ts";
import type { RunFailure, RunOptions, RunResult } from "./run_result.ts";
import { lastFaultAtMs, type Schedule } from "./schedule.ts";

/** A schedule of whole hosts. */
export type HostSchedule = Schedule & { readonly claims: ClaimSetup };

/** Time between looks at whether all are of one mind; more where so many are looked at that it takes longer than they do. */
const LOOK_MS = 250;
const HOSTS_PER_LOOK = 200;
/** What is learnt of others is written within 10 s, and nothing else may come after that. */
const QUIET_MS = 12_000;
/** An agent that leaves ends after this, whatever came of it. */
const LEAVE_MS_MAX = 1_500;
/** A process ends that soon after its goodbye. */
const EXIT_DELAY_MS = 50;
/** Of the monotonic clock of a host at the start of a run: four months. */
const UPTIME_MS_MAX = 10_000_000_000;

export class HostRun {
  readonly hosts: HostCluster;
  readonly #schedule: HostSchedule;
  readonly #options: RunOptions;
  readonly #shadow: ClaimShadow;
  readonly #invariants: ClaimInvariants;
  readonly #settled: ClaimSettled;
  readonly #measures: ClaimMeasures;
  readonly #player: FaultPlayer<HostCommand, HostEvent, HostSnapshot>;
  #settledAfterMs: number | null = null;

  constructor(schedule: HostSchedule, options: RunOptions = {}) {
    this.#schedule = schedule;
    this.#options = options;
    this.hosts = new HostCluster({
      seed: schedule.seed,
      pool: poolOf(schedule.claims.pool),
      keepEvents: false,
      keepWrites: true,
      newIdentities: true,
      ...(options.timings === undefined ? {} : { timings: options.timings }),
      ...(schedule.isSealed ? { keyring: clearKeyring } : {}),
      identityLost: (host) => this.#identityLost(host),
      afterStep: (host, actions, input) => this.#afterStep(host, actions, input),
    });
    options.observer?.attach?.(viewOf(this.hosts));
    this.#settled = new ClaimSettled(this.hosts);
    this.#shadow = new ClaimShadow(this.hosts, this.#settled);
    const measures = new ClaimMeasures(this.hosts, this.#shadow, this.#settled);
    this.#measures = measures;
    this.#invariants = new ClaimInvariants({
      excuses: this.#shadow,
      watch: {
        wrote: (record) => measures.wrote(record),
        learnt: (_host, record) => measures.learnt(record),
      },
      count: (what) => measures.count(what),
      poolOf: (host) => host.snapshot().claim.pool,
      isPinned: (host) => this.hosts.pinOf(host) !== null,
    });
    this.#player = new FaultPlayer(this.hosts.cluster, new HostFaults(this.hosts));
  }

  run(): RunResult {
    let failure: RunFailure | null = null;
    try {
      this.#play();
    } catch (error) {
      const rule = error instanceof InvariantError ? error.rule : "throws";
      failure = { rule, message: reasonOf(error) };
    }
    const { cluster } = this.hosts;
    return {
      failure,
      fingerprint: cluster.trace.fingerprint(),
      steps: cluster.trace.steps,
      virtualMs: cluster.nowMs,
      settledAfterMs: this.#settledAfterMs,
      coverage: this.#measures.coverage(),
      measures: this.#measures.measures(),
    };
  }

  #play(): void {
    const { cluster } = this.hosts;
    this.#start();
    for (const timed of this.#schedule.faults) {
      cluster.after(timed.atMs, () => this.#playFault(timed));
    }
    const lastMs = Math.max(lastFaultAtMs(this.#schedule), this.#schedule.startWithinMs);
    this.#runFor(lastMs);
    this.#player.calm();
    this.#shadow.calm(cluster.nowMs);
    this.#measures.calm();
    this.#settle();
    cluster.runFor(QUIET_MS);
    this.#settled.check();
    this.#measures.checkQuiet();
  }

  /** Looks now and then whether a trouble's consequences are over. */
  #runFor(durationMs: number): void {
    const { cluster } = this.hosts;
    const endMs = cluster.nowMs + durationMs;
    while (cluster.nowMs < endMs) {
      cluster.runFor(Math.min(this.#lookMs(), endMs - cluster.nowMs));
      this.#shadow.look(cluster.nowMs);
      this.#measures.look(cluster.nowMs);
    }
  }

  #lookMs(): number {
    return LOOK_MS * Math.max(1, this.#schedule.hosts / HOSTS_PER_LOOK);
  }

  #start(): void {
    const { claims, hosts: count, startWithinMs } = this.#schedule;
    const { cluster } = this.hosts;
    const hosts = Array.from({ length: count }, () => cluster.add());
    for (const host of hosts) this.#configure(host, hosts);
    if (claims.formed === true) {
      for (const host of hosts) this.#setClock(host);
      this.hosts.bootFormed(hosts.filter(({ name }) => claims.hosts[name]?.later !== true));
      return;
    }
    for (const host of hosts) {
      this.#setClock(host);
      const atMs = cluster.random.unit() * startWithinMs;
      if (claims.hosts[host.name]?.later === true) continue;
      cluster.after(atMs, () => {
        if (host.isRunning || host.boots > 0) return;
        this.#started(host);
        cluster.boot(host);
      });
    }
  }

  /** No two clocks show the same: times mean something on the host alone where they were read. */
  #setClock(host: SimulatedHost): void {
    this.hosts.cluster.jumpClock(host, this.hosts.cluster.random.below(UPTIME_MS_MAX));
  }

  #configure(host: SimulatedHost, hosts: readonly SimulatedHost[]): void {
    const { claims, seedHosts } = this.#schedule;
    const own = claims.hosts[host.name] ?? {};
    const named = own.seeds?.flatMap((name) => hosts.find((one) => one.name === name) ?? []);
    // The same list on every host; but the only seed of all begins alone.
    const given = named ?? (seedHosts === 1 && host.index === 0 ? [] : hosts.slice(0, seedHosts));
    this.hosts.configure(host, {
      seeds: given.map(({ home }) => home),
      ...(own.pool === undefined ? {} : { pool: poolOf(own.pool) }),
      ...(own.pin === undefined ? {} : { pin: own.pin }),
      ...(own.bootstrap === undefined ? {} : { bootstrap: own.bootstrap }),
      ...(own.identity === undefined ? {} : { identity: own.identity }),
    });
  }

  #started(host: SimulatedHost): void {
    this.#shadow.noteStart(this.hosts.cluster.nowMs, host);
    this.#measures.started(this.hosts.cluster.nowMs, host);
  }

  /** Of two hosts with one id this one has another one now. */
  #identityLost(host: SimulatedHost): void {
    this.#measures.count("identity lost");
    this.#started(host);
  }

  #playFault({ fault }: TimedFault): void {
    const { cluster } = this.hosts;
    const before = cluster.hosts.map(({ boots }) => boots);
    const hasHappened = this.#player.play(fault);
    this.#options.observer?.fault?.(cluster.nowMs, fault, hasHappened);
    if (!hasHappened) return;
    this.#measures.fault(fault);
    this.#shadow.note(cluster.nowMs, fault);
    if (fault.kind === "leave" || fault.kind === "release") {
      const host = this.hosts.find(fault.host);
      if (host !== undefined) this.#exitSoon(host, LEAVE_MS_MAX);
    }
    for (const host of cluster.hosts) {
      if (before[host.index] !== host.boots) this.#started(host);
    }
  }

  #afterStep(
    host: SimulatedHost,
    actions: readonly Action<HostEvent>[],
    input: Input<HostCommand>,
  ): void {
    const { cluster } = this.hosts;
    this.#options.observer?.step?.(host, cluster.nowMs, input, actions);
    if (this.#options.checksSteps !== false) {
      this.#invariants.check(cluster.nowMs, cluster.hosts, host, input, actions);
    }
    this.#measures.step(host, actions);
    for (const action of actions) {
      if (action.kind === "event" && action.event.kind === "left") this.#exitSoon(host);
    }
  }

  /** An agent ends after its goodbye, whatever it is told meanwhile. */
  #exitSoon(host: SimulatedHost, delayMs = EXIT_DELAY_MS): void {
    const { cluster } = this.hosts;
    const { boots } = host;
    cluster.after(delayMs, () => {
      if (host.boots === boots && host.isRunning) cluster.kill(host);
    });
  }

  #settle(): void {
    const { cluster } = this.hosts;
    const calmAtMs = cluster.nowMs;
    const boundMs = this.#settled.boundMs();
    let why = this.#settled.whyUnsettled();
    while (why !== null && cluster.nowMs - calmAtMs < boundMs) {
      this.#runFor(this.#lookMs());
      why = this.#settled.whyUnsettled();
    }
    if (why !== null) {
      const text = `${why}, ${boundMs.toFixed(0)} ms after the last fault`;
      throw new InvariantError("L7", cluster.nowMs, text);
    }
    this.#settledAfterMs = cluster.nowMs - calmAtMs;
  }
}

/** Plays a schedule to its end, or to the first rule that does not hold. */
export function runHosts(schedule: HostSchedule, options: RunOptions = {}): RunResult {
  return new HostRun(schedule, options).run();
}

/** The cluster as observers see it. */
function viewOf(hosts: HostCluster): RunView {
  const { cluster } = hosts;
  const at = (index: number) => {
    const host = cluster.hosts[index];
    assert(host !== undefined, "a host that is looked at is one of the cluster");
    return host;
  };
  return {
    get nowMs() {
      return cluster.nowMs;
    },
    hosts: cluster.hosts,
    idOf: ({ name }) => hosts.idOf(name) ?? "",
    swim: ({ index }) => at(index).snapshot().swim,
    claim: ({ index }) => at(index).snapshot().claim,
    reaches: (from, to) => cluster.network.reaches(from.home, to.home),
  };
}
