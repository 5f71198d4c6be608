/**
 * What this host has acknowledged to others: one claimant per subnet at a time, so that any member whom two claimants both
 * ask puts them in order. Kept in memory only, for as long as a claimant may still be deciding.
 */
import { cidrsOverlap } from "../address/network.ts";
import type { MemberId } from "../swim/member.ts";
import type { Ledger } from "./ledger.ts";
import type { ClaimRecord } from "./record.ts";

interface Promised {
  readonly claimant: MemberId;
  readonly subnet: string;
  readonly untilMs: number;
}

/** Promises kept at once: more than claimants there can be within some seconds. */
const PROMISES_MAX = 4096;

export class Promises {
  readonly #ledger: Ledger;
  /** By claimant: who asks for another subnet has given up the first. */
  readonly #byClaimant = new Map<MemberId, Promised>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** The other claimant that was promised an overlapping subnet and still asks for it; null when there is none. */
  rivalOf(nowMs: number, claim: ClaimRecord): ClaimRecord | null {
    this.#expire(nowMs);
    for (const { claimant, subnet } of this.#byClaimant.values()) {
      if (claimant === claim.hostId || !cidrsOverlap(subnet, claim.subnet)) continue;
      const record = this.#ledger.entry(claimant)?.record;
      if (record !== undefined) return record;
    }
    return null;
  }

  /** Promises the subnet to its claimant; false when too much is promised already. */
  make(claim: ClaimRecord, untilMs: number): boolean {
    if (this.#byClaimant.size >= PROMISES_MAX && !this.#byClaimant.has(claim.hostId)) return false;
    this.#byClaimant.set(claim.hostId, { claimant: claim.hostId, subnet: claim.subnet, untilMs });
    return true;
  }

  /** A promise ends with its time, and when its claimant holds, wants something else or nothing. */
  #expire(nowMs: number): void {
    for (const { claimant, subnet, untilMs } of this.#byClaimant.values()) {
      const record = this.#ledger.entry(claimant)?.record;
      const stands = record?.state === "tentative" && record.subnet === subnet;
      if (!stands || untilMs <= nowMs) this.#byClaimant.delete(claimant);
    }
  }
}
