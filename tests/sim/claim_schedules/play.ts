/**
 * Plays named schedules on whole simulated hosts: a scenario as its file would have it, what a file cannot say, and
 * what must have come of it besides the rules that are checked in every run.
 */
import { ok } from "node:assert/strict";
import { type Pool, subnetsOf } from "../../../mod/address/pool.ts";
import { sha256Hex } from "../../../mod/base/hash.ts";
import type { HostEvent } from "../../../mod/claim/host_core.ts";
import { rendezvousOrder } from "../../../mod/claim/rendezvous.ts";
import { HostRun } from "../../../mod/sim/host_run.ts";
import type { SimulatedHost } from "../../../mod/sim/host_cluster.ts";
import type { RunObserver } from "../../../mod/sim/run_observer.ts";
import { parseSchedule } from "../../../mod/sim/schedule.ts";

/** The label of simulated clusters, which goes into the order in which hosts want subnets. */
const LABEL = "simulated";

export interface ClaimSchedule {
  /** As in docs/simulator.md: `1` to `36`, and `a` to `f` for the values that break things. */
  readonly number: string;
  /** What holds, as a sentence. */
  readonly name: string;
  readonly hosts: number;
  /** The scenario file but for seed and number of hosts; the seed also shifts what is hard to hit. */
  readonly lines: (seed: number) => readonly string[];
  /** False for large clusters, where what holds after every step takes longer to check than to play. */
  readonly checksSteps?: boolean;
  /** How many seeds it is played with; 3 unless said. */
  readonly seeds?: number;
  /** Sets things up that a scenario file cannot say; faults come later, by `run.hosts.cluster.after`. */
  readonly during?: (run: HostRun, story: Story, seed: number) => void;
  readonly expect: (story: Story) => void;
}

interface Told {
  readonly atMs: number;
  readonly host: string;
  readonly event: HostEvent;
}

/** What happened in a run, and how it ended. */
export class Story implements RunObserver {
  readonly told: Told[] = [];
  /** Filled in when the run is over. */
  run: HostRun | null = null;

  step: NonNullable<RunObserver["step"]> = (host, nowMs, _input, actions) => {
    for (const action of actions) {
      if (action.kind === "event") {
        this.told.push({ atMs: nowMs, host: host.name, event: action.event });
      }
    }
  };

  /** Of a host at the end. */
  host(name: string): SimulatedHost {
    const host = this.run?.hosts.find(name);
    ok(host, `there is no host ${name}`);
    return host;
  }

  claim(name: string) {
    return this.host(name).snapshot().claim;
  }

  /** What a host held at that time; null while it held nothing. */
  heldAt(name: string, atMs: number): string | null {
    const change = this.told.findLast((one) =>
      one.host === name && one.atMs <= atMs && one.event.kind === "claim-changed"
    );
    if (change?.event.kind !== "claim-changed") return null;
    return change.event.to.state === "held" ? change.event.to.subnet : null;
  }

  /** When a host first held something after that time; Infinity for never. */
  heldAfter(name: string, fromMs: number): number {
    const change = this.told.find((one) =>
      one.host === name && one.atMs >= fromMs && one.event.kind === "claim-changed" &&
      one.event.to.state === "held"
    );
    return change?.atMs ?? Infinity;
  }

  /** The hosts that changed their subnet, once for each time. */
  renumbered(): string[] {
    return this.told.flatMap(({ host, event }) => event.kind === "renumbered" ? [host] : []);
  }

  /** Those that hold that subnet at the end. */
  holders(subnet: string): string[] {
    const hosts = this.run?.hosts.cluster.running ?? [];
    return hosts.filter((host) => {
      const { claim } = host.snapshot();
      return claim.state === "held" && claim.subnet === subnet;
    }).map(({ name }) => name);
  }

  /** The most hosts that ever held that subnet at once. */
  holdersAtOnce(subnet: string): number {
    const holding = new Set<string>();
    let most = 0;
    for (const { host, event } of this.told) {
      if (event.kind !== "claim-changed") continue;
      if (event.to.state === "held" && event.to.subnet === subnet) holding.add(host);
      else holding.delete(host);
      most = Math.max(most, holding.size);
    }
    return most;
  }

  warnings(): string[] {
    return this.told.flatMap(({ event }) => event.kind === "warning" ? [event.code] : []);
  }
}

/** Plays it with one seed; throws what does not hold. */
export function play(schedule: ClaimSchedule, seed: number): Story {
  const text = [`seed ${seed}`, `hosts ${schedule.hosts}`, "claims 1", ...schedule.lines(seed)];
  const story = new Story();
  const parsed = parseSchedule(text.join("\n"));
  ok(parsed.claims, "every scenario here has claims");
  const run = new HostRun({ ...parsed, claims: parsed.claims }, {
    observer: story,
    checksSteps: schedule.checksSteps !== false,
  });
  story.run = run;
  schedule.during?.(run, story, seed);
  const { failure } = run.run();
  if (failure !== null) {
    throw new Error(`${failure.rule}: ${failure.message}\n\n${text.join("\n")}\n`);
  }
  schedule.expect(story);
  return story;
}

/** Names of hosts, both ends included: `h2,h3,h4`. */
export function hosts(first: number, last: number): string {
  return names(first, last).join(",");
}

export function names(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `h${first + index}`);
}

/** The id of a host that was given that identity, its name unless said. */
export function idOf(identity: string): string {
  return sha256Hex(identity).slice(0, 32);
}

/** Identities whose hosts want that subnet first, and after it the next one given, and so on. */
export function wanting(pool: Pool, wanted: readonly string[], count: number): string[] {
  const subnets = subnetsOf(pool);
  const found: string[] = [];
  for (let number = 0; found.length < count; number++) {
    const order = rendezvousOrder(LABEL, idOf(`w${number}`), subnets);
    if (wanted.every((subnet, index) => order[index] === subnet)) found.push(`w${number}`);
  }
  return found;
}

/** Subnets that none of the hosts with those identities wants first. */
export function unwanted(pool: Pool, identities: readonly string[]): string[] {
  const subnets = subnetsOf(pool);
  const first = new Set(
    identities.map((identity) => rendezvousOrder(LABEL, idOf(identity), subnets)[0]),
  );
  return subnets.filter((subnet) => !first.has(subnet));
}

/** Nothing gets from any of these hosts to any of those, nor back. */
export function between(
  atMs: number,
  kind: "cut" | "mend",
  these: readonly string[],
  those: readonly string[],
): string[] {
  return these.flatMap((one) =>
    those.flatMap((
      other,
    ) => [`${atMs} ${kind} ${one} ${other}`, `${atMs} ${kind} ${other} ${one}`])
  );
}
