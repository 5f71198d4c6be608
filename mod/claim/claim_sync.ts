/**
 * The claims' part of a sync: what to answer, what to tell, and what arrives. Records are told unless the other side has
 * told the very same bytes, tombstones always, since their ages may differ; ages are not in digests.
 */
import type { BucketDigest } from "../wire/bucket_digest.ts";
import { BucketSet } from "../wire/bucket_set.ts";
import type { MemberId } from "../swim/member.ts";
import type { ClaimContext } from "./context.ts";
import type { FenceEntry } from "./fence.ts";
import { type AgedRecord, agedRecord } from "./flat_state.ts";
import type { Hearing } from "./hearing.ts";
import { type Intake, orNull } from "./intake.ts";
import { type LedgerEntry, sameBytes } from "./ledger.ts";
import { type ClaimRecord, wasHeld } from "./record.ts";
import { NO_POOL_RECORD, type PoolSummary } from "./pool_codec.ts";
import { peekHostId } from "./record_codec.ts";
import {
  type ClaimState,
  type ClaimSyncMessage,
  decodeClaimSync,
  encodeClaimSync,
  type Heard,
  type StatePart,
} from "./sync_messages.ts";

/** What a message brought: whether anything was news, whether its sender had heard the cluster, whose claims it would take. */
export interface Brought {
  readonly isNews: boolean;
  readonly heard: Heard;
  readonly reclaimable: readonly MemberId[];
  readonly silent: readonly MemberId[];
  /** The pool record that it brought; null when it brought none. */
  readonly pool: Uint8Array | null;
}

const NOTHING: Brought = { isNews: false, heard: "no", reclaimable: [], silent: [], pool: null };

const NO_DIFFERENCE = { kind: "digests", digests: new Uint8Array() } as const;

export class ClaimSync {
  readonly #context: ClaimContext;
  readonly #intake: Intake;
  readonly #hearing: Hearing;

  constructor(context: ClaimContext, intake: Intake, hearing: Hearing) {
    this.#context = context;
    this.#intake = intake;
    this.#hearing = hearing;
  }

  compare(): Uint8Array {
    const { ledger } = this.#context;
    const [records, fence] = [ledger.digest.summary(), ledger.fence.digest.summary()];
    return encodeClaimSync({ kind: "compare", ...this.#head(), records, fence });
  }

  /** Answers a peer's compare; one that cannot be read with everything, since it may be of another version. */
  compared(nowMs: number, bytes: Uint8Array): Uint8Array {
    const { ledger } = this.#context;
    const theirs = read(bytes, "compare");
    if (theirs === null) return this.everything(nowMs);
    this.#intake.takeLamport(theirs.lamport);
    const recordsForm = ledger.digest.answerTo(theirs.records);
    const fenceForm = ledger.fence.digest.answerTo(theirs.fence);
    if (recordsForm === "everything" && fenceForm === "everything") {
      return this.everything(nowMs, theirs.pool);
    }
    return this.#state(
      part(recordsForm, ledger.digest, () => this.#records(nowMs)),
      part(fenceForm, ledger.fence.digest, () => ledger.fence.entries()),
      theirs.pool,
    );
  }

  /** All that this host knows, for one that knows next to nothing. */
  everything(nowMs: number, theirPool: PoolSummary = NO_POOL_RECORD): Uint8Array {
    return this.#state(
      { kind: "entries", entries: this.#records(nowMs) },
      { kind: "entries", entries: this.#silentFence() },
      theirPool,
    );
  }

  /** Takes the answer to this host's compare; what is to be told and asked then, null for nothing. */
  update(nowMs: number, bytes: Uint8Array): Brought & { readonly update: Uint8Array | null } {
    const answer = read(bytes, "state");
    if (answer === null) return { ...NOTHING, update: null };
    const { isNews, records } = this.#take(nowMs, answer);
    const update = this.#updateAfter(nowMs, answer, records);
    const isEmpty = update.recordBuckets.isEmpty && update.records.length === 0 &&
      update.fenceBuckets.isEmpty && update.fence.length === 0 && update.poolRecord === null;
    return {
      isNews,
      heard: answer.heard,
      reclaimable: answer.reclaimable,
      silent: answer.silent,
      pool: answer.poolRecord,
      update: isEmpty ? null : encodeClaimSync(update),
    };
  }

  /** Takes a peer's update; what it lacks then. */
  updated(
    nowMs: number,
    bytes: Uint8Array,
  ): { readonly isNews: boolean; readonly pool: Uint8Array | null; readonly rest: Uint8Array } {
    const { ledger } = this.#context;
    const update = read(bytes, "update");
    if (update === null) {
      const rest = this.#state(NO_DIFFERENCE, NO_DIFFERENCE, this.#context.pools.summary);
      return { isNews: false, pool: null, rest };
    }
    const { recordBuckets, fenceBuckets } = update;
    const { isNews } = this.#takeEntries(nowMs, update);
    const told = bytesByHost(update.records);
    const toldFence = epochsOf(update.fence, []);
    const records = this.#records(nowMs, ({ record, bytes }) =>
      recordBuckets.has(record.hostId) &&
      (record.state === "released" || !isTold(told, record.hostId, bytes)));
    const fence = ledger.fence.entries().filter(({ subnet, epoch }) =>
      fenceBuckets.has(subnet) && epoch > (toldFence.get(subnet) ?? 0)
    );
    const rest = this.#state(
      { kind: "entries", entries: records },
      { kind: "entries", entries: fence },
      update.pool,
    );
    return { isNews, pool: update.poolRecord, rest };
  }

  /** Takes the answer to this host's update. */
  merge(nowMs: number, bytes: Uint8Array): Brought {
    const rest = read(bytes, "state");
    if (rest === null) return NOTHING;
    const { heard, reclaimable, silent, poolRecord: pool } = rest;
    return { isNews: this.#take(nowMs, rest).isNews, heard, reclaimable, silent, pool };
  }

  #head(): { lamport: number; heard: Heard; pool: PoolSummary } {
    const { lamport, complete, pools: { summary: pool } } = this.#context;
    return { lamport, heard: complete ? "yes" : this.#hearing.isCertain() ? "no" : "silent", pool };
  }

  #state(
    records: StatePart<AgedRecord>,
    fence: StatePart<FenceEntry>,
    theirPool: PoolSummary,
  ): Uint8Array {
    const { absence, complete } = this.#context;
    const reclaimable = absence.reclaimable();
    const poolRecord = this.#poolFor(theirPool);
    const head = this.#head();
    const silent = complete ? [] : this.#hearing.silent();
    return encodeClaimSync({
      kind: "state",
      ...head,
      records,
      fence,
      reclaimable,
      silent,
      poolRecord,
    });
  }

  /** The pool record for one that has an earlier one; null for all others. */
  #poolFor(theirs: PoolSummary): Uint8Array | null {
    return this.#context.pools.bytesFor(theirs);
  }

  #take(nowMs: number, { lamport, records, fence }: ClaimState) {
    return this.#takeEntries(nowMs, {
      lamport,
      records: records.kind === "entries" ? records.entries : [],
      fence: fence.kind === "entries" ? fence.entries : [],
    });
  }

  /** Records first: they are judged by the clock as it was before. */
  #takeEntries(
    nowMs: number,
    told: {
      readonly lamport: number;
      readonly records: readonly AgedRecord[];
      readonly fence: readonly FenceEntry[];
    },
  ): { readonly isNews: boolean; readonly records: readonly ClaimRecord[] } {
    const taken = this.#intake.takeRecords(nowMs, told.records);
    const isFenceNews = this.#intake.takeFence(nowMs, told.fence);
    this.#intake.takeLamport(told.lamport);
    return { isNews: taken.isNews || isFenceNews, records: taken.records };
  }

  /** @param theirs the records of the answer, if it had any, read. */
  #updateAfter(nowMs: number, answer: ClaimState, theirs: readonly ClaimRecord[]) {
    const { ledger } = this.#context;
    const update = {
      kind: "update",
      ...this.#head(),
      recordBuckets: differing(ledger.digest, answer.records),
      fenceBuckets: differing(ledger.fence.digest, answer.fence),
    } as const;
    const isToTell = toTell(answer, theirs, update);
    return {
      ...update,
      records: this.#records(nowMs, isToTell.record),
      fence: ledger.fence.entries().filter(isToTell.fence),
      poolRecord: this.#poolFor(answer.pool),
    };
  }

  #records(nowMs: number, passes: (entry: LedgerEntry) => boolean = () => true): AgedRecord[] {
    return this.#context.ledger.entries().filter(passes).map((entry) => agedRecord(nowMs, entry));
  }

  /** Entries that are not learnt from the records anyway. */
  #silentFence(): FenceEntry[] {
    const { ledger } = this.#context;
    const spoken = epochsOf([], ledger.entries().map(({ record }) => record));
    return ledger.fence.entries().filter(({ subnet, epoch }) => spoken.get(subnet) !== epoch);
  }
}

/** Which entries a host has to tell after such an answer. */
function toTell(
  answer: ClaimState,
  theirs: readonly ClaimRecord[],
  buckets: { readonly recordBuckets: BucketSet; readonly fenceBuckets: BucketSet },
) {
  const told = answer.records.kind === "entries" ? bytesByHost(answer.records.entries) : null;
  const toldFence = answer.fence.kind === "entries" ? epochsOf(answer.fence.entries, theirs) : null;
  return {
    record: ({ record, bytes }: LedgerEntry): boolean =>
      told === null
        ? buckets.recordBuckets.has(record.hostId)
        : !isTold(told, record.hostId, bytes),
    fence: ({ subnet, epoch }: FenceEntry): boolean =>
      toldFence === null ? buckets.fenceBuckets.has(subnet) : epoch > (toldFence.get(subnet) ?? 0),
  };
}

function differing<T>(own: BucketDigest, theirs: StatePart<T>): BucketSet {
  const isToCompare = theirs.kind === "digests" && theirs.digests.length > 0;
  return isToCompare ? own.differing(theirs.digests) : BucketSet.NONE;
}

function part<T>(
  form: ReturnType<BucketDigest["answerTo"]>,
  digest: BucketDigest,
  entries: () => readonly T[],
): StatePart<T> {
  if (form === "agreed") return NO_DIFFERENCE;
  if (form === "digests") return { kind: "digests", digests: digest.digests() };
  return { kind: "entries", entries: entries() };
}

function bytesByHost(records: readonly AgedRecord[]): Map<MemberId, Uint8Array> {
  const told = new Map<MemberId, Uint8Array>();
  for (const { bytes } of records) {
    const hostId = peekHostId(bytes);
    if (hostId !== undefined) told.set(hostId, bytes);
  }
  return told;
}

function isTold(told: ReadonlyMap<MemberId, Uint8Array>, hostId: MemberId, bytes: Uint8Array) {
  const theirs = told.get(hostId);
  return theirs !== undefined && sameBytes(theirs, bytes);
}

/** The highest epoch of each subnet in these entries and these records. */
function epochsOf(
  fence: readonly FenceEntry[],
  records: readonly ClaimRecord[],
): Map<string, number> {
  const epochs = new Map(fence.map(({ subnet, epoch }) => [subnet, epoch]));
  for (const record of records) {
    if (!wasHeld(record)) continue;
    epochs.set(record.subnet, Math.max(record.epoch, epochs.get(record.subnet) ?? 0));
  }
  return epochs;
}

/** The message, or null when it is malformed or of another kind. */
function read<Kind extends ClaimSyncMessage["kind"]>(
  bytes: Uint8Array,
  kind: Kind,
): Extract<ClaimSyncMessage, { kind: Kind }> | null {
  const isKind = (
    message: ClaimSyncMessage,
  ): message is Extract<ClaimSyncMessage, { kind: Kind }> => message.kind === kind;
  const message = orNull(() => decodeClaimSync(bytes));
  return message !== null && isKind(message) ? message : null;
}
