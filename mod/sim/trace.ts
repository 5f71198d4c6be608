/** A fingerprint of everything that happened in a run: equal seeds must give equal fingerprints. */

/** FNV-1a (Fowler, Noll, Vo) with 32 bits: only tells runs apart, protects nothing. */
export class Trace {
  #hash = 0x811c9dc5;
  #steps = 0;

  /** Notes one step: when, at which host, what came in. */
  note(atMs: number, host: string, kind: string, bytes?: Uint8Array): void {
    this.#steps++;
    const text = `${atMs} ${host} ${kind}`;
    for (let index = 0; index < text.length; index++) this.#mix(text.charCodeAt(index));
    if (bytes === undefined) return;
    for (const byte of bytes) this.#mix(byte);
  }

  /** Number of steps and hash, `1234-5d7a90bc`. */
  fingerprint(): string {
    return `${this.#steps}-${(this.#hash >>> 0).toString(16).padStart(8, "0")}`;
  }

  #mix(value: number): void {
    this.#hash = Math.imul(this.#hash ^ value, 0x01000193);
  }
}
