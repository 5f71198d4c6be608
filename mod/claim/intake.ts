/**
 * Where records from outside enter: what is ours, insane, forged or written by a clone does not get further. Nothing that
 * arrives ever changes this host's own record.
 */
import { WireError } from "../base/errors.ts";
import type { ClaimContext } from "./context.ts";
import type { FenceEntry } from "./fence.ts";
import { type AgedRecord, RECORDS_MAX } from "./flat_state.ts";
import { sameBytes } from "./ledger.ts";
import { seal, type SealedRecord, unseal } from "./messages.ts";
import { type ClaimRecord, isNewer, isSameWrite } from "./record.ts";
import { decodeRecord, GENERATION_MAX, peekHostId } from "./record_codec.ts";
import { isSane, LEAP_MAX } from "./sanity.ts";

/** Warnings of one kind are said once per host; so many hosts are remembered for that. */
const WARNED_MAX = 1_000;

/** The highest generation that is gone above: what a forger may drive a host to leaves room for a million restarts. */
const OVERTAKEN_MAX = GENERATION_MAX - LEAP_MAX;

const REMEDY =
  "Find out who sends it: the host's disk may be damaged, or somebody forges claims; a " +
  "--key-file keeps strangers out";

export class Intake {
  readonly #context: ClaimContext;
  readonly #warned = new Set<string>();
  /** The newest record of our own id that we did not write, if it is newer than ours. */
  #foreignSelf: ClaimRecord | null = null;

  constructor(context: ClaimContext) {
    this.#context = context;
  }

  /**
   * Takes one record into the ledger; whether it was news. `spread` passes news on by gossip, as everybody does for
   * everybody.
   */
  take(nowMs: number, sealed: SealedRecord, spread: boolean, ageMs = 0): boolean {
    const { record, bytes } = sealed;
    const { ledger, hostId } = this.#context;
    if (record.hostId === hostId) {
      this.#meetSelf(sealed);
      return false;
    }
    if (!this.#isBelievable(record)) return false;
    const merge = ledger.merge(nowMs, record, bytes, ageMs);
    this.#context.lamport = Math.max(this.#context.lamport, record.stamp);
    if (merge.kind === "old") return false;
    if (merge.kind === "clone") {
      this.#context.counters.clones++;
      this.#warn(record, "host-duplicated", {
        text:
          `${
            this.#context.nameOf(record.hostId)
          } wrote two different claims under one number: two ` +
          "hosts seem to use one identity",
        remedy: "Remove the state directory of the one that was copied, and restart it",
      });
    }
    const latest = ledger.entry(record.hostId)?.record;
    // Gossip tells no ages. An old tombstone that contradicts nothing here would begin its time anew wherever it was
    // dropped already, and be told from there to those who drop it next, for ever.
    const isOldNews = ageMs > 0 && merge.kind === "news" && merge.previous === null;
    if (spread && latest === record && !isOldNews) this.#context.spread(sealed);
    return true;
  }

  /** A record as it arrived, checked. Throws WireError. */
  read(bytes: Uint8Array): SealedRecord {
    return this.#known(bytes) ?? unseal(bytes);
  }

  /** Takes a peer's records in; whether any of them was news, and all that could be read. */
  takeRecords(
    nowMs: number,
    records: readonly AgedRecord[],
  ): { readonly isNews: boolean; readonly records: readonly ClaimRecord[] } {
    const { complete } = this.#context;
    const all: ClaimRecord[] = [];
    let isNews = false;
    for (const { bytes, ageMs } of records) {
      const known = this.#known(bytes);
      if (known !== null) all.push(known.record);
      if (known !== null && known.record.state !== "released") continue; // a tombstone's age may be news
      // One that a newer version wrote must not keep us from hearing all the others.
      const record = orNull(() => decodeRecord(bytes));
      if (record === null) continue;
      all.push(record);
      isNews = this.take(nowMs, { record, bytes }, complete, ageMs) || isNews;
    }
    return { isNews, records: all };
  }

  /** Takes a peer's fence in, or part of it; whether any of it was news. */
  takeFence(nowMs: number, fence: readonly FenceEntry[]): boolean {
    let isNews = false;
    for (const entry of fence) isNews = this.takeOneFence(nowMs, entry) || isNews;
    return isNews;
  }

  /** Takes one entry of a fence in; whether it was news. */
  takeOneFence(nowMs: number, { subnet, epoch }: FenceEntry): boolean {
    const { ledger, complete } = this.#context;
    if (complete && !isSane(epoch, ledger.highestEpoch)) {
      this.#context.counters.sanityRefusals++;
      return false;
    }
    return ledger.mergeFence(nowMs, subnet, epoch);
  }

  /** Takes a peer's clock in. */
  takeLamport(lamport: number): void {
    const { complete } = this.#context;
    if (complete && !isSane(lamport, this.#context.lamport)) {
      this.#context.counters.sanityRefusals++;
      return;
    }
    this.#context.lamport = Math.max(this.#context.lamport, lamport);
  }

  /** A record under our id that overtook ours, once; the caller must go above it. */
  takeForeignSelf(): ClaimRecord | null {
    const foreign = this.#foreignSelf;
    this.#foreignSelf = null;
    return foreign;
  }

  /** The ledger's entry if it is this very record: the bulk of what arrives is known, and needs no decoding. */
  #known(bytes: Uint8Array): SealedRecord | null {
    const hostId = peekHostId(bytes);
    const entry = hostId === undefined ? undefined : this.#context.ledger.entry(hostId);
    return entry !== undefined && sameBytes(entry.bytes, bytes) ? entry : null;
  }

  #isBelievable(record: ClaimRecord): boolean {
    const { ledger, lamport, complete } = this.#context;
    const known = ledger.entry(record.hostId)?.record;
    if (known === undefined && ledger.size >= RECORDS_MAX) return false;
    if (known !== undefined && !isSane(record.generation, known.generation)) {
      this.#context.counters.sanityRefusals++;
      this.#warn(record, "claim-implausible", {
        text:
          `A claim of ${this.#context.nameOf(record.hostId)} on ${record.subnet} has generation ` +
          `${record.generation}, more than ${LEAP_MAX} above its last one: refused`,
        remedy: REMEDY,
      });
      return false;
    }
    // Whoever knows nothing yet cannot tell what is too much.
    if (!complete) return true;
    if (isSane(record.epoch, ledger.highestEpoch) && isSane(record.stamp, lamport)) return true;
    this.#context.counters.sanityRefusals++;
    this.#warn(record, "claim-implausible", {
      text: `A claim of ${this.#context.nameOf(record.hostId)} on ${record.subnet} has epoch ` +
        `${record.epoch} and stamp ${record.stamp}, more than ${LEAP_MAX} above all others: refused`,
      remedy: REMEDY,
    });
    return false;
  }

  #meetSelf({ record, bytes }: SealedRecord): void {
    const { own, options } = this.#context;
    const { announced } = own;
    const isChanged = announced !== null && isSameWrite(record, announced) &&
      !sameBytes(bytes, seal(announced).bytes);
    const isOurs = record.instance === options.instance && own.hasWritten(record) && !isChanged;
    if (isOurs) return; // our own words coming back
    if (record.generation < own.generation) return;
    if (!isSane(record.generation, own.generation) || record.generation > OVERTAKEN_MAX) return;
    if (this.#foreignSelf === null || isNewer(record, this.#foreignSelf)) {
      this.#foreignSelf = record;
    }
  }

  #warn(record: ClaimRecord, code: string, words: { text: string; remedy: string }): void {
    const key = `${code} ${record.hostId}`;
    if (this.#warned.has(key) || this.#warned.size >= WARNED_MAX) return;
    this.#warned.add(key);
    this.#context.emit({ kind: "warning", code, ...words });
  }
}

/** What the decoder gives, or null when the bytes are not acceptable. */
export function orNull<T>(decode: () => T): T | null {
  try {
    return decode();
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}
