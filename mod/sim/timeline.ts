/** What became of each host over time, as most of the others saw it: the data of the picture of a run. */
import type { Action, Input } from "../base/core.ts";
import type { SwimEvent } from "../swim/event.ts";
import type { MemberStatus } from "../swim/member.ts";
import type { SwimCommand } from "../swim/swim.ts";
import { type Fault, hostsOf } from "./fault.ts";
import { formatFault } from "./fault_text.ts";
import type { MemberHost, MembershipCluster } from "./membership_cluster.ts";
import type { RunObserver } from "./membership_run.ts";

/** What most others believe; `unknown` before anybody knows the host. */
export type Belief = MemberStatus | "unknown";
/** What the host really does. */
export type Truth = "up" | "down" | "paused" | "frozen";

/** From that time on, until the next one. */
export interface Span<State> {
  readonly fromMs: number;
  readonly state: State;
}

export interface Lane {
  readonly name: string;
  readonly beliefs: Span<Belief>[];
  readonly truths: Span<Truth>[];
}

export interface Mark {
  readonly atMs: number;
  readonly text: string;
  /** Whom it is about; empty for the whole network. */
  readonly hosts: readonly string[];
}

/** Time between looks: what is shorter is not seen in a picture of a minute. */
const LOOK_MS = 100;

export class Timeline implements RunObserver {
  readonly lanes: Lane[] = [];
  readonly marks: Mark[] = [];
  endMs = 0;
  #nextLookMs = 0;
  #membership: MembershipCluster | null = null;

  /** Says whose timeline it is. */
  attach(membership: MembershipCluster): void {
    this.#membership = membership;
  }

  step(
    _host: MemberHost,
    nowMs: number,
    _input: Input<SwimCommand>,
    _actions: readonly Action<SwimEvent>[],
  ): void {
    this.endMs = nowMs;
    if (nowMs < this.#nextLookMs) return;
    this.#nextLookMs = nowMs + LOOK_MS;
    this.#look(nowMs);
  }

  fault(nowMs: number, fault: Fault, hasHappened: boolean): void {
    if (!hasHappened) return;
    const hosts = fault.kind === "partition" ? [] : hostsOf(fault);
    this.marks.push({ atMs: nowMs, text: formatFault(fault), hosts });
    this.#look(nowMs);
  }

  #look(nowMs: number): void {
    const membership = this.#membership;
    if (membership === null) return;
    const { hosts } = membership.cluster;
    const counts = countBeliefs(membership);
    hosts.forEach((host, index) => {
      const lane = this.lanes[index] ?? { name: host.name, beliefs: [], truths: [] };
      this.lanes[index] = lane;
      append(lane.beliefs, nowMs, majority(counts.get(membership.idOf(host.name))));
      append(lane.truths, nowMs, truthOf(host));
    });
  }
}

type Counts = Map<Belief, number>;

function countBeliefs(membership: MembershipCluster): Map<string, Counts> {
  const all = new Map<string, Counts>();
  for (const viewer of membership.cluster.hosts) {
    if (!viewer.isRunning) continue;
    const { self, members } = viewer.snapshot();
    for (const { id, status } of members) {
      if (id === self.id) continue;
      const counts: Counts = all.get(id) ?? new Map();
      counts.set(status, (counts.get(status) ?? 0) + 1);
      all.set(id, counts);
    }
  }
  return all;
}

function majority(counts: Counts | undefined): Belief {
  let best: Belief = "unknown";
  let most = 0;
  for (const [belief, count] of counts ?? []) {
    if (count <= most) continue;
    most = count;
    best = belief;
  }
  return best;
}

function truthOf(host: MemberHost): Truth {
  if (!host.isRunning) return "down";
  return host.gait === "running" ? "up" : host.gait;
}

function append<State>(spans: Span<State>[], fromMs: number, state: State): void {
  if (spans.at(-1)?.state !== state) spans.push({ fromMs, state });
}
