/**
 * Somebody else writes under this host's id: a copy of its disk on another host, or this host itself before a snapshot was
 * restored. Its records would hide ours, so ours get a higher generation, with a warning.
 */
import type { ClaimContext } from "./context.ts";
import type { Intake } from "./intake.ts";

/**
 * A snapshot that was restored is overtaken once. Clones, or forged records, would have us write all the time: after a few
 * times at most once a minute, and then with the next full sync.
 */
const OVERTAKES_AT_ONCE = 3;
const OVERTAKE_EVERY_MS = 60_000;

export class IdentityRival {
  readonly #context: ClaimContext;
  readonly #intake: Intake;
  #overtakes = 0;
  #overtookMs = -Infinity;

  constructor(context: ClaimContext, intake: Intake) {
    this.#context = context;
    this.#intake = intake;
  }

  /** Goes above what was taken in last, if need be. `subnet` is what this host is about at present. */
  overtake(subnet: string | null): void {
    const foreign = this.#intake.takeForeignSelf();
    if (foreign === null) return;
    const { own, nowMs } = this.#context;
    const isOften = this.#overtakes >= OVERTAKES_AT_ONCE;
    if (isOften && nowMs < this.#overtookMs + OVERTAKE_EVERY_MS) return;
    this.#overtakes++;
    this.#overtookMs = nowMs;
    this.#context.emit({
      kind: "warning",
      code: "identity-reused",
      text: `A claim on ${foreign.subnet} was written under this host's id ${foreign.hostId} by ` +
        `another process (instance ${foreign.instance})`,
      remedy:
        "If another host was made from a copy of this one's disk, remove its state directory and " +
        "restart it; if this host was restored from a snapshot, there is nothing to do",
    });
    own.overtake(foreign.generation);
    const { latest } = own;
    if (latest === null || latest.subnet !== subnet) own.open();
    else own.propose(latest);
  }
}
