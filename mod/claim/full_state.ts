/**
 * A host's whole knowledge of claims, for a full sync: every record with the age of its tombstone, and the fence where no
 * record speaks for it.
 */
import { formatNetwork, networkOf } from "../address/network.ts";
import { parseNetwork } from "../address/parse.ts";
import { WireError } from "../base/errors.ts";
import { MEMBERS_MAX } from "../base/limits.ts";
import { decode, encode, type WireValue } from "../wire/codec.ts";
import { checkArray, checkBlob, checkList, checkUint } from "../wire/shape.ts";
import { FENCE_MAX, type FenceEntry } from "./fence.ts";
import { type Ledger, type LedgerEntry, TOMBSTONE_MS } from "./ledger.ts";
import { wasHeld } from "./record.ts";
import { EPOCH_MAX, RECORD_BYTES_MAX, STAMP_MAX } from "./record_codec.ts";

const VERSION = 1;
const FIELDS = 5;
const VERSION_MAX = 255;

/** Records: one for each member there may be, and as many tombstones of hosts that are gone. */
export const RECORDS_MAX = 2 * MEMBERS_MAX;
const AGE_SECONDS_MAX = TOMBSTONE_MS / 1000;
const UINT32_MAX = 0xffff_ffff;
const SUBNET_LENGTH_MAX = 32;

/** An encoded record and how long ago it was released, if it was. */
export interface AgedRecord {
  readonly bytes: Uint8Array;
  readonly ageMs: number;
}

/** A peer's state as it came: records still encoded, so that known ones need not be decoded. */
export interface FullState {
  readonly lamport: number;
  readonly records: readonly AgedRecord[];
  readonly fence: readonly FenceEntry[];
  /** Whether the peer has heard the cluster itself: see ClaimSnapshot.complete. */
  readonly complete: boolean;
}

export function encodeFullState(
  nowMs: number,
  ledger: Ledger,
  lamport: number,
  complete: boolean,
): Uint8Array {
  const records = ledger.entries()
    .map((entry) => ({ bytes: entry.bytes, ageMs: tombstoneAgeMs(nowMs, entry) }));
  const fence = flatFence(silentFence(ledger));
  return encode([VERSION, lamport, flatRecords(records), fence, Number(complete)]);
}

/** Throws WireError. The records' bytes are checked only for their size. */
export function decodeFullState(bytes: Uint8Array): FullState {
  const fields = checkArray(decode(bytes), FIELDS, "claim state");
  const version = checkUint(fields[0], VERSION_MAX, "claim state version");
  if (version !== VERSION) throw new WireError(`claim state: version ${version} is not known here`);
  return {
    lamport: checkUint(fields[1], STAMP_MAX, "claim state clock"),
    records: recordsFromFlat(fields[2], "claim state records"),
    fence: fenceFromFlat(fields[3], "claim state fence"),
    complete: checkUint(fields[4], 1, "claim state completeness") === 1,
  };
}

/** How long ago this host saw the claim released; 0 when it is not. */
export function tombstoneAgeMs(nowMs: number, { record, sinceMs }: LedgerEntry): number {
  if (record.state !== "released") return 0;
  return Math.min(Math.max(0, nowMs - sinceMs), TOMBSTONE_MS);
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

/** Three numbers an entry: address, prefix length, epoch. */
export function flatFence(fence: readonly FenceEntry[]): WireValue[] {
  return fence.slice(0, FENCE_MAX).flatMap(({ subnet, epoch }) => {
    const { address, length } = parseNetwork(subnet);
    return [address, length, epoch];
  });
}

/** The reverse of {@linkcode flatFence}. Throws WireError. */
export function fenceFromFlat(value: WireValue | undefined, where: string): FenceEntry[] {
  const flat = checkList(value, 3 * FENCE_MAX, where);
  if (flat.length % 3 !== 0) throw new WireError(`${where}: an entry is incomplete`);
  const fence: FenceEntry[] = [];
  for (let at = 0; at < flat.length; at += 3) {
    const address = checkUint(flat[at], UINT32_MAX, where);
    const network = networkOf(address, checkUint(flat[at + 1], SUBNET_LENGTH_MAX, where));
    if (network.address !== address) throw new WireError(`${where}: host bits are set`);
    const epoch = checkUint(flat[at + 2], EPOCH_MAX, where);
    fence.push({ subnet: formatNetwork(network), epoch });
  }
  return fence;
}

/** Entries that the receiver would not learn from a record anyway. */
function silentFence(ledger: Ledger): FenceEntry[] {
  const spoken = new Set<string>();
  for (const { record } of ledger.entries()) {
    if (wasHeld(record) && record.epoch === ledger.fence.exactly(record.subnet)) {
      spoken.add(record.subnet);
    }
  }
  return ledger.fence.entries().filter(({ subnet }) => !spoken.has(subnet));
}
