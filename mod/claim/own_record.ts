/**
 * This host's own record: the only one it writes. Every write is durable before anybody hears of it, and gets a number of
 * its own, so that no two different records ever go under one (generation, sequence).
 */
import { assert } from "../base/assert.ts";
import type { Action } from "../base/core.ts";
import type { MemberId } from "../swim/member.ts";
import type { FenceEntry } from "./fence.ts";
import { encodeClaimMemory } from "./memory.ts";
import type { FurtherMemory, RememberedClaim, RestoredClaim } from "./options.ts";
import type { ClaimRecord, Vtep } from "./record.ts";
import { GENERATION_MAX, SEQUENCE_MAX } from "./record_codec.ts";
import type { ClaimEvent } from "./snapshot.ts";

/** The parts of a record that a host decides anew with each write. */
export type Draft = Pick<ClaimRecord, "subnet" | "state" | "epoch" | "strength" | "stamp">;

/** What else a record says, and what is written with it. */
export interface OwnRecordParts {
  readonly hostId: MemberId;
  readonly instance: string;
  readonly poolVersion: () => number;
  readonly poolDigest: string;
  readonly absenceTtlHours: number;
  readonly restored: RestoredClaim | null;
  /** Whether it was this process that wrote what is restored. */
  readonly continues: boolean;
  readonly vtep: () => Vtep;
  readonly lamport: () => number;
  readonly fence: () => readonly FenceEntry[];
  /** The subnet that containers were last given, while another is looked for. */
  readonly previous: () => string | null;
  readonly others: () => readonly RememberedClaim[];
  /** What else goes into the document. */
  readonly further: () => FurtherMemory;
  readonly push: (action: Action<ClaimEvent>) => void;
}

/** How a write ended. */
export type Settled =
  /** The record is safe and may be announced; null when only the generation was written. */
  | { readonly kind: "written"; readonly record: ClaimRecord | null }
  | { readonly kind: "refused"; readonly reason: string; readonly record: ClaimRecord | null };

export class OwnRecord {
  readonly #parts: OwnRecordParts;
  #generation: number;
  #sequence = 0;
  #nextId = 1; // 0 is membership's document
  #announced: ClaimRecord | null;
  /** Whether the present generation is on disk. */
  #isOpen = false;
  #pending: { readonly id: number; readonly record: ClaimRecord | null } | null = null;

  constructor(parts: OwnRecordParts) {
    this.#parts = parts;
    this.#generation = (parts.restored?.generation ?? 0) + (parts.continues ? 0 : 1);
    if (parts.continues) this.#sequence = (parts.restored?.record?.sequence ?? -1) + 1;
    this.#isOpen = parts.continues;
    this.#announced = parts.restored?.record ?? null;
  }

  /** What others may know: durable, of this process or the one before; null when there is nothing. */
  get announced(): ClaimRecord | null {
    return this.#announced;
  }

  /** What this host wants: the record under way to the disk, or else the announced one. */
  get latest(): ClaimRecord | null {
    return this.#pending?.record ?? this.#announced;
  }

  /** Whether a record is under way to the disk. */
  get isPending(): boolean {
    return this.#pending !== null && this.#pending.record !== null;
  }

  get generation(): number {
    return this.#generation;
  }

  /** Whether a record of that number may be this process's own; what it has not written yet is somebody else's. */
  hasWritten({ generation, sequence }: ClaimRecord): boolean {
    if (generation !== this.#generation) return generation < this.#generation;
    return sequence < this.#sequence;
  }

  /**
   * Makes the new generation, and on a first start the identity, durable if no record has done so: for hosts that will not
   * claim soon. Who claims at once spares the disk, 5 ms each time, since each record brings them along.
   */
  open(): void {
    if (this.#pending === null && !this.#isOpen) this.#write(null);
  }

  /** Makes durable what was learnt of others, if no write is under way that does. */
  save(): void {
    if (this.#pending === null) this.#write(null);
  }

  /** Writes a record; a write still under way is overtaken and will not be announced. */
  propose({ subnet, state, epoch, strength, stamp }: Draft): void {
    if (this.#sequence > SEQUENCE_MAX) this.overtake(this.#generation);
    const { hostId, instance, poolVersion, poolDigest, absenceTtlHours } = this.#parts;
    this.#write({
      hostId,
      instance,
      generation: this.#generation,
      sequence: this.#sequence++,
      poolVersion: poolVersion(),
      poolDigest,
      subnet,
      state,
      epoch,
      strength,
      stamp,
      vtep: this.#parts.vtep(),
      absenceTtlHours,
    });
  }

  /** Forgets a record under way: it will not be announced, though the disk may already have it. */
  cancel(): void {
    if (!this.isPending) return;
    this.#pending = null;
    this.#isOpen = false;
  }

  /** From now on writes under the generation after that one: somebody else used ours. */
  overtake(generation: number): void {
    assert(generation < GENERATION_MAX, "a generation leaves room for the next");
    this.#generation = Math.max(this.#generation, generation) + 1;
    this.#sequence = 0;
    this.#isOpen = false;
  }

  /** Takes the outcome of a persist action; null when it was overtaken by a later write. */
  settle(id: number, error: string | undefined): Settled | null {
    const pending = this.#pending;
    if (pending === null || pending.id !== id) return null;
    this.#pending = null;
    if (error !== undefined) return { kind: "refused", reason: error, record: pending.record };
    this.#isOpen = true;
    if (pending.record !== null) this.#announced = pending.record;
    return { kind: "written", record: pending.record };
  }

  #write(record: ClaimRecord | null): void {
    const id = this.#nextId++;
    this.#pending = { id, record };
    const written = record ?? this.#announced;
    const memory: RestoredClaim = {
      hostId: this.#parts.hostId,
      generation: this.#generation,
      lamport: this.#parts.lamport(),
      fence: this.#parts.fence(),
      record: written,
      previous: written?.state === "held" ? null : this.#parts.previous(),
      others: this.#parts.others(),
      ...this.#parts.further(),
    };
    this.#parts.push({
      kind: "persist",
      id,
      document: "claim",
      bytes: encodeClaimMemory(memory),
    });
  }
}
