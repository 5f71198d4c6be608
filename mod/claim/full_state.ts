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
import type { FenceEntry } from "./fence.ts";
import { type Ledger, type LedgerEntry, TOMBSTONE_MS } from "./ledger.ts";
import { wasHeld } from "./record.ts";
import { EPOCH_MAX, RECORD_BYTES_MAX, STAMP_MAX } from "./record_codec.ts";

const VERSION = 1;
const FIELDS = 4;
const VERSION_MAX = 255;

/** Records: one for each member there may be, and as many tombstones of hosts that are gone. */
export const RECORDS_MAX = 2 * MEMBERS_MAX;
/** A /8 cut into /24 has 65,536 subnets; three numbers each keep the frame within its 260,000 items. */
export const FENCE_MAX = 65_536;
const AGE_SECONDS_MAX = TOMBSTONE_MS / 1000;
const UINT32_MAX = 0xffff_ffff;
const SUBNET_LENGTH_MAX = 32;

/** A peer's state as it came: records still encoded, so that known ones need not be decoded. */
export interface FullState {
  readonly lamport: number;
  readonly records: readonly { readonly bytes: Uint8Array; readonly ageMs: number }[];
  readonly fence: readonly FenceEntry[];
}

export function encodeFullState(nowMs: number, ledger: Ledger, lamport: number): Uint8Array {
  const records: WireValue[] = [];
  for (const entry of ledger.entries().slice(0, RECORDS_MAX)) {
    records.push(entry.bytes, ageSeconds(nowMs, entry));
  }
  return encode([VERSION, lamport, records, flatFence(silentFence(ledger))]);
}

/** Throws WireError. The records' bytes are checked only for their size. */
export function decodeFullState(bytes: Uint8Array): FullState {
  const fields = checkArray(decode(bytes), FIELDS, "claim state");
  const version = checkUint(fields[0], VERSION_MAX, "claim state version");
  if (version !== VERSION) throw new WireError(`claim state: version ${version} is not known here`);
  const flat = checkList(fields[2], 2 * RECORDS_MAX, "claim state records");
  if (flat.length % 2 !== 0) throw new WireError("claim state records: one has no age");
  const records = [];
  for (let at = 0; at < flat.length; at += 2) {
    records.push({
      bytes: checkBlob(flat[at], RECORD_BYTES_MAX, "claim state record"),
      ageMs: checkUint(flat[at + 1], AGE_SECONDS_MAX, "claim state age") * 1000,
    });
  }
  return {
    lamport: checkUint(fields[1], STAMP_MAX, "claim state clock"),
    records,
    fence: fenceFromFlat(fields[3], "claim state fence"),
  };
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

function ageSeconds(nowMs: number, { record, sinceMs }: LedgerEntry): number {
  if (record.state !== "released") return 0;
  const seconds = Math.floor((nowMs - sinceMs) / 1000);
  return Math.min(Math.max(0, seconds), AGE_SECONDS_MAX);
}
