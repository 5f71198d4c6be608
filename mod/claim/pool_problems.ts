/** What people should know of claims that the pool does not allow any more: they stay, but not by anybody's wish. */
import { isInPool, networksOf } from "../address/pool.ts";
import type { Problem } from "../base/problem.ts";
import type { ClaimContext } from "./context.ts";

/** A held subnet that is in no network of the pool; a pin of this host that it does not have yet. */
export function poolProblems(context: ClaimContext): Problem[] {
  return [outsideProblem(context), pinProblem(context)].filter((problem) => problem !== null);
}

function outsideProblem(context: ClaimContext): Problem | null {
  const { ledger, pools: { pool, baseDigest, record } } = context;
  if (record === null) return null;
  // Hosts that were configured with another pool have a problem of their own.
  const outside = ledger.routed().filter(({ poolDigest, subnet }) =>
    poolDigest === baseDigest && !isInPool(pool, subnet)
  );
  const [first] = outside;
  if (first === undefined) return null;
  const more = outside.length === 1 ? "" : `, and so do ${outside.length - 1} more hosts`;
  return {
    code: "subnet-outside-pool",
    severity: "warning",
    text: `${context.nameOf(first.hostId)} holds ${first.subnet}, which is in none of the pool's ` +
      `networks (${networksOf(pool).join(", ")})${more}; it keeps it`,
    remedy: "Add its network again with gossamer pool grow, or give the subnet up with gossamer " +
      "leave --release on that host and start it again",
  };
}

function pinProblem({ hostId, own, pools }: ClaimContext): Problem | null {
  const pin = pools.pinOf(hostId);
  const held = own.announced;
  if (pin === null || held?.state !== "held" || held.subnet === pin) return null;
  return {
    code: "pin-waits",
    severity: "warning",
    text: `This host is pinned to ${pin}, but holds ${held.subnet} and keeps it while it runs`,
    remedy: "Restart the agent here when its containers may be renumbered, or take the pin back " +
      "with gossamer pool unpin",
  };
}
