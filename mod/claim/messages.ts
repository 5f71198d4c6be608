/**
 * What claimants say to each other: letters and gossip items, as CBOR arrays whose first field is the kind.
 *
 * | kind    | fields                                                                                      |
 * | ------- | ------------------------------------------------------------------------------------------- |
 * | request | 1, tentative record, 1 for a last resort or 0                                               |
 * | answer  | 2, sender, claimant, generation, sequence, verdict, members or null, tentative records      |
 * | push    | 3, records                                                                                  |
 * | fence   | 4, fence entries: address, prefix length and epoch of each                                  |
 * | pool    | 5, version and digest of the pool record, the record or null where it is too long           |
 *
 * A verdict is null for yes, the record that is in the way, `[1, seconds]` when the subnet rests so long, or `[2, epoch]`
 * when its fence is at that epoch and the claim not above. Records are byte strings (record_codec.ts). Members are the first
 * 8 bytes of their ids, one after another.
 */
import { unreachable } from "../base/assert.ts";
import { WireError } from "../base/errors.ts";
import { decode, encode, type WireValue } from "../wire/codec.ts";
import { checkArray, checkBlob, checkHex, checkList, checkUint } from "../wire/shape.ts";
import type { MemberId } from "../swim/member.ts";
import type { FenceEntry } from "./fence.ts";
import { fenceFromFlat, flatFence } from "./flat_state.ts";
import { type PoolSummary, summaryFields, summaryFrom } from "./pool_codec.ts";
import { QUARANTINE_MS } from "./quarantine.ts";
import type { ClaimRecord } from "./record.ts";
import {
  decodeRecord,
  encodeRecord,
  EPOCH_MAX,
  GENERATION_MAX,
  RECORD_BYTES_MAX,
  SEQUENCE_MAX,
} from "./record_codec.ts";

/** A record with its bytes as they came: they are stored and passed on unchanged. */
export interface SealedRecord {
  readonly record: ClaimRecord;
  readonly bytes: Uint8Array;
}

/** "May I have this subnet?" */
export interface ClaimRequest {
  readonly kind: "request";
  readonly claim: SealedRecord;
  /** Whether nothing else is free: only then may a subnet be had that still rests, or that belongs to an absent host. */
  readonly isLastResort: boolean;
}

/** What is said to a claim. */
export type Verdict =
  | { readonly kind: "yes" }
  /** Another claim stands in the way. */
  | { readonly kind: "busy"; readonly claim: SealedRecord }
  /** The subnet was released lately. */
  | { readonly kind: "resting"; readonly seconds: number }
  /** The fence of the subnet is at that epoch, so the claim counts for nothing. */
  | { readonly kind: "fenced"; readonly epoch: number };

/** What the asked member says to one write of a claimant. */
export interface ClaimAnswer {
  readonly kind: "answer";
  readonly sender: MemberId;
  readonly claimant: MemberId;
  /** Of the record that was asked about. */
  readonly generation: number;
  readonly sequence: number;
  readonly verdict: Verdict;
  /** First 16 hexadecimal digits of the ids of all members that the sender takes for reachable; null when too many. */
  readonly members: readonly string[] | null;
  /** Tentative claims that the sender knows, those on the same subnet first, as many as fit. */
  readonly tentative: readonly SealedRecord[];
}

/** "This is what is claimed." Needs no answer. */
export interface ClaimPush {
  readonly kind: "push";
  readonly claims: readonly SealedRecord[];
}

type Read = (bytes: Uint8Array) => SealedRecord;

/** "So high was this subnet held." A push of what no record says: an operator had its host forgotten. */
export interface FencePush {
  readonly kind: "fence";
  readonly entries: readonly FenceEntry[];
}

/** "The pool was changed." A push of the pool record; one that is too long is only named, and fetched by a sync. */
export interface PoolPush {
  readonly kind: "pool";
  readonly summary: PoolSummary;
  readonly record: Uint8Array | null;
}

export type ClaimMessage = ClaimRequest | ClaimAnswer | ClaimPush | FencePush | PoolPush;

const REQUEST = 1;
const ANSWER = 2;
const PUSH = 3;
const FENCE = 4;
const POOL = 5;
const KIND_MAX = 255;

/** Half an id tells 64 members apart with an error of 2^-64 * 64^2 / 2 = 1e-16. */
const PREFIX_BYTES = 8;
/** Up to so many members are asked one by one, and named in answers. */
export const LETTERS_MAX = 64;
const HOST_ID_BYTES = 16;
const RESTING = 1;
const FENCED = 2;
/**
 * Of an answer without members and records: head 1, kind 1, two ids 34, generation 5, sequence 5, verdict without a record
 * 7, null 1, list 1.
 */
const ANSWER_BYTES = 55;
/** Heads of the busy record, of the members and of the list of records. */
const HEAD_BYTES = 3;
/** A subnet rests at most so long, in seconds. */
export const RESTING_S_MAX = QUARANTINE_MS / 1000;
/** A packet of gossip has room for other news besides; 20 pins fit. */
export const POOL_PUSH_BYTES_MAX = 600;
/** A datagram holds eight records of the largest size. */
const RECORDS_MAX = 16;

export function encodeRequest(claim: SealedRecord, isLastResort = false): Uint8Array {
  return encode([REQUEST, claim.bytes, Number(isLastResort)]);
}

export function encodeFencePush(entries: readonly FenceEntry[]): Uint8Array {
  return encode([FENCE, flatFence(entries)]);
}

export function encodePoolPush({ summary, record }: Omit<PoolPush, "kind">): Uint8Array {
  const isShort = record !== null && record.length <= POOL_PUSH_BYTES_MAX;
  return encode([POOL, ...summaryFields(summary), isShort ? record : null]);
}

export function encodePush(claims: readonly SealedRecord[]): Uint8Array {
  return encode([PUSH, claims.map(({ bytes }) => bytes)]);
}

/** At most `bytesMax` bytes: tentative records that do not fit are left out, gossip brings them too. */
export function encodeAnswer(answer: ClaimAnswer, bytesMax: number): Uint8Array {
  const members = answer.members === null ? null : Uint8Array.fromHex(answer.members.join(""));
  let room = bytesMax - ANSWER_BYTES - 3 * HEAD_BYTES -
    (answer.verdict.kind === "busy" ? answer.verdict.claim.bytes.length : 0) -
    (members?.length ?? 0);
  const tentative: Uint8Array[] = [];
  for (const { bytes } of answer.tentative.slice(0, RECORDS_MAX)) {
    room -= HEAD_BYTES + bytes.length;
    if (room < 0) break;
    tentative.push(bytes);
  }
  return encode([
    ANSWER,
    Uint8Array.fromHex(answer.sender),
    Uint8Array.fromHex(answer.claimant),
    answer.generation,
    answer.sequence,
    verdictField(answer.verdict),
    members,
    tentative,
  ]);
}

/** The part of a member's id that answers carry. */
export function idPrefix(id: MemberId): string {
  return id.slice(0, 2 * PREFIX_BYTES);
}

/**
 * Checks a letter or gossip item as a whole. Throws WireError. `read` decodes and checks one record; most are known to
 * the byte and need no decoding.
 */
export function decodeClaimMessage(
  bytes: Uint8Array,
  read: (bytes: Uint8Array) => SealedRecord = unseal,
): ClaimMessage {
  const value = decode(bytes);
  const kind = checkUint(checkList(value, Infinity, "claim message")[0], KIND_MAX, "claim message");
  switch (kind) {
    case REQUEST:
      return decodeRequest(value, read);
    case ANSWER:
      return decodeAnswer(value, read);
    case PUSH:
      return decodePush(value, read);
    case FENCE:
      return {
        kind: "fence",
        entries: fenceFromFlat(checkArray(value, 2, "fence push")[1], "fence push"),
      };
    case POOL:
      return decodePoolPush(value);
    default:
      throw new WireError(`claim message: kind ${kind} is not known here`);
  }
}

function decodeRequest(value: WireValue, read: Read): ClaimRequest {
  const fields = checkArray(value, 3, "claim request");
  const claim = sealed(fields[1], read, "claim request");
  if (claim.record.state !== "tentative") {
    throw new WireError(`claim request: a ${claim.record.state} claim asks nothing`);
  }
  const isLastResort = checkUint(fields[2], 1, "claim request urgency") === 1;
  return { kind: "request", claim, isLastResort };
}

function decodePush(value: WireValue, read: Read): ClaimPush {
  const fields = checkArray(value, 2, "claim push");
  const claims = checkList(fields[1], RECORDS_MAX, "claim push");
  return { kind: "push", claims: claims.map((claim) => sealed(claim, read, "claim push")) };
}

function decodePoolPush(value: WireValue): PoolPush {
  const fields = checkArray(value, 4, "pool push");
  return {
    kind: "pool",
    summary: summaryFrom(fields[1], fields[2], "pool push"),
    record: fields[3] === null ? null : checkBlob(fields[3], POOL_PUSH_BYTES_MAX, "pool push"),
  };
}

function decodeAnswer(value: WireValue, read: Read): ClaimAnswer {
  const fields = checkArray(value, 8, "claim answer");
  const tentative = checkList(fields[7], RECORDS_MAX, "claim answer")
    .map((claim) => sealed(claim, read, "claim answer"));
  return {
    kind: "answer",
    sender: checkHex(fields[1], HOST_ID_BYTES, "claim answer sender"),
    claimant: checkHex(fields[2], HOST_ID_BYTES, "claim answer claimant"),
    generation: checkUint(fields[3], GENERATION_MAX, "claim answer generation"),
    sequence: checkUint(fields[4], SEQUENCE_MAX, "claim answer sequence"),
    verdict: verdictFrom(fields[5], read),
    members: prefixesFrom(fields[6]),
    tentative,
  };
}

function verdictField(verdict: Verdict): WireValue {
  switch (verdict.kind) {
    case "yes":
      return null;
    case "busy":
      return verdict.claim.bytes;
    case "resting":
      return [RESTING, verdict.seconds];
    case "fenced":
      return [FENCED, verdict.epoch];
    default:
      return unreachable(verdict);
  }
}

function verdictFrom(value: WireValue | undefined, read: Read): Verdict {
  if (value === null) return { kind: "yes" };
  if (value instanceof Uint8Array) {
    return { kind: "busy", claim: sealed(value, read, "claim answer") };
  }
  const [code, number] = checkArray(value, 2, "claim answer verdict");
  switch (checkUint(code, KIND_MAX, "claim answer verdict")) {
    case RESTING:
      return { kind: "resting", seconds: checkUint(number, RESTING_S_MAX, "claim answer rest") };
    case FENCED:
      return { kind: "fenced", epoch: checkUint(number, EPOCH_MAX, "claim answer fence") };
    default:
      throw new WireError(`claim answer: verdict ${code} is not known here`);
  }
}

function prefixesFrom(value: WireValue | undefined): readonly string[] | null {
  if (value === null) return null;
  const bytes = checkBlob(value, LETTERS_MAX * PREFIX_BYTES, "claim answer members");
  if (bytes.length % PREFIX_BYTES !== 0) {
    throw new WireError(`claim answer members: ${bytes.length} bytes, not a multiple of 8`);
  }
  const prefixes: string[] = [];
  for (let at = 0; at < bytes.length; at += PREFIX_BYTES) {
    prefixes.push(bytes.subarray(at, at + PREFIX_BYTES).toHex());
  }
  return prefixes;
}

function sealed(value: WireValue | undefined, read: Read, where: string): SealedRecord {
  return read(checkBlob(value, RECORD_BYTES_MAX, where));
}

/** A record of our own with its bytes. */
export function seal(record: ClaimRecord): SealedRecord {
  return { record, bytes: encodeRecord(record) };
}

/** A record from outside, checked. Throws WireError. */
export function unseal(bytes: Uint8Array): SealedRecord {
  return { record: decodeRecord(bytes), bytes };
}
