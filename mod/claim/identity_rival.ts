/**
 * Somebody else writes under this host's id: a copy of its disk on another host, or this host itself before a snapshot was
 * restored. Its records would hide ours, so ours get a higher generation, with a warning.
 */
import type { ClaimContext } from "./context.ts";
import type { Intake } from "./intake.ts";

/** Clones would overtake each other for ever; a snapshot that was restored is overtaken once. */
const OVERTAKES_MAX = 3;

export class IdentityRival {
  readonly #context: ClaimContext;
  readonly #intake: Intake;
  #overtakes = 0;

  constructor(context: ClaimContext, intake: Intake) {
    this.#context = context;
    this.#intake = intake;
  }

  /** Goes above what was taken in last, if need be. `subnet` is what this host is about at present. */
  overtake(subnet: string | null): void {
    const foreign = this.#intake.takeForeignSelf();
    if (foreign === null) return;
    const { own } = this.#context;
    this.#context.emit({
      kind: "warning",
      code: "identity-reused",
      text: `A claim on ${foreign.subnet} was written under this host's id ${foreign.hostId} by ` +
        `another process (instance ${foreign.instance})`,
      remedy:
        "If another host was made from a copy of this one's disk, remove its state directory and " +
        "restart it; if this host was restored from a snapshot, there is nothing to do",
    });
    if (this.#overtakes++ >= OVERTAKES_MAX) return;
    own.overtake(foreign.generation);
    const { latest } = own;
    if (latest === null || latest.subnet !== subnet) own.open();
    else own.propose(latest);
  }
}
