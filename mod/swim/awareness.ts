/** Local health (Lifeguard, arXiv 1707.00788, "LHA-Probe"): a host that misses things blames itself first. */

/** Scores 0 to 7; a probe's deadline stretches by score + 1, so at most eightfold. */
export const HEALTH_SCORE_MAX = 7;

export class Awareness {
  #score = 0;

  /** 0 is healthy. */
  get score(): number {
    return this.#score;
  }

  /** Worse by a positive, better by a negative number; stays within 0 to {@linkcode HEALTH_SCORE_MAX}. */
  adjust(by: number): void {
    this.#score = Math.min(HEALTH_SCORE_MAX, Math.max(0, this.#score + by));
  }

  /** A time as this host should wait it out. */
  stretch(durationMs: number): number {
    return durationMs * (this.#score + 1);
  }
}
