/**
 * Whether the cluster's hosts were given the same pool. One that differs stays a member, and its held claim is respected,
 * but who is outnumbered by hosts of another pool claims nothing new.
 */
import type { Problem } from "../base/problem.ts";
import type { ClaimContext } from "./context.ts";
import type { LedgerEntry } from "./ledger.ts";
import type { ClaimRecord } from "./record.ts";

export interface PoolAgreement {
  /** Other hosts with a held claim under the same pool. */
  readonly agreeing: number;
  /** Other hosts with a held claim that were configured with another pool, by id. */
  readonly differing: readonly ClaimRecord[];
}

/** Counts anew only when the ledger changed: this is asked with every snapshot. */
export class PoolWatch {
  readonly #context: ClaimContext;
  #counted: { readonly entries: readonly LedgerEntry[]; readonly agreement: PoolAgreement } | null =
    null;

  constructor(context: ClaimContext) {
    this.#context = context;
  }

  agreement(): PoolAgreement {
    const entries = this.#context.ledger.entries();
    if (this.#counted?.entries === entries) return this.#counted.agreement;
    const agreement = count(this.#context, entries);
    this.#counted = { entries, agreement };
    return agreement;
  }

  /** What people should know about pools that differ; null when all agree. */
  problem(): Problem | null {
    return poolProblem(this.#context, this.agreement());
  }
}

function count(
  { hostId, pools }: ClaimContext,
  entries: readonly LedgerEntry[],
): PoolAgreement {
  let agreeing = 0;
  const differing: ClaimRecord[] = [];
  for (const { record } of entries) {
    if (record.hostId === hostId || record.state !== "held") continue;
    if (record.poolDigest === pools.baseDigest) agreeing++;
    else differing.push(record);
  }
  return { agreeing, differing };
}

/** Whether this host may claim: not if more hosts differ from it than agree with it. */
export function mayClaim({ agreeing, differing }: PoolAgreement): boolean {
  return differing.length <= agreeing;
}

/** Names both hosts and both values; null when all agree. */
function poolProblem(context: ClaimContext, agreement: PoolAgreement): Problem | null {
  const [first] = agreement.differing;
  if (first === undefined) return null;
  const more = agreement.differing.length === 1
    ? ""
    : `, and so do ${agreement.differing.length - 1} more hosts`;
  return {
    code: "pool-mismatch",
    severity: mayClaim(agreement) ? "warning" : "error",
    text: `${context.nameOf(first.hostId)} uses the pool ${first.poolDigest} (it holds ` +
      `${first.subnet})${more}, but ${context.nameOf(context.hostId)}, this host, uses the pool ` +
      `${context.pools.baseDigest} (${context.options.pool.cidr} in /${context.options.pool.subnetLength})`,
    remedy: "Give both hosts the same --network, --subnet-len, --subnet-min and --subnet-max, " +
      "and restart the one that was wrong",
  };
}
