/**
 * Attended absence: for how long the hosts of claims have been away, in time that proves something. Counted is only time
 * in which this host was itself healthy, saw a majority of the hosts it knows of and did not stand still; so a host that
 * was cut off, suspended or starved cannot conclude from that that the others are gone. Kept in memory: each count begins
 * anew with the process.
 */
import type { Member, MemberId } from "../swim/member.ts";
import type { Ledger, LedgerEntry } from "./ledger.ts";
import { type ClaimRecord, isSameWrite } from "./record.ts";
import type { Roster } from "./roster.ts";

/** How often it is looked who is there. */
const LOOK_EVERY_MS = 1_000;
/** Membership wakes a host every second; one that was not woken for so long stood still, and the time does not count. */
const STOOD_STILL_MS = 10_000;
/** A host that only asked for a subnet, or was giving one up, gave no addresses out of it. */
const UNUSED_TTL_MS = 10 * 60_000;
const HOUR_MS = 3_600_000;

/** Tellers whose word is enough to ask for an absent host's subnet, if so many are there. */
const TELLERS = 3;
/** What was told counts so long; syncs repeat it about twice a minute. */
const TOLD_MS = 5 * 60_000;
/** Hosts named in a sync. */
export const RECLAIMABLE_MAX = 256;

interface Away {
  readonly record: ClaimRecord;
  /** The attended time at which the absence began. */
  readonly fromMs: number;
}

interface Told {
  readonly claims: ReadonlyMap<MemberId, ClaimRecord>;
  readonly atMs: number;
}

export class Absence {
  readonly #hostId: MemberId;
  readonly #ledger: Ledger;
  readonly #roster: Roster;
  /** Whether what this host does not hear proves anything now. */
  readonly #attends: () => boolean;
  /** Attended time since the start. */
  #attendedMs = 0;
  #lookedMs = -Infinity;
  #isAttending = false;
  readonly #away = new Map<MemberId, Away>();
  /** What the ledger listed when this host last looked for absent ones; null when somebody went since. */
  #looked: readonly LedgerEntry[] | null = null;
  /** By teller: which claims it counts as reclaimable, as they were known when it said so, and when that was. */
  readonly #told = new Map<MemberId, Told>();

  constructor(hostId: MemberId, ledger: Ledger, roster: Roster, attends: () => boolean) {
    this.#hostId = hostId;
    this.#ledger = ledger;
    this.#roster = roster;
    this.#attends = attends;
  }

  /** Counts the time since the last call. */
  advance(nowMs: number): void {
    const passedMs = nowMs - this.#lookedMs;
    if (passedMs < LOOK_EVERY_MS) return;
    this.#lookedMs = nowMs;
    if (this.#isAttending && passedMs <= STOOD_STILL_MS) this.#attendedMs += passedMs;
    this.#look();
    this.#isAttending = this.#away.size > 0 && this.#attends();
  }

  /** Who is there again was never away. */
  memberChanged({ id, status }: Member): void {
    if (status === "alive" || status === "suspect") this.#away.delete(id);
    else {
      this.#told.delete(id);
      this.#looked = null;
    }
  }

  /** A member says whose claims it counts as reclaimable; whether that is news. */
  told(nowMs: number, teller: MemberId, hosts: readonly MemberId[]): boolean {
    const before = this.#told.get(teller)?.claims;
    this.#told.delete(teller);
    if (hosts.length === 0) return false;
    const claims = new Map<MemberId, ClaimRecord>();
    for (const host of hosts) {
      const record = this.#ledger.entry(host)?.record;
      if (record !== undefined) claims.set(host, record);
    }
    this.#told.set(teller, { claims, atMs: nowMs });
    return hosts.some((host) => !before?.has(host));
  }

  /** Whether this host, by its own count, agrees that the claim's subnet is taken from its host. */
  isReclaimable(record: ClaimRecord): boolean {
    const away = this.#away.get(record.hostId);
    return away !== undefined && isSameWrite(away.record, record) &&
      !this.#roster.isPresent(record.hostId) && this.#awayMs(away) >= ttlMs(record);
  }

  /** Whether the claim is worth asking for: reclaimable by this host's own count or by those of others. */
  isWorthAsking(nowMs: number, record: ClaimRecord): boolean {
    if (this.#roster.isPresent(record.hostId)) return false;
    if (this.isReclaimable(record)) return true;
    const needed = Math.min(TELLERS, this.#roster.others("alive").length);
    let tellers = 0;
    for (const { claims, atMs } of this.#told.values()) {
      const meant = claims.get(record.hostId);
      const isMeant = meant !== undefined && isSameWrite(meant, record);
      if (isMeant && nowMs < atMs + TOLD_MS) tellers++;
    }
    return needed > 0 && tellers >= needed;
  }

  /** Hosts whose claims this host counts as reclaimable, for syncs. */
  reclaimable(): MemberId[] {
    return [...this.#away.values()].filter(({ record }) => this.isReclaimable(record))
      .map(({ record }) => record.hostId).slice(0, RECLAIMABLE_MAX);
  }

  /** Claims of absent hosts with their attended absence in milliseconds, the longest first. */
  list(): { readonly record: ClaimRecord; readonly awayMs: number }[] {
    this.#look();
    return [...this.#away.values()].map((away) => ({
      record: away.record,
      awayMs: this.#awayMs(away),
    })).sort((one, other) => other.awayMs - one.awayMs);
  }

  #awayMs({ fromMs }: Away): number {
    return this.#attendedMs - fromMs;
  }

  /** Follows the ledger: a claim that its host wrote since begins a new absence. */
  #look(): void {
    for (const [absent, { record }] of this.#away) {
      const now = this.#ledger.entry(absent)?.record;
      const isSame = now !== undefined && isSameWrite(now, record) && this.#ledger.stands(now);
      if (!isSame || this.#roster.isPresent(absent)) this.#away.delete(absent);
    }
    const entries = this.#ledger.entries();
    if (entries === this.#looked) return;
    this.#looked = entries;
    for (const { record } of entries) {
      if (record.hostId === this.#hostId || this.#away.has(record.hostId)) continue;
      if (this.#roster.isPresent(record.hostId) || !this.#ledger.stands(record)) continue;
      this.#away.set(record.hostId, { record, fromMs: this.#attendedMs });
    }
  }
}

/** How long the host of a claim must be away before its subnet may be taken. */
export function ttlMs(record: ClaimRecord): number {
  return record.state === "held" ? record.absenceTtlHours * HOUR_MS : UNUSED_TTL_MS;
}
