/** Operations on the gossip keys that are under way: the core answers by an event, the asker waits for a promise. */
import { UserError } from "../base/errors.ts";
import type { HostSnapshot } from "../claim/host_core.ts";
import type { KeyOutcome } from "../swim/key_outcome.ts";
import type { MemberId } from "../swim/member.ts";

/**
 * The core asks 16 hosts at a time, gives each 10 s and always comes to an end: this is enough for 200 that are switched
 * off, asked twice. An asker must not wait for ever in any case.
 */
const OUTCOME_MS_MAX = 270_000;

/**
 * Hosts that left and are expected back, with the keys that they had: they said goodbye, as any agent does that is
 * stopped, and kept their subnets.
 */
export function awaitedHosts({ swim, claim }: HostSnapshot): MemberId[] {
  const held = new Set(
    claim.records.filter(({ state }) => state !== "released").map(({ hostId }) => hostId),
  );
  return swim.members
    .filter(({ id, status, isForgotten }) =>
      status === "left" && isForgotten !== true && held.has(id)
    )
    .map(({ id }) => id);
}

export class KeyRequests {
  readonly #pending = new Map<number, (outcome: KeyOutcome) => void>();
  #last = 0;

  /** Hands the core a request under a number of its own. Throws UserError when nothing comes of it. */
  async ask(start: (request: number) => void, withinMs = OUTCOME_MS_MAX): Promise<KeyOutcome> {
    const request = ++this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<KeyOutcome>();
    const timer = setTimeout(() => reject(overdue(withinMs)), withinMs);
    this.#pending.set(request, resolve);
    try {
      start(request);
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#pending.delete(request);
    }
  }

  /** What the core says to a request; one that nobody waits for any more is passed over. */
  done(request: number, outcome: KeyOutcome): void {
    this.#pending.get(request)?.(outcome);
  }
}

function overdue(withinMs: number): UserError {
  return new UserError(`the other hosts were not heard of within ${withinMs / 1000} s`, {
    remedy: "some may have done it: look with gossamer keys list, then repeat it",
  });
}
