/**
 * Subnets that rest: after a release old flows, ARP and forwarding entries die down. Kept by subnet and not with the
 * releaser's record, which its next claim replaces. The releaser itself may have its subnet back at once.
 */
import type { MemberId } from "../swim/member.ts";
import { OverlapIndex } from "./overlap_index.ts";

/** So long a released subnet rests while others are free. */
export const QUARANTINE_MS = 10 * 60_000;

/** From so many subnets on, those that have rested are forgotten before another one is noted. */
const PRUNE_FROM = 1_024;
/** Releases kept at once: every subnet of a /8 in /24. More cannot be meant honestly. */
const RESTING_MAX = 65_536;

interface Resting {
  readonly subnet: string;
  /** When each host that gave it back did so, as this host saw it. */
  readonly releasedMs: Map<MemberId, number>;
}

export class Quarantine {
  readonly #index = new OverlapIndex<Resting>();
  readonly #resting = new Map<string, Resting>();
  /** Releases noted, of all subnets. */
  #count = 0;
  #pruneAt = PRUNE_FROM;

  /** That host gave the subnet back at that moment; what is known of a former time is replaced. */
  note(subnet: string, hostId: MemberId, releasedMs: number): void {
    if (this.#count >= this.#pruneAt) this.#prune(releasedMs);
    let resting = this.#resting.get(subnet);
    const isKnown = resting?.releasedMs.has(hostId) ?? false;
    if (!isKnown && this.#count >= RESTING_MAX) return;
    if (resting === undefined) {
      resting = { subnet, releasedMs: new Map() };
      this.#resting.set(subnet, resting);
      this.#index.set(subnet, resting);
    }
    if (!isKnown) this.#count++;
    resting.releasedMs.set(hostId, releasedMs);
  }

  /** Until when the subnet rests for that host: when it or part of it was last given back by another; -Infinity for never. */
  untilMs(subnet: string, hostId: MemberId): number {
    let latestMs = -Infinity;
    for (const { releasedMs } of this.#index.overlapping(subnet)) {
      for (const [releaser, atMs] of releasedMs) {
        if (releaser !== hostId) latestMs = Math.max(latestMs, atMs);
      }
    }
    return latestMs + QUARANTINE_MS;
  }

  /** Doubles the mark for the next time, so that a flood of releases is not gone through with each of them. */
  #prune(nowMs: number): void {
    for (const [subnet, { releasedMs }] of this.#resting) {
      for (const [hostId, atMs] of releasedMs) {
        if (atMs + QUARANTINE_MS > nowMs) continue;
        releasedMs.delete(hostId);
        this.#count--;
      }
      if (releasedMs.size > 0) continue;
      this.#resting.delete(subnet);
      this.#index.delete(subnet);
    }
    this.#pruneAt = Math.max(PRUNE_FROM, 2 * this.#count);
  }
}
