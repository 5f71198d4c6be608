/**
 * Somebody else writes under this host's id: a copy of its disk on another host, or this host itself before a snapshot was
 * restored. Its records would hide ours, so ours get a higher generation, with a warning.
 */
import type { ClaimContext } from "./context.ts";
import type { Intake } from "./intake.ts";
import type { ClaimRecord } from "./record.ts";

/**
 * A snapshot that was restored is overtaken once. Clones overtake each other until one of them gives its identity up, within
 * seconds; forged records would have us write all the time. So after a few times the pauses grow from a second to a minute.
 */
const OVERTAKES_AT_ONCE = 3;
const PAUSE_MS = 1_000;
const PAUSE_MS_MAX = 60_000;

export class IdentityRival {
  readonly #context: ClaimContext;
  readonly #intake: Intake;
  #overtakes = 0;
  #overtookMs = -Infinity;
  /** What is to be overtaken when the pause is over: who wrote it may be gone, and would have the last word for ever. */
  #foreign: ClaimRecord | null = null;

  constructor(context: ClaimContext, intake: Intake) {
    this.#context = context;
    this.#intake = intake;
  }

  wakeAtMs(): number {
    return this.#foreign === null ? Infinity : this.#overtookMs + this.#pauseMs();
  }

  /** Goes above what was taken in last, if need be. `subnet` is what this host is about at present. */
  overtake(subnet: string | null): void {
    this.#foreign = this.#intake.takeForeignSelf() ?? this.#foreign;
    const { own, nowMs } = this.#context;
    if (this.#foreign === null || nowMs < this.wakeAtMs()) return;
    const foreign = this.#foreign;
    this.#foreign = null;
    if (foreign.generation < own.generation) return; // that was done meanwhile
    if (nowMs >= this.#overtookMs + 2 * PAUSE_MS_MAX) this.#overtakes = 0;
    this.#overtakes++;
    this.#context.counters.clones++;
    this.#overtookMs = nowMs;
    this.#context.emit({
      kind: "warning",
      code: "identity-reused",
      text: `A claim on ${foreign.subnet} was written under this host's id ${foreign.hostId} by ` +
        `another process (instance ${foreign.instance})`,
      remedy:
        "If this host was restored from a snapshot, there is nothing to do; if another host runs " +
        "with a copy of its disk, one of the two takes a new identity by itself",
    });
    own.overtake(foreign.generation);
    const { latest } = own;
    if (latest === null || latest.subnet !== subnet) own.open();
    else own.propose(latest);
  }

  #pauseMs(): number {
    const over = this.#overtakes - OVERTAKES_AT_ONCE;
    return over < 0 ? 0 : Math.min(PAUSE_MS * 2 ** over, PAUSE_MS_MAX);
  }
}
