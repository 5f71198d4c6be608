/** A fingerprint of everything that happened in a run: equal seeds must give equal fingerprints. */
import type { Input } from "../base/core.ts";

/** Bytes of one input that are looked at: what differs behind them differs in later steps too. */
const BYTES_MAX = 256;

/** FNV-1a (Fowler, Noll, Vo) with 32 bits: only tells runs apart, protects nothing. */
export class Trace {
  readonly #time = new Float64Array(1);
  readonly #timeBits = new Uint32Array(this.#time.buffer);
  #hash = 0x811c9dc5;
  #steps = 0;

  /** Steps so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Notes one step: when, at which host, what came in. */
  note(atMs: number, hostIndex: number, kind: Input<unknown>["kind"], bytes?: Uint8Array): void {
    this.#steps++;
    this.#time[0] = atMs;
    let hash = this.#hash;
    for (const bits of this.#timeBits) hash = Math.imul(hash ^ bits, 0x01000193);
    hash = Math.imul(hash ^ hostIndex, 0x01000193);
    hash = Math.imul(hash ^ kind.charCodeAt(0) ^ (kind.length << 8), 0x01000193);
    if (bytes !== undefined) {
      hash = Math.imul(hash ^ bytes.length, 0x01000193);
      const end = Math.min(bytes.length, BYTES_MAX);
      for (let index = 0; index < end; index++) {
        hash = Math.imul(hash ^ (bytes[index] ?? 0), 0x01000193);
      }
    }
    this.#hash = hash;
  }

  /** Number of steps and hash, `1234-5d7a90bc`. */
  fingerprint(): string {
    return `${this.#steps}-${(this.#hash >>> 0).toString(16).padStart(8, "0")}`;
  }
}
