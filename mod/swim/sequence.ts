/** Numbers for pings under way: each differs from those still waited for. */
import type { Random } from "../base/random.ts";
import { SEQUENCE_MAX } from "../wire/probe_messages.ts";

export class Sequence {
  #last: number;

  /** Begins anywhere, so that an ack to the process before us rarely fits. */
  constructor(random: Random) {
    this.#last = random.uint32();
  }

  next(): number {
    this.#last = this.#last === SEQUENCE_MAX ? 0 : this.#last + 1;
    return this.#last;
  }
}
