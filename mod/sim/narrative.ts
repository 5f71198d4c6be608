/** What became of each fault: how soon it was noticed, and how soon all knew. Watches a run from above. */
import type { Fault } from "./fault.ts";
import { formatFault } from "./fault_text.ts";
import type { MemberHost, MembershipCluster } from "./membership_cluster.ts";
import type { RunObserver } from "./membership_run.ts";
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
  #membership: MembershipCluster | null = null;
  #open: Chapter | null = null;
  #beliefs = "";
  #nextLookMs = 0;

  attach(membership: MembershipCluster): void {
    this.#membership = membership;
    this.#begin(0, "start");
  }

  step(_host: MemberHost, nowMs: number): void {
    if (this.#open === null || nowMs < this.#nextLookMs) return;
    this.#nextLookMs = nowMs + LOOK_MS;
    this.#look(nowMs, this.#open);
  }

  fault(nowMs: number, fault: Fault, hasHappened: boolean): void {
    if (hasHappened) this.#begin(nowMs, formatFault(fault));
  }

  /** Bytes that a host sent in a second, on average over all hosts, up to now. */
  bytesPerSecond(): number {
    const cluster = this.#membership?.cluster;
    if (cluster === undefined || cluster.nowMs === 0 || cluster.hosts.length === 0) return 0;
    const total = cluster.hosts.reduce((sum, { traffic }) => sum + bytesSent(traffic), 0);
    return total / cluster.hosts.length / (cluster.nowMs / 1000);
  }

  #begin(atMs: number, text: string): void {
    const chapter = { atMs, text, noticedAfterMs: null, knownAfterMs: null };
    this.chapters.push(chapter);
    this.#open = chapter;
    this.#beliefs = this.#membership === null ? "" : beliefs(this.#membership);
  }

  #look(nowMs: number, chapter: Chapter): void {
    const membership = this.#membership;
    if (membership === null) return;
    if (chapter.noticedAfterMs === null && beliefs(membership) !== this.#beliefs) {
      chapter.noticedAfterMs = nowMs - chapter.atMs;
    }
    const started = membership.cluster.hosts.filter(({ boots }) => boots > 0).length;
    if (started < membership.cluster.hosts.length || !isTruthKnown(membership)) return;
    chapter.knownAfterMs = nowMs - chapter.atMs;
    this.#open = null;
  }
}

/** Who believes what, as text that is equal exactly when the beliefs are. */
function beliefs(membership: MembershipCluster): string {
  return membership.cluster.running.map((host) => {
    const { members } = host.snapshot();
    return members.map(({ id, status }) => `${id.slice(-4)}${status[0]}`).join("");
  }).join(" ");
}

/** Whether every host that runs sees alive exactly those that run and that it has a way to. */
function isTruthKnown(membership: MembershipCluster): boolean {
  const { cluster } = membership;
  const present = cluster.running.filter((host) => host.snapshot().self.status !== "left");
  const sides = sidesOf(present, (from, to) => cluster.network.reaches(from, to));
  for (const side of sides) {
    const ids = new Set(side.map(({ name }) => membership.idOf(name)));
    for (const host of side) {
      let alive = 0;
      for (const { id, status } of host.snapshot().members) {
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
function sidesOf(
  hosts: readonly MemberHost[],
  reaches: (from: string, to: string) => boolean,
): MemberHost[][] {
  const unplaced = new Set(hosts);
  const sides: MemberHost[][] = [];
  for (const first of unplaced) {
    unplaced.delete(first);
    const side = [first];
    for (const host of side) {
      for (const other of unplaced) {
        const { endpoint } = other;
        if (!reaches(host.endpoint, endpoint) || !reaches(endpoint, host.endpoint)) continue;
        unplaced.delete(other);
        side.push(other);
      }
    }
    sides.push(side);
  }
  return sides;
}
