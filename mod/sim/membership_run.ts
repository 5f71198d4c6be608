/**
 * Plays one schedule on hosts that run membership alone, with every rule checked on the way: faults, then calm, then the
 * time that the protocol may take to be of one mind again, then quiet.
 */
import { assert } from "../base/assert.ts";
import type { Action, Input } from "../base/core.ts";
import { reasonOf } from "../base/errors.ts";
import type { SwimEvent } from "../swim/event.ts";
import type { SwimCommand } from "../swim/swim.ts";
import type { TimedFault } from "./fault.ts";
import { FaultPlayer } from "./fault_player.ts";
import { InvariantError } from "./invariant_error.ts";
import { type MemberHost, MembershipCluster } from "./membership_cluster.ts";
import { MembershipInvariants } from "./membership_invariants.ts";
import type { RunView } from "./run_observer.ts";
import type { RunFailure, RunOptions, RunResult } from "./run_result.ts";
import { lastFaultAtMs, type Schedule } from "./schedule.ts";
import { FIRST_PROBE_ROUNDS, settleBoundMs, SPREAD_MS } from "./settle_bound.ts";
import { SettledRules } from "./settled_rules.ts";
import { ALL_TROUBLES, Shadow } from "./shadow.ts";

/** Time between looks at whether all are of one mind. */
const LOOK_MS = 250;
/** A health score of 7 is back at 0 after 7 answered probes; and what is written down is written within 12 s. */
const CALM_DOWN_MS = 13_000;
/** Long enough for a probe of each kind and some syncs. */
const QUIET_MS = 10_000;
/** A process ends that soon after its goodbye. */
const EXIT_DELAY_MS = 50;
/** Of the monotonic clock of a host at the start of a run: four months. */
const UPTIME_MS_MAX = 10_000_000_000;
/** Who was killed so soon after its start may be unknown to some. */
const FRESH_MS = 10_000;

export class MembershipRun {
  readonly membership: MembershipCluster;
  readonly #schedule: Schedule;
  readonly #options: RunOptions;
  readonly #shadow = new Shadow();
  readonly #invariants: MembershipInvariants;
  readonly #settled: SettledRules;
  readonly #player: FaultPlayer<SwimCommand, SwimEvent, ReturnType<MemberHost["snapshot"]>>;
  #settledAfterMs: number | null = null;
  /** Nothing is left to be said. */
  #isQuiet = false;

  constructor(schedule: Schedule, options: RunOptions = {}) {
    this.#schedule = schedule;
    this.#options = options;
    this.membership = new MembershipCluster({
      seed: schedule.seed,
      seedHosts: schedule.seedHosts,
      keepEvents: false,
      isSealed: schedule.isSealed,
      ...(options.timings === undefined ? {} : { timings: options.timings }),
      ...(options.lifeguard === undefined ? {} : { lifeguard: options.lifeguard }),
      afterStep: (host, actions, input) => this.#afterStep(host, actions, input),
    });
    options.observer?.attach?.(viewOf(this.membership));
    this.#invariants = new MembershipInvariants(this.membership, this.#shadow);
    this.#settled = new SettledRules(this.membership);
    this.#player = new FaultPlayer(this.membership.cluster, {
      replace: (host) => this.membership.replace(host.name),
      leave: () => ({ kind: "leave" }),
      join: () => ({ kind: "join", seeds: this.membership.seeds() }),
      forget: (_host, other) => {
        const id = this.membership.idOf(other);
        return { kind: "forget", id, force: true };
      },
    });
  }

  run(): RunResult {
    let failure: RunFailure | null = null;
    try {
      this.#play();
    } catch (error) {
      const rule = error instanceof InvariantError ? error.rule : "throws";
      failure = { rule, message: reasonOf(error) };
    }
    const { cluster } = this.membership;
    return {
      failure,
      fingerprint: cluster.trace.fingerprint(),
      steps: cluster.trace.steps,
      virtualMs: cluster.nowMs,
      settledAfterMs: this.#settledAfterMs,
    };
  }

  #play(): void {
    const { cluster } = this.membership;
    this.#start();
    for (const timed of this.#schedule.faults) {
      cluster.after(timed.atMs, () => this.#playFault(timed));
    }
    cluster.runFor(Math.max(lastFaultAtMs(this.#schedule), this.#schedule.startWithinMs));
    this.#player.calm();
    this.#shadow.calm(cluster.nowMs);
    this.#settle();
    cluster.runFor(CALM_DOWN_MS);
    this.#settled.checkQuiet();
    const sent = this.#settled.sent();
    this.#isQuiet = true;
    cluster.runFor(QUIET_MS);
    this.#settled.checkTraffic(sent, QUIET_MS / 1000);
    this.#settled.checkQuiet();
    this.#invariants.spread.checkWhole();
  }

  #start(): void {
    const { hosts, startWithinMs } = this.#schedule;
    const { cluster } = this.membership;
    if (startWithinMs === 0) {
      for (const host of this.membership.addFormed(hosts)) this.#setClock(host);
      return;
    }
    for (const host of this.membership.add(hosts)) {
      this.#setClock(host);
      const atMs = cluster.random.unit() * startWithinMs;
      cluster.after(atMs, () => {
        if (host.isRunning || host.boots > 0) return;
        this.#started(host);
        cluster.boot(host);
      });
    }
  }

  /** No two clocks show the same: times mean something on the host alone where they were read. */
  #setClock(host: MemberHost): void {
    this.membership.cluster.jumpClock(host, this.membership.cluster.random.below(UPTIME_MS_MAX));
  }

  #started(host: MemberHost): void {
    const { nowMs } = this.membership.cluster;
    this.#shadow.noteStart(nowMs, host.name);
  }

  #playFault({ fault }: TimedFault): void {
    const { cluster } = this.membership;
    const boots = "host" in fault ? this.#find(fault.host)?.boots : undefined;
    const hasHappened = this.#player.play(fault);
    this.#options.observer?.fault?.(cluster.nowMs, fault, hasHappened);
    if (!hasHappened) return;
    this.#shadow.note(cluster.nowMs, fault);
    const host = "host" in fault ? this.#find(fault.host) : undefined;
    if (host === undefined) return;
    if (fault.kind === "kill") this.#expectDetection(host);
    if (boots !== host.boots) this.#started(host);
  }

  /** Everybody comes to know of a crash, unless something else happens meanwhile. */
  #expectDetection(host: MemberHost): void {
    const { cluster, timings } = this.membership;
    const killedAtMs = cluster.nowMs;
    const { boots } = host;
    if (killedAtMs - host.startedAtMs < FRESH_MS) return;
    const { hosts } = this.#schedule;
    const rounds = Math.min(2 * hosts, FIRST_PROBE_ROUNDS) + 2;
    const suspectedMs = rounds * timings.probeIntervalMs + SPREAD_MS;
    const deadMs = suspectedMs + this.#invariants.verdicts.longestMs(hosts);
    const check = (withinMs: number, gone: readonly string[]) => {
      if (host.isRunning || host.boots !== boots) return;
      if (this.#shadow.isOnNetwork(killedAtMs)) return;
      for (const viewer of cluster.running) {
        if (this.#shadow.isOn(viewer.name, killedAtMs, ALL_TROUBLES)) continue;
        const id = this.membership.idOf(host.name);
        const status = viewer.snapshot().members.find((member) => member.id === id)?.status;
        if (status === undefined || gone.includes(status)) continue;
        this.#invariants.fail(
          "crash-detected",
          `${viewer.name} sees ${host.name} ${status}, killed ${withinMs.toFixed(0)} ms ago`,
        );
      }
    };
    cluster.after(suspectedMs, () => check(suspectedMs, ["suspect", "dead", "left"]));
    cluster.after(deadMs, () => check(deadMs, ["dead", "left"]));
  }

  #afterStep(
    host: MemberHost,
    actions: readonly Action<SwimEvent>[],
    input: Input<SwimCommand>,
  ): void {
    this.#options.observer?.step?.(host, this.membership.cluster.nowMs, input, actions);
    if (this.#options.checksSteps !== false) this.#invariants.check(host, actions, input);
    if (this.#isQuiet) this.#settled.checkSync(host, input);
    const hasLeft = actions.some((action) =>
      action.kind === "event" && action.event.kind === "left"
    );
    if (hasLeft) this.#exitSoon(host);
  }

  /** A process ends after its goodbye, unless it is told to stay meanwhile. */
  #exitSoon(host: MemberHost): void {
    const { cluster } = this.membership;
    const { boots } = host;
    cluster.after(EXIT_DELAY_MS, () => {
      if (host.boots !== boots || !host.isRunning) return;
      if (host.snapshot().self.status === "left") cluster.kill(host);
    });
  }

  #settle(): void {
    const { cluster } = this.membership;
    const calmAtMs = cluster.nowMs;
    const boundMs = settleBoundMs(this.membership.timings, this.#schedule.hosts);
    let why = this.#settled.whyUnsettled();
    while (why !== null && cluster.nowMs - calmAtMs < boundMs) {
      cluster.runFor(LOOK_MS);
      why = this.#settled.whyUnsettled();
    }
    if (why !== null) {
      this.#invariants.fail("converges", `${why}, ${boundMs.toFixed(0)} ms after the last fault`);
    }
    this.#settledAfterMs = cluster.nowMs - calmAtMs;
  }

  #find(name: string): MemberHost | undefined {
    return this.membership.hostOf(this.membership.idOf(name));
  }
}

/** The cluster as observers see it. */
function viewOf(membership: MembershipCluster): RunView {
  const { cluster } = membership;
  return {
    get nowMs() {
      return cluster.nowMs;
    },
    hosts: cluster.hosts,
    idOf: ({ name }) => membership.idOf(name),
    swim: ({ index }) => hostAt(cluster.hosts, index).snapshot(),
    claim: () => null,
    reaches: (from, to) => cluster.network.reaches(from.home, to.home),
  };
}

function hostAt(hosts: readonly MemberHost[], index: number): MemberHost {
  const host = hosts[index];
  assert(host !== undefined, "a host that is looked at is one of the cluster");
  return host;
}

/** Plays a schedule to its end, or to the first rule that does not hold. */
export function runMembership(schedule: Schedule, options: RunOptions = {}): RunResult {
  return new MembershipRun(schedule, options).run();
}
