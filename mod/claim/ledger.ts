/**
 * The claims of all hosts and the fence: two maps that only grow, merged without coordination. Merging is associative,
 * commutative and idempotent, so hosts that know the same records know the same owners, in whatever order they heard.
 */
import { sha256Hex } from "../base/hash.ts";
import type { MemberId } from "../swim/member.ts";
import { BucketDigest } from "../wire/bucket_digest.ts";
import { Fence } from "./fence.ts";
import { compareClaims } from "./order.ts";
import { OverlapIndex } from "./overlap_index.ts";
import { isSameRoute, ownersAmong, stickyOrder } from "./ownership.ts";
import { Quarantine } from "./quarantine.ts";
import { type ClaimRecord, isNewer, isSameWrite, occupies, wasHeld } from "./record.ts";
import { stands } from "./standing.ts";

/** Tombstones, and claims of lost hosts that count for nothing, are kept so long, counted on each host's own monotonic clock; then only the fence remains. */
export const TOMBSTONE_MS = 24 * 3_600_000;
/** When to look again at a claim that would be dropped if its host were gone. */
const COLLECT_AGAIN_MS = 3_600_000;

/** One host's claim as known here. */
export interface LedgerEntry {
  readonly record: ClaimRecord;
  /** The record's one encoding. */
  readonly bytes: Uint8Array;
  /** When this host first saw the claim on its present subnet in its present state. */
  readonly sinceMs: number;
  /** Since when it counts for nothing, released or below the fence; Infinity while it stands. */
  readonly voidSinceMs: number;
}

/** What merging a record did. */
export type Merge =
  /** It replaced an older record of its host, or was the first. */
  | { readonly kind: "news"; readonly previous: ClaimRecord | null }
  /** It was known, or older than what is known. */
  | { readonly kind: "old" }
  /** Its host wrote two different records under one number: two processes share its identity. */
  | { readonly kind: "clone"; readonly other: ClaimRecord };

const OLD: Merge = { kind: "old" };

export class Ledger {
  readonly fence = new Fence();
  /** Subnets that rest since somebody gave them back. */
  readonly quarantine = new Quarantine();
  /** Of hosts and their records' bytes: when each was first seen differs from host to host. */
  readonly digest = new BucketDigest();
  readonly #entries = new Map<MemberId, LedgerEntry>();
  /** Hosts with a record on a subnet, by overlap. */
  readonly #hosts = new OverlapIndex<Set<MemberId>>();
  readonly #winners = new Map<MemberId, ClaimRecord>();
  readonly #routed = new Map<MemberId, ClaimRecord>();
  #routesChanged = false;
  #highestEpoch = 0;
  #sortedEntries: readonly LedgerEntry[] | null = null;
  #sortedRouted: readonly ClaimRecord[] | null = null;

  get size(): number {
    return this.#entries.size;
  }

  /** The highest epoch in any record or fence entry known. */
  get highestEpoch(): number {
    return this.#highestEpoch;
  }

  /**
   * Takes a record in. `ageMs` is for how long it has counted for nothing at the sender: a tombstone does not start its 24
   * hours anew at each host that hears of it, or it would live for ever.
   */
  merge(nowMs: number, record: ClaimRecord, bytes: Uint8Array, ageMs = 0): Merge {
    this.#highestEpoch = Math.max(this.#highestEpoch, record.epoch);
    const known = this.#entries.get(record.hostId);
    if (known !== undefined && isSameWrite(known.record, record)) {
      return this.#mergeSameWrite(nowMs, known, record, bytes, ageMs);
    }
    if (known !== undefined && !isNewer(record, known.record)) {
      // An older record still proves that its subnet was held at that epoch.
      if (this.#raiseFence(record)) this.#settle(nowMs, [record.subnet]);
      return OLD;
    }
    if (known === undefined && ageMs >= TOMBSTONE_MS && !this.stands(record)) {
      if (this.#raiseFence(record)) this.#settle(nowMs, [record.subnet]);
      return OLD;
    }
    this.#put(nowMs, record, bytes, ageMs);
    return { kind: "news", previous: known?.record ?? null };
  }

  /** Raises the fence of a subnet by what a peer or our own disk says; whether it rose. */
  mergeFence(nowMs: number, subnet: string, epoch: number): boolean {
    this.#highestEpoch = Math.max(this.#highestEpoch, epoch);
    if (!this.fence.raise(subnet, epoch)) return false;
    this.#settle(nowMs, [subnet]);
    return true;
  }

  /** Whether the claim counts, by the fence as known here. */
  stands(record: ClaimRecord): boolean {
    return stands(record, this.fence.of(record.subnet));
  }

  entry(hostId: MemberId): LedgerEntry | undefined {
    return this.#entries.get(hostId);
  }

  /** All records, in no particular order: without the cost of sorting. */
  *records(): Iterable<ClaimRecord> {
    for (const { record } of this.#entries.values()) yield record;
  }

  /** All entries, sorted by host id. */
  entries(): readonly LedgerEntry[] {
    this.#sortedEntries ??= [...this.#entries.values()]
      .sort((one, other) => one.record.hostId < other.record.hostId ? -1 : 1);
    return this.#sortedEntries;
  }

  /** Records of other hosts than `except` on overlapping subnets, in whatever state, sorted by host id. */
  overlapping(subnet: string, except: MemberId): ClaimRecord[] {
    const found: ClaimRecord[] = [];
    for (const hosts of this.#hosts.overlapping(subnet)) {
      for (const hostId of hosts) {
        const entry = hostId === except ? undefined : this.#entries.get(hostId);
        if (entry !== undefined) found.push(entry.record);
      }
    }
    return found.sort((one, other) => one.hostId < other.hostId ? -1 : 1);
  }

  /**
   * Claims of other hosts for which an overlapping subnet is not free. What lies below the fence came back from an old disk
   * and stands in nobody's way; a live holder raises its claim as soon as it hears of the fence.
   */
  occupants(subnet: string, except: MemberId): ClaimRecord[] {
    return this.overlapping(subnet, except).filter((claim) => this.stands(claim));
  }

  /** Whether the host's held claim is the owner of its subnet: the pure verdict, equal on all that know the same. */
  isOwner(hostId: MemberId): boolean {
    return this.#winners.has(hostId);
  }

  /** The owners by the order alone, sorted by host id. */
  owners(): ClaimRecord[] {
    return [...this.#winners.values()].sort((one, other) => one.hostId < other.hostId ? -1 : 1);
  }

  /** The owners as this host routes them, sorted by host id: see stickyOrder. */
  routed(): readonly ClaimRecord[] {
    this.#sortedRouted ??= [...this.#routed.values()]
      .sort((one, other) => one.hostId < other.hostId ? -1 : 1);
    return this.#sortedRouted;
  }

  /** Whether the routed set changed since this was last asked. */
  takeRoutesChanged(): boolean {
    const changed = this.#routesChanged;
    this.#routesChanged = false;
    return changed;
  }

  /**
   * Drops tombstones that are old enough, and claims below the fence of hosts that are gone: a live one is about to write
   * its claim anew. Says when to look again, Infinity for never.
   */
  collect(nowMs: number, isGone: (hostId: MemberId) => boolean): number {
    let nextMs = Infinity;
    for (const { record, bytes, voidSinceMs } of this.#entries.values()) {
      const isOld = voidSinceMs + TOMBSTONE_MS <= nowMs;
      if (isOld && (record.state === "released" || isGone(record.hostId))) {
        this.#drop(record, bytes);
      } else {nextMs = Math.min(
          nextMs,
          isOld ? nowMs + COLLECT_AGAIN_MS : voidSinceMs + TOMBSTONE_MS,
        );}
    }
    return nextMs;
  }

  #mergeSameWrite(
    nowMs: number,
    known: LedgerEntry,
    record: ClaimRecord,
    bytes: Uint8Array,
    ageMs: number,
  ): Merge {
    if (sameBytes(known.bytes, bytes)) {
      const sinceMs = nowMs - ageMs;
      if (record.state === "released" && sinceMs < known.sinceMs) {
        this.#entries.set(record.hostId, { ...known, sinceMs, voidSinceMs: sinceMs });
        this.#sortedEntries = null;
        this.#rest(record, sinceMs);
      }
      return OLD;
    }
    // All must take the same one of the two, or they would never agree again.
    if (sha256Hex(bytes) > sha256Hex(known.bytes)) this.#put(nowMs, record, bytes, ageMs);
    else if (this.#raiseFence(record)) this.#settle(nowMs, [record.subnet]);
    return { kind: "clone", other: known.record };
  }

  #put(nowMs: number, record: ClaimRecord, bytes: Uint8Array, ageMs: number): void {
    const known = this.#entries.get(record.hostId);
    // Each release has an epoch of its own: a second one rests anew, also where its hold was never heard of.
    const isSameClaim = known !== undefined && known.record.subnet === record.subnet &&
      known.record.state === record.state &&
      (record.state !== "released" || known.record.epoch === record.epoch);
    const sinceMs = isSameClaim ? known.sinceMs : nowMs - ageMs;
    if (known !== undefined) this.digest.remove(record.hostId, known.bytes);
    this.digest.add(record.hostId, bytes);
    const isMoved = known !== undefined && known.record.subnet !== record.subnet;
    if (isMoved) {
      this.#unlist(known.record);
      // Its release may have been overtaken on the way here by its next claim.
      if (known.record.state === "held") this.#rest(known.record, nowMs);
    }
    this.#list(record);
    this.#raiseFence(record);
    const isVoid = !this.stands(record);
    const voidSinceMs = !isVoid ? Infinity : record.state === "released" ? sinceMs : nowMs - ageMs;
    this.#entries.set(record.hostId, { record, bytes, sinceMs, voidSinceMs });
    this.#sortedEntries = null;
    if (record.state === "released") this.#rest(record, sinceMs);
    this.#settle(nowMs, isMoved ? [record.subnet, known.record.subnet] : [record.subnet]);
  }

  #rest(record: ClaimRecord, sinceMs: number): void {
    if (wasHeld(record)) this.quarantine.note(record.subnet, record.hostId, sinceMs);
  }

  #drop(record: ClaimRecord, bytes: Uint8Array): void {
    this.digest.remove(record.hostId, bytes);
    this.#entries.delete(record.hostId);
    this.#sortedEntries = null;
    this.#unlist(record);
  }

  #list(record: ClaimRecord): void {
    const hosts = this.#hosts.get(record.subnet);
    if (hosts === undefined) this.#hosts.set(record.subnet, new Set([record.hostId]));
    else hosts.add(record.hostId);
  }

  #unlist(record: ClaimRecord): void {
    const hosts = this.#hosts.get(record.subnet);
    hosts?.delete(record.hostId);
    if (hosts?.size === 0) this.#hosts.delete(record.subnet);
  }

  #raiseFence(record: ClaimRecord): boolean {
    return wasHeld(record) && this.fence.raise(record.subnet, record.epoch);
  }

  /** Decides anew who owns and who is routed among all claims that these subnets touch, directly or through others. */
  #settle(nowMs: number, subnets: readonly string[]): void {
    const contenders = this.#contenders(subnets);
    this.#noteVoid(nowMs, contenders.values());
    const held = [...contenders.values()]
      .filter((claim) => claim.state === "held" && this.stands(claim));
    const winners = ownersAmong(held, compareClaims);
    for (const hostId of contenders.keys()) this.#winners.delete(hostId);
    for (const claim of winners) this.#winners.set(claim.hostId, claim);

    const isRouted = (claim: ClaimRecord) =>
      this.#routed.get(claim.hostId)?.subnet === claim.subnet;
    const routed = ownersAmong(held, stickyOrder(isRouted));
    const before = new Map<MemberId, ClaimRecord>();
    for (const hostId of contenders.keys()) {
      const claim = this.#routed.get(hostId);
      if (claim !== undefined) before.set(hostId, claim);
      this.#routed.delete(hostId);
    }
    for (const claim of routed) this.#routed.set(claim.hostId, claim);
    this.#sortedRouted = null;
    const isSame = before.size === routed.length && routed.every((claim) => {
      const was = before.get(claim.hostId);
      return was !== undefined && isSameRoute(was, claim);
    });
    if (!isSame) this.#routesChanged = true;
  }

  #noteVoid(nowMs: number, records: Iterable<ClaimRecord>): void {
    for (const record of records) {
      const entry = this.#entries.get(record.hostId);
      if (entry === undefined || entry.voidSinceMs < Infinity || this.stands(record)) continue;
      this.#entries.set(record.hostId, { ...entry, voidSinceMs: nowMs });
      this.#sortedEntries = null;
    }
  }

  /** Latest record of each host whose claim overlaps one of the subnets, or a claim found so, and so on. */
  #contenders(subnets: readonly string[]): Map<MemberId, ClaimRecord> {
    const found = new Map<MemberId, ClaimRecord>();
    const toVisit = [...subnets];
    for (let subnet = toVisit.pop(); subnet !== undefined; subnet = toVisit.pop()) {
      for (const hosts of this.#hosts.overlapping(subnet)) {
        for (const hostId of hosts) {
          const entry = this.#entries.get(hostId);
          if (entry === undefined || found.has(hostId)) continue;
          found.set(hostId, entry.record);
          if (occupies(entry.record)) toVisit.push(entry.record.subnet);
        }
      }
    }
    return found;
  }
}

/** Whether both are the same bytes. A plain loop: this runs for every record that arrives. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index++) {
    if (one[index] !== other[index]) return false;
  }
  return true;
}
