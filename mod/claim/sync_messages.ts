/**
 * The claims' part of a sync, as CBOR arrays: version, kind, Lamport clock, whether its sender has heard the cluster (0 no,
 * 1 yes, 2 no and most of its seeds are silent), version and digest of its pool record, then by kind
 *
 * | kind    | fields                                                                                              |
 * | ------- | --------------------------------------------------------------------------------------------------- |
 * | compare | 1, count and digest of records, count and digest of the fence                                        |
 * | state   | 2, records, fence: each as digests of buckets (none: no difference), or as entries; reclaimable and silent hosts; |
 * |         | the pool record, null for one that the other side has                                                |
 * | update  | 3, buckets of records, records, buckets of the fence, fence, pool record or null                     |
 *
 * Reclaimable hosts are those whose absence the sender counts as long enough, silent ones those that have not heard the cluster and whose seeds
 * are silent; both as ids one after another.
 *
 * A state answers a compare, where entries are all that the sender has, and an update. See mod/wire/sync_messages.ts.
 */
import { assert, unreachable } from "../base/assert.ts";
import { WireError } from "../base/errors.ts";
import { checkDigests, checkSummary, type Summary } from "../wire/bucket_digest.ts";
import { BucketSet } from "../wire/bucket_set.ts";
import { decode, encode, type WireValue } from "../wire/codec.ts";
import { checkArray, checkBlob, checkList, checkUint } from "../wire/shape.ts";
import type { MemberId } from "../swim/member.ts";
import { RECLAIMABLE_MAX } from "./absence.ts";
import { FENCE_MAX, type FenceEntry } from "./fence.ts";
import {
  type AgedRecord,
  fenceFromFlat,
  flatFence,
  flatRecords,
  RECORDS_MAX,
  recordsFromFlat,
} from "./flat_state.ts";
import { POOL_BYTES_MAX, type PoolSummary, summaryFields, summaryFrom } from "./pool_codec.ts";
import { STAMP_MAX } from "./record_codec.ts";

const VERSION = 1;
const BYTE_MAX = 255;
const COMPARE = 1;
const STATE = 2;
const UPDATE = 3;
const HOST_ID_BYTES = 16;
/** Silent members named in a sync: one is enough to keep its reader waiting. */
export const SILENT_MAX = 16;

/**
 * Whether the sender has heard the cluster itself (ClaimSnapshot.complete); if not, whether it would have, had anybody: most
 * of those that it was given to join through have answered, or are `silent`.
 */
export type Heard = "no" | "yes" | "silent";
const HEARD: readonly Heard[] = ["no", "yes", "silent"];

/** What every message says of its sender. */
interface Head {
  readonly lamport: number;
  readonly heard: Heard;
  /** Which pool record it has. */
  readonly pool: PoolSummary;
}

export interface ClaimCompare extends Head {
  readonly kind: "compare";
  readonly records: Summary;
  readonly fence: Summary;
}

/** A part of a state: digests of its buckets, empty when there is no difference, or entries. */
export type StatePart<T> =
  | { readonly kind: "digests"; readonly digests: Uint8Array }
  | { readonly kind: "entries"; readonly entries: readonly T[] };

/** Records are still encoded, so that known ones need not be decoded. */
export interface ClaimState extends Head {
  readonly kind: "state";
  readonly records: StatePart<AgedRecord>;
  readonly fence: StatePart<FenceEntry>;
  /** Whose subnets may be taken by who finds no other one, as far as the sender is concerned. */
  readonly reclaimable: readonly MemberId[];
  /** Members that the sender knows to be silent, besides itself. */
  readonly silent: readonly MemberId[];
  /** See pool_codec.ts; null when the other side needs none. */
  readonly poolRecord: Uint8Array | null;
}

export interface ClaimUpdate extends Head {
  readonly kind: "update";
  readonly recordBuckets: BucketSet;
  readonly records: readonly AgedRecord[];
  readonly fenceBuckets: BucketSet;
  readonly fence: readonly FenceEntry[];
  readonly poolRecord: Uint8Array | null;
}

export type ClaimSyncMessage = ClaimCompare | ClaimState | ClaimUpdate;

export function encodeClaimSync(message: ClaimSyncMessage): Uint8Array {
  const { lamport, heard, pool } = message;
  const head = (kind: number): WireValue[] => {
    return [VERSION, kind, lamport, HEARD.indexOf(heard), ...summaryFields(pool)];
  };
  switch (message.kind) {
    case "compare": {
      const { records, fence } = message;
      const summaries = [records.count, records.digest, fence.count, fence.digest];
      return encode([...head(COMPARE), ...summaries]);
    }
    case "state": {
      const records = partToField(message.records, flatRecords);
      const reclaimable = Uint8Array.fromHex(message.reclaimable.join(""));
      const silent = Uint8Array.fromHex(message.silent.join(""));
      const fence = partToField(message.fence, flatFence);
      return encode([...head(STATE), records, fence, reclaimable, silent, message.poolRecord]);
    }
    case "update":
      return encode([
        ...head(UPDATE),
        message.recordBuckets.bytes,
        flatRecords(message.records),
        message.fenceBuckets.bytes,
        flatFence(message.fence),
        message.poolRecord,
      ]);
    default:
      return unreachable(message);
  }
}

/** Throws WireError. The records' bytes are checked only for their size. */
export function decodeClaimSync(bytes: Uint8Array): ClaimSyncMessage {
  const value = decode(bytes);
  const [version, kind] = checkList(value, Infinity, "claim sync");
  if (checkUint(version, BYTE_MAX, "claim sync version") !== VERSION) {
    throw new WireError(`claim sync: version ${version} is not known here`);
  }
  switch (checkUint(kind, BYTE_MAX, "claim sync kind")) {
    case COMPARE:
      return decodeCompare(checkArray(value, 10, "claim compare"));
    case STATE:
      return decodeState(checkArray(value, 11, "claim state"));
    case UPDATE:
      return decodeUpdate(checkArray(value, 11, "claim update"));
    default:
      throw new WireError(`claim sync: kind ${kind} is not known here`);
  }
}

function decodeCompare(fields: readonly WireValue[]): ClaimCompare {
  return {
    kind: "compare",
    ...headFrom(fields, "claim compare"),
    records: checkSummary(fields[6], fields[7], RECORDS_MAX, "claim compare records"),
    fence: checkSummary(fields[8], fields[9], FENCE_MAX, "claim compare fence"),
  };
}

function decodeState(fields: readonly WireValue[]): ClaimState {
  return {
    kind: "state",
    ...headFrom(fields, "claim state"),
    records: partFrom(fields[6], recordsFromFlat, "claim state records"),
    fence: partFrom(fields[7], fenceFromFlat, "claim state fence"),
    reclaimable: idsFrom(fields[8], RECLAIMABLE_MAX, "claim state reclaimable"),
    silent: idsFrom(fields[9], SILENT_MAX, "claim state silent"),
    poolRecord: poolFrom(fields[10], "claim state pool"),
  };
}

function decodeUpdate(fields: readonly WireValue[]): ClaimUpdate {
  return {
    kind: "update",
    ...headFrom(fields, "claim update"),
    recordBuckets: BucketSet.check(fields[6], "claim update records"),
    records: recordsFromFlat(fields[7], "claim update records"),
    fenceBuckets: BucketSet.check(fields[8], "claim update fence"),
    fence: fenceFromFlat(fields[9], "claim update fence"),
    poolRecord: poolFrom(fields[10], "claim update pool"),
  };
}

function headFrom(fields: readonly WireValue[], where: string): Head {
  return {
    lamport: checkUint(fields[2], STAMP_MAX, `${where} clock`),
    heard: heardFrom(fields[3], `${where} completeness`),
    pool: summaryFrom(fields[4], fields[5], where),
  };
}

function poolFrom(field: WireValue | undefined, where: string): Uint8Array | null {
  return field === null ? null : checkBlob(field, POOL_BYTES_MAX, where);
}

function heardFrom(field: WireValue | undefined, where: string): Heard {
  const heard = HEARD[checkUint(field, HEARD.length - 1, where)];
  assert(heard !== undefined, "the number was checked");
  return heard;
}

function idsFrom(field: WireValue | undefined, most: number, where: string): MemberId[] {
  const bytes = checkBlob(field, most * HOST_ID_BYTES, where);
  if (bytes.length % HOST_ID_BYTES !== 0) {
    throw new WireError(`${where}: ${bytes.length} bytes, not a multiple of 16`);
  }
  const ids: MemberId[] = [];
  for (let at = 0; at < bytes.length; at += HOST_ID_BYTES) {
    ids.push(bytes.subarray(at, at + HOST_ID_BYTES).toHex());
  }
  return ids;
}

function partToField<T>(part: StatePart<T>, flat: (entries: readonly T[]) => WireValue): WireValue {
  return part.kind === "digests" ? part.digests : flat(part.entries);
}

function partFrom<T>(
  field: WireValue | undefined,
  fromFlat: (field: WireValue | undefined, where: string) => T[],
  where: string,
): StatePart<T> {
  return field instanceof Uint8Array
    ? { kind: "digests", digests: checkDigests(field, where) }
    : { kind: "entries", entries: fromFlat(field, where) };
}
