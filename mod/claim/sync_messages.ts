/**
 * The claims' part of a sync, as CBOR arrays: version, kind, Lamport clock, completeness, then by kind
 *
 * | kind    | fields                                                                            |
 * | ------- | --------------------------------------------------------------------------------- |
 * | compare | 1, count and digest of records, count and digest of the fence                      |
 * | state   | 2, records, fence: each as digests of buckets (none: no difference), or as entries |
 * | update  | 3, buckets of records, records, buckets of the fence, fence                        |
 *
 * A state answers a compare, where entries are all that the sender has, and an update. See mod/wire/sync_messages.ts.
 */
import { unreachable } from "../base/assert.ts";
import { WireError } from "../base/errors.ts";
import { checkDigests, checkSummary, type Summary } from "../wire/bucket_digest.ts";
import { BucketSet } from "../wire/bucket_set.ts";
import { decode, encode, type WireValue } from "../wire/codec.ts";
import { checkArray, checkList, checkUint } from "../wire/shape.ts";
import { FENCE_MAX, type FenceEntry } from "./fence.ts";
import {
  type AgedRecord,
  fenceFromFlat,
  flatFence,
  flatRecords,
  RECORDS_MAX,
  recordsFromFlat,
} from "./flat_state.ts";
import { STAMP_MAX } from "./record_codec.ts";

const VERSION = 1;
const BYTE_MAX = 255;
const COMPARE = 1;
const STATE = 2;
const UPDATE = 3;

/** What every message says of its sender. */
interface Head {
  readonly lamport: number;
  /** Whether the sender has heard the cluster itself: see ClaimSnapshot.complete. */
  readonly complete: boolean;
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
}

export interface ClaimUpdate extends Head {
  readonly kind: "update";
  readonly recordBuckets: BucketSet;
  readonly records: readonly AgedRecord[];
  readonly fenceBuckets: BucketSet;
  readonly fence: readonly FenceEntry[];
}

export type ClaimSyncMessage = ClaimCompare | ClaimState | ClaimUpdate;

export function encodeClaimSync(message: ClaimSyncMessage): Uint8Array {
  const head = (kind: number) => [VERSION, kind, message.lamport, Number(message.complete)];
  switch (message.kind) {
    case "compare": {
      const { records, fence } = message;
      const summaries = [records.count, records.digest, fence.count, fence.digest];
      return encode([...head(COMPARE), ...summaries]);
    }
    case "state": {
      const records = partToField(message.records, flatRecords);
      return encode([...head(STATE), records, partToField(message.fence, flatFence)]);
    }
    case "update":
      return encode([
        ...head(UPDATE),
        message.recordBuckets.bytes,
        flatRecords(message.records),
        message.fenceBuckets.bytes,
        flatFence(message.fence),
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
      return decodeCompare(checkArray(value, 8, "claim compare"));
    case STATE:
      return decodeState(checkArray(value, 6, "claim state"));
    case UPDATE:
      return decodeUpdate(checkArray(value, 8, "claim update"));
    default:
      throw new WireError(`claim sync: kind ${kind} is not known here`);
  }
}

function decodeCompare(fields: readonly WireValue[]): ClaimCompare {
  return {
    kind: "compare",
    ...headFrom(fields, "claim compare"),
    records: checkSummary(fields[4], fields[5], RECORDS_MAX, "claim compare records"),
    fence: checkSummary(fields[6], fields[7], FENCE_MAX, "claim compare fence"),
  };
}

function decodeState(fields: readonly WireValue[]): ClaimState {
  return {
    kind: "state",
    ...headFrom(fields, "claim state"),
    records: partFrom(fields[4], recordsFromFlat, "claim state records"),
    fence: partFrom(fields[5], fenceFromFlat, "claim state fence"),
  };
}

function decodeUpdate(fields: readonly WireValue[]): ClaimUpdate {
  return {
    kind: "update",
    ...headFrom(fields, "claim update"),
    recordBuckets: BucketSet.check(fields[4], "claim update records"),
    records: recordsFromFlat(fields[5], "claim update records"),
    fenceBuckets: BucketSet.check(fields[6], "claim update fence"),
    fence: fenceFromFlat(fields[7], "claim update fence"),
  };
}

function headFrom(fields: readonly WireValue[], where: string): Head {
  return {
    lamport: checkUint(fields[2], STAMP_MAX, `${where} clock`),
    complete: checkUint(fields[3], 1, `${where} completeness`) === 1,
  };
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
