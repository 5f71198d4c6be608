/** What became of each fault: how soon it was noticed, and how soon all knew. Watches a run from above. */
import type { Fault } from "./fault.ts";
import { formatFault } from "./fault_text.ts";
import type { ObservedHost, RunObserver, RunView } from "./run_observer.ts";
import { bytesSent } from "./traffic.ts";

export interface Chapter {
  readonly atMs: number;
  /** A fault as in a scenario file, or `start`. */
  readonly text: string;
  /** Until the first host believed something else of anybody; null when nobody did before all was known. */
  noticedAfterMs: number | null;
  /** Until every host believed of every other what is true; null when something else happened first. */
  knownAfterMs: number | null;
}

/** Time between looks: a hundredth of a second is as fine as the figures are told. */
const LOOK_MS = 10;

export class Narrative implements RunObserver {
  readonly chapters: Chapter[] = [];
  #view: RunView | null = null;
  #open: Chapter | null = null;
  #beliefs = "";
  #nextLookMs = 0;

  attach(view: RunView): void {
    this.#view = view;
    this.#begin(0, "start");
  }

  step(_host: ObservedHost, nowMs: number): void {
    if (this.#open === null || nowMs < this.#nextLookMs) return;
    this.#nextLookMs = nowMs + LOOK_MS;
    this.#look(nowMs, this.#open);
  }

  fault(nowMs: number, fault: Fault, hasHappened: boolean): void {
    if (hasHappened) this.#begin(nowMs, formatFault(fault));
  }

  /** Bytes that a host sent in a second, on average over all hosts, up to now. */
  bytesPerSecond(): number {
    const view = this.#view;
    if (view === null || view.nowMs === 0 || view.hosts.length === 0) return 0;
    const total = view.hosts.reduce((sum, { traffic }) => sum + bytesSent(traffic), 0);
    return total / view.hosts.length / (view.nowMs / 1000);
  }

  #begin(atMs: number, text: string): void {
    const chapter = { atMs, text, noticedAfterMs: null, knownAfterMs: null };
    this.chapters.push(chapter);
    this.#open = chapter;
    this.#beliefs = this.#view === null ? "" : beliefs(this.#view);
  }

  #look(nowMs: number, chapter: Chapter): void {
    const view = this.#view;
    if (view === null) return;
    if (chapter.noticedAfterMs === null && beliefs(view) !== this.#beliefs) {
      chapter.noticedAfterMs = nowMs - chapter.atMs;
    }
    if (view.hosts.some(({ boots }) => boots === 0) || !isTruthKnown(view)) return;
    chapter.knownAfterMs = nowMs - chapter.atMs;
    this.#open = null;
  }
}

/** Who believes what, and holds what, as text that is equal exactly when that is. */
function beliefs(view: RunView): string {
  return view.hosts.filter(({ isRunning }) => isRunning).map((host) => {
    const members = view.swim(host).members
      .map(({ id, status }) => `${id.slice(-4)}${status[0]}`).join("");
    const claim = view.claim(host);
    return claim === null ? members : `${members}${claim.state}${claim.subnet}`;
  }).join(" ");
}

/** Whether every host that runs sees alive exactly those that run and that it has a way to, and whether claims are settled. */
function isTruthKnown(view: RunView): boolean {
  const present = view.hosts.filter((host) =>
    host.isRunning && view.swim(host).self.status !== "left"
  );
  for (const side of sidesOf(present, view)) {
    const ids = new Set(side.map((host) => view.idOf(host)));
    for (const host of side) {
      const state = view.claim(host)?.state;
      if (state !== undefined && state !== "held" && state !== "waiting") return false;
      let alive = 0;
      for (const { id, status } of view.swim(host).members) {
        if (status === "suspect") return false;
        if (status === "alive" && !ids.has(id)) return false;
        if (status === "alive") alive++;
      }
      if (alive < ids.size) return false;
    }
  }
  return true;
}

/** Groups of hosts that reach each other, if only through others. */
function sidesOf(hosts: readonly ObservedHost[], view: RunView): ObservedHost[][] {
  const unplaced = new Set(hosts);
  const sides: ObservedHost[][] = [];
  for (const first of unplaced) {
    unplaced.delete(first);
    const side = [first];
    for (const host of side) {
      for (const other of unplaced) {
        if (!view.reaches(host, other) || !view.reaches(other, host)) continue;
        unplaced.delete(other);
        side.push(other);
      }
    }
    sides.push(side);
  }
  return sides;
}
