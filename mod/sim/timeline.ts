/** What became of each host over time, as most of the others saw it: the data of the picture of a run. */
import { cidrsOverlap } from "../address/network.ts";
import type { LifeState } from "../claim/host_core.ts";
import type { MemberStatus } from "../swim/member.ts";
import { type Fault, hostsOf } from "./fault.ts";
import { formatFault } from "./fault_text.ts";
import type { ObservedHost, RunObserver, RunView } from "./run_observer.ts";

/** What most others believe; `unknown` before anybody knows the host. */
export type Belief = MemberStatus | "unknown";
/** What the host really does. */
export type Truth = "up" | "down" | "paused" | "frozen";

/** From that time on, until the next one. */
export interface Span<State> {
  readonly fromMs: number;
  readonly state: State;
}

/** What a host claims, and whether somebody else that runs holds an overlapping subnet. */
export interface ClaimState {
  readonly state: LifeState;
  readonly subnet: string | null;
  readonly isContested: boolean;
}

export interface Lane {
  readonly name: string;
  readonly beliefs: Span<Belief>[];
  readonly truths: Span<Truth>[];
  /** Empty where hosts run membership alone. */
  readonly claims: Span<ClaimState | null>[];
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
  #view: RunView | null = null;

  /** Says whose timeline it is. */
  attach(view: RunView): void {
    this.#view = view;
  }

  step(_host: ObservedHost, nowMs: number): void {
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
    const view = this.#view;
    if (view === null) return;
    const counts = countBeliefs(view);
    const claims = claimsOf(view);
    view.hosts.forEach((host, index) => {
      const lane = this.lanes[index] ?? { name: host.name, beliefs: [], truths: [], claims: [] };
      this.lanes[index] = lane;
      append(lane.beliefs, nowMs, majority(counts.get(view.idOf(host))));
      append(lane.truths, nowMs, truthOf(host));
      const claim = claims[index];
      if (claim !== undefined) append(lane.claims, nowMs, claim, isSameClaim);
    });
  }
}

type Counts = Map<Belief, number>;

function countBeliefs(view: RunView): Map<string, Counts> {
  const all = new Map<string, Counts>();
  for (const viewer of view.hosts) {
    if (!viewer.isRunning) continue;
    const { self, members } = view.swim(viewer);
    for (const { id, status } of members) {
      if (id === self.id) continue;
      const counts: Counts = all.get(id) ?? new Map();
      counts.set(status, (counts.get(status) ?? 0) + 1);
      all.set(id, counts);
    }
  }
  return all;
}

/** What each host claims, null while it is down; undefined for hosts without claims. */
function claimsOf(view: RunView): (ClaimState | null | undefined)[] {
  const claims = view.hosts.map((host) => host.isRunning ? view.claim(host) : null);
  if (claims.every((claim) => claim === null)) return [];
  const held = claims.flatMap((claim) => claim?.state === "held" ? [claim.subnet] : [])
    .filter((subnet) => subnet !== null);
  return claims.map((claim) => {
    if (claim === null) return null;
    const { state, subnet } = claim;
    const same = subnet === null ? 0 : held.filter((one) => cidrsOverlap(one, subnet)).length;
    return { state, subnet, isContested: same > (state === "held" ? 1 : 0) };
  });
}

function isSameClaim(one: ClaimState | null, other: ClaimState | null): boolean {
  return one?.state === other?.state && one?.subnet === other?.subnet &&
    one?.isContested === other?.isContested;
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

function truthOf(host: ObservedHost): Truth {
  if (!host.isRunning) return "down";
  return host.gait === "running" ? "up" : host.gait;
}

function append<State>(
  spans: Span<State>[],
  fromMs: number,
  state: State,
  isSame = (one: State, other: State) => one === other,
): void {
  const last = spans.at(-1);
  if (last === undefined || !isSame(last.state, state)) spans.push({ fromMs, state });
}
