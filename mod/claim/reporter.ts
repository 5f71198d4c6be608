/** What a claimant shows: its snapshot, and an event when its view of itself changes. */
import type { Problem } from "../base/problem.ts";
import type { MemberId } from "../swim/member.ts";
import { ttlMs } from "./absence.ts";
import type { ClaimContext } from "./context.ts";
import type { LedgerEntry } from "./ledger.ts";
import type { PoolWatch } from "./pool_agreement.ts";
import { poolProblems } from "./pool_problems.ts";
import type { ClaimSnapshot, ClaimView } from "./snapshot.ts";
import type { Stage } from "./stage.ts";

type Lists = Pick<ClaimSnapshot, "records" | "sinceByHost" | "voidSinceByHost">;

export class Reporter {
  readonly #context: ClaimContext;
  readonly #pools: PoolWatch;
  #view: ClaimView = { state: "none", subnet: null, reason: null };
  /** What keeps this host from having a subnet. */
  #problem: Problem | null = null;
  #sinceMs = 0;
  readonly #fenceOf = (subnet: string) => this.#context.ledger.fence.of(subnet);
  readonly #isOwner = (hostId: MemberId) => this.#context.ledger.isOwner(hostId);
  readonly #restsUntilMs = (subnet: string) =>
    this.#context.ledger.quarantine.untilMs(subnet, this.#context.hostId);
  readonly #absences = () =>
    this.#context.absence.list().map((away) => ({ ...away, ttlMs: ttlMs(away.record) }));
  #listed: { readonly entries: readonly LedgerEntry[]; readonly lists: Lists } | null = null;

  constructor(context: ClaimContext, pools: PoolWatch) {
    this.#context = context;
    this.#pools = pools;
  }

  /** Takes the present view; says so if it is another than before. */
  note(nowMs: number, { state, subnet, reason, problem }: Stage): void {
    this.#problem = problem;
    const from = this.#view;
    if (from.state === state && from.subnet === subnet && from.reason === reason) return;
    if (from.state !== state || from.subnet !== subnet) this.#sinceMs = nowMs;
    this.#view = { state, subnet, reason };
    this.#context.emit({ kind: "claim-changed", from: from.state, to: this.#view });
  }

  snapshot(): ClaimSnapshot {
    const { ledger, own, hostId, conflicts, complete, pools } = this.#context;
    return {
      ...this.#view,
      sinceMs: this.#sinceMs,
      conflicts,
      record: ledger.entry(hostId)?.record ?? own.announced,
      owners: ledger.routed(),
      ...this.#lists(),
      pool: pools.pool,
      poolRecord: pools.record,
      fenceSize: ledger.fence.size,
      fenceOf: this.#fenceOf,
      isOwner: this.#isOwner,
      restsUntilMs: this.#restsUntilMs,
      absences: this.#absences,
      counters: this.#context.counters,
      complete,
      problems: this.#problems(),
    };
  }

  /** Made anew only when the ledger changed: snapshots are taken often. */
  #lists(): Lists {
    const entries = this.#context.ledger.entries();
    if (this.#listed?.entries === entries) return this.#listed.lists;
    const lists = {
      records: entries.map(({ record }) => record),
      sinceByHost: new Map(entries.map(({ record, sinceMs }) => [record.hostId, sinceMs])),
      voidSinceByHost: new Map(
        entries.filter(({ voidSinceMs }) => voidSinceMs < Infinity)
          .map(({ record, voidSinceMs }) => [record.hostId, voidSinceMs]),
      ),
    };
    this.#listed = { entries, lists };
    return lists;
  }

  #problems(): Problem[] {
    const problems = [...this.#context.problems.values(), ...poolProblems(this.#context)];
    const found = [this.#pools.problem(), this.#problem];
    for (const problem of found) {
      if (problem !== null && !problems.some(({ code }) => code === problem.code)) {
        problems.push(problem);
      }
    }
    return problems;
  }
}
