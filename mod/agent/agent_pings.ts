/** Pings over gossip that somebody asked for: the core answers by an event, the asker waits for a promise. */
import { UserError } from "../base/errors.ts";
import type { HostCommand, HostSnapshot } from "../claim/host_core.ts";
import type { PingOutcome } from "../swim/ping_outcome.ts";
import type { GossipPingDocument } from "./api/ping.ts";
import { knownHost } from "./forget.ts";

/** The core comes to an end within 1.5 s; one that left answers nothing at all. */
const OUTCOME_MS_MAX = 4_000;

export class AgentPings {
  readonly #snapshot: () => HostSnapshot;
  readonly #command: (command: HostCommand) => void;
  readonly #pending = new Map<number, (outcome: PingOutcome | null) => void>();
  #last = 0;

  constructor(parts: {
    snapshot: () => HostSnapshot;
    command: (command: HostCommand) => void;
  }) {
    this.#snapshot = parts.snapshot;
    this.#command = parts.command;
  }

  /** Throws UserError when it is not clear who is meant, or that host cannot be asked. */
  async ask(host: string): Promise<GossipPingDocument> {
    const { swim, claim } = this.#snapshot();
    const { id, name } = knownHost({ ...swim, claims: claim.records }, host);
    if (id === swim.self.id) {
      throw new UserError(`${name} is this host itself`, { remedy: "name another host" });
    }
    const outcome = await this.#outcomeOf(id);
    if (outcome === null) {
      throw new UserError(
        `${name} cannot be asked now: it is no member any more, or too many pings are under way`,
        { remedy: "look for it in gossamer members, then try again" },
      );
    }
    return { id, name, ...outcome };
  }

  /** Takes the core's `pinged` event. */
  done(request: number, outcome: PingOutcome | null): void {
    this.#pending.get(request)?.(outcome);
  }

  async #outcomeOf(id: string): Promise<PingOutcome | null> {
    const request = ++this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<PingOutcome | null>();
    const overdue = new UserError("this host's own gossip does not answer", {
      remedy: "if it has left the cluster, let it join again; if not, restart its agent",
    });
    const timer = setTimeout(() => reject(overdue), OUTCOME_MS_MAX);
    this.#pending.set(request, resolve);
    try {
      this.#command({ kind: "ping", request, id });
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#pending.delete(request);
    }
  }
}
