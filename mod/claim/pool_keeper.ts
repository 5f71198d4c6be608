/**
 * The pool as this host knows it: what it was configured with, and the newest record of what operators changed since. A
 * record only ever gives way to one that replaces it, so all hosts end with the same, in whatever order they hear.
 */
import { type Pool, poolDigest } from "../address/pool.ts";
import { isForHost, type PoolRecord, poolWith, whyNotPool } from "../address/pool_record.ts";
import type { MemberId } from "../swim/member.ts";
import { encodePool, NO_POOL_RECORD, type PoolSummary, replaces, summaryOf } from "./pool_codec.ts";
import { isSane } from "./sanity.ts";

export class PoolKeeper {
  /** What this host was configured with. */
  readonly base: Pool;
  readonly baseDigest: string;
  #record: PoolRecord | null = null;
  #bytes: Uint8Array | null = null;
  #summary: PoolSummary = NO_POOL_RECORD;
  #pool: Pool;
  #pinBySubnet = new Map<string, MemberId>();
  #pinByHost = new Map<MemberId, string>();

  constructor(base: Pool, restored: PoolRecord | undefined) {
    this.base = base;
    this.baseDigest = poolDigest(base);
    this.#pool = base;
    if (restored !== undefined) this.adopt(restored, encodePool(restored));
  }

  /** With all changes. The same object until it changes. */
  get pool(): Pool {
    return this.#pool;
  }

  get record(): PoolRecord | null {
    return this.#record;
  }

  get summary(): PoolSummary {
    return this.#summary;
  }

  /** The record's bytes if it replaces what the other side has; else null. */
  bytesFor(theirs: PoolSummary): Uint8Array | null {
    return replaces(this.#summary, theirs) ? this.#bytes : null;
  }

  /** Whether the record was taken: it is for hosts configured like this one, makes sense, and replaces the present one. */
  adopt(record: PoolRecord, bytes: Uint8Array): boolean {
    const summary = summaryOf(bytes, record);
    if (record.base !== this.baseDigest || !replaces(summary, this.#summary)) return false;
    if (!isSane(record.version, this.#summary.version)) return false;
    if (whyNotPool(this.base, record) !== null) return false;
    this.#record = record;
    this.#bytes = bytes;
    this.#summary = summary;
    this.#pool = poolWith(this.base, record);
    this.#pinBySubnet = new Map(record.pins.map(({ hostId, subnet }) => [subnet, hostId]));
    this.#pinByHost = new Map(record.pins.map(({ hostId, subnet }) => [hostId, subnet]));
    return true;
  }

  /** The subnet that operators pinned to that host; null when they did not. */
  pinOf(hostId: MemberId): string | null {
    return this.#pinByHost.get(hostId) ?? null;
  }

  /** The host that the subnet is pinned to; null when it is not. */
  pinnedTo(subnet: string): MemberId | null {
    return this.#pinBySubnet.get(subnet) ?? null;
  }

  /** Whether that host may newly claim the subnet, as far as the pool is concerned. */
  isForHost(subnet: string, hostId: MemberId): boolean {
    return isForHost(this.#pool, this.#record, subnet, hostId);
  }
}
