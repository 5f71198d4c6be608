/** How news of the pool travels: by gossip and letters when it is short, by syncs in any case. */
import type { Endpoint } from "../base/core.ts";
import type { ClaimContext } from "./context.ts";
import { orNull } from "./intake.ts";
import { encodePoolPush, LETTERS_MAX, type PoolPush } from "./messages.ts";
import {
  decodePool,
  encodePool,
  NO_POOL_RECORD,
  type PoolSummary,
  replaces,
} from "./pool_codec.ts";
import type { ClaimRecord } from "./record.ts";
import { isSane } from "./sanity.ts";

export class PoolSpread {
  readonly #context: ClaimContext;

  constructor(context: ClaimContext) {
    this.#context = context;
  }

  /** Takes a push in; whether it changed the pool. A record that is only named is fetched from whoever named it. */
  take(from: Endpoint, { summary, record }: PoolPush): boolean {
    const { carrier, pools } = this.#context;
    if (record !== null) return this.adopt(record);
    const isWanted = replaces(summary, pools.summary) &&
      isSane(summary.version, pools.summary.version);
    const teller = carrier.members().find(({ endpoint }) => endpoint === from);
    if (isWanted && teller !== undefined) carrier.requestSync(teller.id);
    return false;
  }

  /** Takes a record in; whether it changed the pool. One that cannot be read changes nothing. */
  adopt(bytes: Uint8Array): boolean {
    const record = orNull(() => decodePool(bytes));
    return record !== null && this.#context.pools.adopt(record, encodePool(record));
  }

  /** Passes the present record on by gossip. */
  spread(): void {
    const { carrier, pools: { summary } } = this.#context;
    carrier.gossip("pool", gossipVersion(summary), this.#push());
  }

  /** Tells everybody, as the host does that the operator spoke to. */
  announce(): void {
    const reachable = this.#context.others("alive", "suspect");
    if (reachable.length <= LETTERS_MAX) {
      for (const { endpoint } of reachable) this.#context.carrier.letter(endpoint, this.#push());
    }
    this.spread();
  }

  /** Tells the host of that claim about the pool if it cannot know it, and asks for what it may not have; whether so. */
  correct(to: Endpoint, claim: ClaimRecord): boolean {
    const { carrier, pools } = this.#context;
    const isOutdated = claim.poolDigest === pools.baseDigest &&
      claim.poolVersion < pools.pool.version && !pools.isForHost(claim.subnet, claim.hostId);
    if (!isOutdated) return false;
    carrier.letter(to, this.#push());
    return true;
  }

  #push(): Uint8Array {
    const { pools } = this.#context;
    return encodePoolPush({ summary: pools.summary, record: pools.bytesFor(NO_POOL_RECORD) });
  }
}

/** Version and the beginning of the digest as one number in the order of records: below 2^48. */
function gossipVersion({ version, digest }: PoolSummary): number {
  return version * 0x1_0000 + Number.parseInt(digest.slice(0, 4), 16);
}
