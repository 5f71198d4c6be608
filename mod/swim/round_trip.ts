/** Round trip times per member: the median of the last few direct acks, so that one slow ack says little. */
import type { MemberId } from "./member.ts";

const SAMPLES = 5;

export class RoundTrips {
  readonly #samples = new Map<MemberId, number[]>();

  /** Adds a measurement, in milliseconds. */
  add(id: MemberId, durationMs: number): void {
    const samples = this.#samples.get(id) ?? [];
    samples.push(durationMs);
    if (samples.length > SAMPLES) samples.shift();
    this.#samples.set(id, samples);
  }

  /** In milliseconds; null until one was measured. */
  median(id: MemberId): number | null {
    const samples = this.#samples.get(id) ?? [];
    return samples.toSorted((one, other) => one - other)[samples.length >> 1] ?? null;
  }

  /** The member is no longer in the table. */
  forget(id: MemberId): void {
    this.#samples.delete(id);
  }
}
