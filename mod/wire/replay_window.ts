/** Which counters of one session were there already: a sliding window as in IPsec (RFC 4303 section 3.4.3). */

/**
 * Counters below the highest that still count. A host that tells a thousand others something at once may have its packets
 * overtake each other by as many; what is older is taken for a replay, which costs one lost packet.
 */
export const WINDOW_COUNTERS = 1024;

const WORD_BITS = 32;

export class ReplayWindow {
  /** A ring: the bit of a counter is the counter modulo the window. */
  readonly #words = new Uint32Array(WINDOW_COUNTERS / WORD_BITS);
  #highest = -1;

  /** Whether the counter is new here. Changes nothing: the packet may yet be a forgery. */
  isNew(counter: number): boolean {
    if (counter > this.#highest) return true;
    if (counter <= this.#highest - WINDOW_COUNTERS) return false;
    return (this.#word(counter) & this.#bit(counter)) === 0;
  }

  /** Remembers a counter that {@linkcode isNew} and whose packet is genuine. */
  mark(counter: number): void {
    if (counter - this.#highest >= WINDOW_COUNTERS) this.#words.fill(0);
    else for (let next = this.#highest + 1; next < counter; next++) this.#clear(next);
    this.#highest = Math.max(this.#highest, counter);
    this.#words[this.#index(counter)] = this.#word(counter) | this.#bit(counter);
  }

  #clear(counter: number): void {
    this.#words[this.#index(counter)] = this.#word(counter) & ~this.#bit(counter);
  }

  #word(counter: number): number {
    return this.#words[this.#index(counter)] ?? 0;
  }

  #index(counter: number): number {
    return (counter % WINDOW_COUNTERS) >>> 5;
  }

  #bit(counter: number): number {
    return 1 << (counter % WORD_BITS);
  }
}
