/** Marks the state directory now and then as being of a running agent: the next start knows so how long it was away. */
import { startTimer } from "../host/timer.ts";

/**
 * A crash forgets at most this much of a run, and the shortest absence that matters is half an hour. Nothing is synced for it:
 * an inode is written back with whatever comes next.
 */
export const MARK_INTERVAL_MS = 300_000;

export class AliveMark {
  readonly #mark: () => void;
  #cancel: () => void = () => {};

  constructor(mark: () => void) {
    this.#mark = mark;
  }

  start(): void {
    this.#cancel();
    this.#cancel = startTimer(() => {
      this.#mark();
      this.start();
    }, MARK_INTERVAL_MS);
  }

  stop(): void {
    this.#cancel();
  }
}
