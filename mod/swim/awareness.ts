/** Local health (Lifeguard, arXiv 1707.00788, "LHA-Probe"): a host that misses things blames itself first. */

export class Awareness {
  readonly #scoreMax: number;
  #score = 0;

  /** @param scoreMax the worst score; 0 for a host that is never aware of anything. */
  constructor(scoreMax: number) {
    this.#scoreMax = scoreMax;
  }

  /** 0 is healthy. */
  get score(): number {
    return this.#score;
  }

  /** Worse by a positive, better by a negative number; stays within its bounds. */
  adjust(by: number): void {
    this.#score = Math.min(this.#scoreMax, Math.max(0, this.#score + by));
  }

  /** A time as this host should wait it out. */
  stretch(durationMs: number): number {
    return durationMs * (this.#score + 1);
  }
}
