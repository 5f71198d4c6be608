/**
 * Makes a failing schedule small: fewer faults (delta debugging, Zeller and Hildebrandt 2002), fewer
 * hosts, shorter times, as long as the same rule still fails. The seed of the run stays: another seed
 * is another run.
 */
import { hostsOf, type TimedFault } from "./fault.ts";
import type { Schedule } from "./schedule.ts";

export interface ShrinkOptions {
  /** Whether a schedule still fails in the same way. */
  readonly fails: (schedule: Schedule) => boolean;
  /** Runs that may be spent. */
  readonly runsMax: number;
}

/** With fewer hosts most rules of a cluster say little. */
const HOSTS_MIN = 2;

export interface Shrunk {
  readonly schedule: Schedule;
  readonly runs: number;
}

/** The smallest failing schedule found; the given one when nothing can be left out. */
export function shrinkSchedule(schedule: Schedule, options: ShrinkOptions): Shrunk {
  const shrinker = new Shrinker(schedule, options);
  let size: string;
  do {
    size = shrinker.size();
    shrinker.dropFaults();
    shrinker.halveHosts();
    shrinker.simplifyStart();
    shrinker.shortenTimes();
  } while (shrinker.size() !== size && shrinker.mayRun);
  return { schedule: shrinker.best, runs: shrinker.runs };
}

class Shrinker {
  best: Schedule;
  runs = 0;
  readonly #options: ShrinkOptions;

  constructor(schedule: Schedule, options: ShrinkOptions) {
    this.best = schedule;
    this.#options = options;
  }

  get mayRun(): boolean {
    return this.runs < this.#options.runsMax;
  }

  /** What becomes smaller while there is something to gain. */
  size(): string {
    const { hosts, seedHosts, startWithinMs, isSealed, faults } = this.best;
    return `${hosts} ${seedHosts} ${startWithinMs} ${isSealed} ${faults.length} ${
      faults.at(-1)?.atMs
    }`;
  }

  /** Leaves out ever smaller runs of faults. */
  dropFaults(): void {
    for (let length = this.best.faults.length; length >= 1; length >>= 1) {
      for (let at = 0; at < this.best.faults.length;) {
        const faults = this.best.faults.toSpliced(at, length);
        if (!this.#try({ ...this.best, faults })) at += length;
      }
    }
  }

  /** Keeps the first half of the hosts, or all but one, with the faults that are about nobody else. */
  halveHosts(): void {
    for (let cut = this.best.hosts >> 1; cut >= 1; cut >>= 1) {
      while (this.best.hosts - cut >= HOSTS_MIN && this.#try(withHosts(this.best, cut))) {
        // as long as it helps
      }
    }
  }

  simplifyStart(): void {
    if (this.best.startWithinMs > 0) this.#try({ ...this.best, startWithinMs: 0 });
    if (this.best.isSealed) this.#try({ ...this.best, isSealed: false });
    if (this.best.seedHosts > 1) this.#try({ ...this.best, seedHosts: 1 });
  }

  /** Moves everything behind a moment closer to it. */
  shortenTimes(): void {
    for (let at = 0; at < this.best.faults.length; at++) {
      const before = this.best.faults[at - 1]?.atMs ?? 0;
      const gapMs = (this.best.faults[at]?.atMs ?? 0) - before;
      for (const keptMs of [0, gapMs / 4, gapMs / 2]) {
        const kept = Math.round(keptMs);
        if (kept < gapMs && this.#try(withGap(this.best, at, gapMs - kept))) break;
      }
    }
  }

  #try(schedule: Schedule): boolean {
    if (!this.mayRun) return false;
    this.runs++;
    if (!this.#options.fails(schedule)) return false;
    this.best = schedule;
    return true;
  }
}

function withHosts(schedule: Schedule, fewer: number): Schedule {
  const hosts = schedule.hosts - fewer;
  const isThere = (name: string) => Number(name.slice(1)) <= hosts;
  const faults = schedule.faults.flatMap((timed): TimedFault[] => {
    const { fault } = timed;
    if (fault.kind !== "partition") return hostsOf(fault).every(isThere) ? [timed] : [];
    const groups = fault.groups.map((group) => group.filter(isThere));
    return [{ ...timed, fault: { ...fault, groups } }];
  });
  return { ...schedule, hosts, seedHosts: Math.min(schedule.seedHosts, hosts), faults };
}

function withGap(schedule: Schedule, at: number, earlierMs: number): Schedule {
  const faults = schedule.faults.map((timed, index) =>
    index < at ? timed : { ...timed, atMs: timed.atMs - earlierMs }
  );
  return { ...schedule, faults };
}
