/**
 * Rules of records, whoever knows them.
 *
 * - S0: records of equal host, generation and sequence are equal. Where a disk was set back or copied, numbers are used
 *   again, but never twice by one process.
 * - Persisted before announced: whatever anybody knows of a host was on a disk.
 * - S10: what a host knows of another's claim never goes back; a record disappears only as a tombstone of 24 hours. (That
 *   nothing below the fence is routed is a rule of routes.)
 * - S12: a host's own record changes only when its disk has taken it.
 * - S13: what nobody of the cluster sent changes nothing.
 */
import { TOMBSTONE_MS } from "../claim/ledger.ts";
import { decodeClaimMemory } from "../claim/memory.ts";
import { type ClaimRecord, isNewer, isSameVtep } from "../claim/record.ts";
import type { ClaimExcuses, ClaimStep, Host, RecordChange } from "./claim_step.ts";
import { NOWHERE } from "./nowhere.ts";

/** Rounding of times on hosts' clocks. */
const ROUNDING_MS = 0.01;

/** Who wants to know of records. */
export interface RecordWatch {
  /** Nobody had it before. */
  readonly wrote?: (record: ClaimRecord) => void;
  /** A host did not have it before. */
  readonly learnt?: (host: Host, record: ClaimRecord) => void;
}

export class ClaimRecordRules {
  readonly #excuses: ClaimExcuses;
  readonly #watch: RecordWatch;
  /** Each write ever seen, by host, generation and sequence. */
  readonly #writes = new Map<string, ClaimRecord>();
  readonly #onDisk = new WeakMap<Uint8Array, ClaimRecord | null>();
  readonly #writers = new Map<string, Host>();

  constructor(excuses: ClaimExcuses, watch: RecordWatch) {
    this.#excuses = excuses;
    this.#watch = watch;
  }

  check(step: ClaimStep, hosts: readonly Host[]): void {
    this.#checkOwn(step);
    this.#checkForeign(step);
    for (const change of step.changes) {
      if (change.after !== undefined) {
        this.#checkWrite(step, hosts, change.after);
        this.#watch.learnt?.(step.host, change.after);
      }
      this.#checkProgress(step, change);
    }
  }

  #checkWrite(step: ClaimStep, hosts: readonly Host[], record: ClaimRecord): void {
    const { hostId, generation, sequence } = record;
    const key = `${hostId} ${generation} ${sequence}`;
    const known = this.#writes.get(key);
    if (known === record) return;
    if (known !== undefined && isEqual(known, record)) return;
    const mayDiffer = known !== undefined && known.instance !== record.instance &&
      this.#excuses.isReused(hostId);
    if (known !== undefined && !mayDiffer) {
      step.fail("S0", `knows another record than others under ${key}`);
    }
    this.#writes.set(key, record);
    if (known !== undefined) return;
    this.#watch.wrote?.(record);
    this.#checkOnDisk(step, hosts, record);
  }

  #checkOnDisk(step: ClaimStep, hosts: readonly Host[], record: ClaimRecord): void {
    const { hostId } = record;
    if (this.#excuses.isReused(hostId)) return;
    const writer = this.#writers.get(hostId) ??
      hosts.find((host) => host.isRunning && host.snapshot().swim.self.id === hostId);
    if (writer !== undefined) this.#writers.set(hostId, writer);
    const documents = writer?.writes.filter(({ document }) => document === "claim")
      .map(({ bytes }) => bytes) ?? [];
    const current = writer?.documents.get("claim");
    const all = documents.length > 0 || current === undefined ? documents : [current];
    const isWritten = all.findLast((bytes) => {
      const written = bytes === null ? null : this.#decoded(bytes);
      return written !== null && written.hostId === hostId && !isNewer(record, written);
    });
    if (isWritten !== undefined) return;
    const { state, subnet } = record;
    step.fail("persisted before announced", `knows ${hostId.slice(0, 8)} ${state} ${subnet}`);
  }

  /** The claim in a document. Each is decoded once. */
  #decoded(bytes: Uint8Array): ClaimRecord | null {
    let record = this.#onDisk.get(bytes);
    if (record === undefined) {
      record = decodeClaimMemory(bytes).record;
      this.#onDisk.set(bytes, record);
    }
    return record;
  }

  #checkProgress(step: ClaimStep, { hostId, before, after }: RecordChange): void {
    if (before === undefined) return;
    if (after === undefined) {
      // Released, or below the fence because its host was forgotten or its subnet went to another.
      const sinceMs = step.before?.voidSinceByHost.get(hostId) ?? Infinity;
      // A sync, which tells ages, may bring a tombstone that is over already: its sender has counted longer.
      const isTold = step.input?.kind === "answer" || step.input?.kind === "request";
      const isOver = isTold || step.localMs - sinceMs >= TOMBSTONE_MS - ROUNDING_MS;
      step.expect(isOver, "S10", `dropped the ${before.state} claim of ${hostId.slice(0, 8)}`);
      return;
    }
    const isFine = isNewer(after, before) || isEqual(after, before) ||
      this.#excuses.isReused(hostId);
    step.expect(isFine, "S10", `went back to an older claim of ${hostId.slice(0, 8)}`);
  }

  #checkOwn(step: ClaimStep): void {
    const { before, claim, swim, input } = step;
    if (claim.record !== null) {
      step.expect(claim.record.hostId === swim.self.id, "S12", "has a record of another host");
    }
    if (before === null || before.record === claim.record || input === null) return;
    const isWritten = input.kind === "persisted" && input.error === undefined;
    step.expect(isWritten, "S12", `changed its own record on ${input.kind}`);
  }

  #checkForeign(step: ClaimStep): void {
    const { input, life } = step;
    if (input?.kind !== "packet" || input.from !== NOWHERE) return;
    const isUntouched = step.changes.every(({ after }) => after === undefined) &&
      step.swim.members.length <= life.memberCount;
    step.expect(isUntouched || life.claim === null, "S13", "believed noise");
  }
}

function isEqual(one: ClaimRecord, other: ClaimRecord): boolean {
  return one === other ||
    one.hostId === other.hostId && one.instance === other.instance &&
      one.generation === other.generation && one.sequence === other.sequence &&
      one.poolVersion === other.poolVersion && one.poolDigest === other.poolDigest &&
      one.subnet === other.subnet && one.state === other.state && one.epoch === other.epoch &&
      one.strength === other.strength && one.stamp === other.stamp &&
      one.absenceTtlHours === other.absenceTtlHours && isSameVtep(one.vtep, other.vtep);
}
