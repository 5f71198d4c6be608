/** The pool as the agent's operators see and change it: the next record is made here, checked, and given to the core. */
import type { Pool } from "../address/pool.ts";
import { UserError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Problem } from "../base/problem.ts";
import type { HostCommand, HostSnapshot } from "../claim/host_core.ts";
import type { PoolAnswer, PoolDocument } from "./api.ts";
import { changedPool, type PoolChange } from "./pool_change.ts";
import { poolDocument } from "./pool_document.ts";

export interface AgentPoolParts {
  /** What this host was configured with. */
  readonly base: Pool;
  readonly log: Log;
  readonly snapshot: () => HostSnapshot;
  readonly command: (command: HostCommand) => void;
  /** What this host uses of that network for something else; null when nothing. */
  readonly overlap: (network: string) => Problem | null;
}

export class AgentPool {
  readonly #parts: AgentPoolParts;

  constructor(parts: AgentPoolParts) {
    this.#parts = parts;
  }

  list(): PoolDocument {
    return poolDocument(this.#parts.snapshot());
  }

  /** Throws UserError when the change is refused. */
  change(change: PoolChange): PoolAnswer {
    const { base, command, log, snapshot } = this.#parts;
    const record = changedPool(base, snapshot(), change);
    if (record === null) return { ...this.list(), changed: false };
    if (change.operation === "grow") this.#refuseOverlap(change.network);
    log.info("an operator changes the pool", { ...change, version: record.version });
    command({ kind: "set-pool", record });
    if (snapshot().claim.poolRecord?.version === record.version) {
      return { ...this.list(), changed: true };
    }
    throw new UserError("the pool was changed from somewhere else at the same moment", {
      remedy: "look at it with gossamer pool show, and repeat the change if it is still wanted",
    });
  }

  /** Networks added to the pool that this host uses for something else: its routes to peers would take that away. */
  problems(): Problem[] {
    return this.#parts.snapshot().claim.pool.added
      .map((network) => this.#parts.overlap(network))
      .filter((problem) => problem !== null);
  }

  #refuseOverlap(network: string): void {
    const problem = this.#parts.overlap(network);
    if (problem === null) return;
    throw new UserError(problem.text, {
      remedy: "choose a network that no host of the cluster uses",
    });
  }
}
