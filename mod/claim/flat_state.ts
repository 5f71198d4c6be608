/** Claims and fences as flat arrays, in syncs and on disk: two and three values an entry. */
import { WireError } from "../base/errors.ts";
import { MEMBERS_MAX } from "../base/limits.ts";
import type { WireValue } from "../wire/codec.ts";
import { checkBlob, checkList, checkUint } from "../wire/shape.ts";
import { FENCE_MAX, type FenceEntry } from "./fence.ts";
import { type LedgerEntry, TOMBSTONE_MS } from "./ledger.ts";
import { networkFields, networkFrom } from "./network_codec.ts";
import { EPOCH_MAX, RECORD_BYTES_MAX } from "./record_codec.ts";

/** Records: one for each member there may be, and as many tombstones of hosts that are gone. */
export const RECORDS_MAX = 2 * MEMBERS_MAX;
const AGE_SECONDS_MAX = TOMBSTONE_MS / 1000;

/** An encoded record and for how long it has counted for nothing, if it does. */
export interface AgedRecord {
  readonly bytes: Uint8Array;
  readonly ageMs: number;
}

/** An entry of the ledger as it is told: at a given moment, its record's bytes with the age of its tombstone. */
export function agedRecord(nowMs: number, entry: LedgerEntry): AgedRecord {
  return { bytes: entry.bytes, ageMs: tombstoneAgeMs(nowMs, entry) };
}

/** For how long this host has known that the claim is released or below the fence; 0 when it stands. */
export function tombstoneAgeMs(nowMs: number, { voidSinceMs }: LedgerEntry): number {
  return Math.min(Math.max(0, nowMs - voidSinceMs), TOMBSTONE_MS);
}

/** Two values an entry: the record's bytes and whole seconds of age. */
export function flatRecords(records: readonly AgedRecord[]): WireValue[] {
  return records.slice(0, RECORDS_MAX)
    .flatMap(({ bytes, ageMs }): WireValue[] => [bytes, Math.floor(ageMs / 1000)]);
}

/** The reverse of {@linkcode flatRecords}. Throws WireError; the records' bytes are only measured. */
export function recordsFromFlat(value: WireValue | undefined, where: string): AgedRecord[] {
  const flat = checkList(value, 2 * RECORDS_MAX, where);
  if (flat.length % 2 !== 0) throw new WireError(`${where}: one has no age`);
  const records: AgedRecord[] = [];
  for (let at = 0; at < flat.length; at += 2) {
    records.push({
      bytes: checkBlob(flat[at], RECORD_BYTES_MAX, where),
      ageMs: checkUint(flat[at + 1], AGE_SECONDS_MAX, where) * 1000,
    });
  }
  return records;
}

/** Three values an entry: address, prefix length, epoch. */
export function flatFence(fence: readonly FenceEntry[]): WireValue[] {
  return fence.slice(0, FENCE_MAX)
    .flatMap(({ subnet, epoch }) => [...networkFields(subnet), epoch]);
}

/** The reverse of {@linkcode flatFence}. Throws WireError. */
export function fenceFromFlat(value: WireValue | undefined, where: string): FenceEntry[] {
  const flat = checkList(value, 3 * FENCE_MAX, where);
  if (flat.length % 3 !== 0) throw new WireError(`${where}: an entry is incomplete`);
  const fence: FenceEntry[] = [];
  for (let at = 0; at < flat.length; at += 3) {
    const subnet = networkFrom(flat[at], flat[at + 1], where);
    fence.push({ subnet, epoch: checkUint(flat[at + 2], EPOCH_MAX, where) });
  }
  return fence;
}
