/** All rules of membership together: checked after every step of every host, and once nothing happens any more. */
import type { Action, Input } from "../base/core.ts";
import type { SwimEvent } from "../swim/event.ts";
import type { SwimCommand } from "../swim/swim.ts";
import { CorrectionRules } from "./correction_rules.ts";
import { GossipRules } from "./gossip_rules.ts";
import { InvariantError } from "./invariant_error.ts";
import type { MemberHost, MembershipCluster } from "./membership_cluster.ts";
import { Life, ObservedStep } from "./observed_step.ts";
import { ProbeRules } from "./probe_rules.ts";
import { RelayRules } from "./relay_rules.ts";
import { SelfRules } from "./self_rules.ts";
import type { Shadow } from "./shadow.ts";
import { SpreadRules } from "./spread_rules.ts";
import { TableRules } from "./table_rules.ts";
import { VerdictRules } from "./verdict_rules.ts";

export class MembershipInvariants {
  readonly verdicts: VerdictRules;
  readonly spread: SpreadRules;
  readonly #membership: MembershipCluster;
  readonly #rules: readonly { check(step: ObservedStep): void }[];
  readonly #lives = new Map<MemberHost, Life>();

  constructor(membership: MembershipCluster, shadow: Shadow) {
    this.#membership = membership;
    const { timings } = membership;
    this.verdicts = new VerdictRules(timings, shadow, (id) => membership.hostOf(id));
    this.spread = new SpreadRules(membership, shadow);
    this.#rules = [
      new TableRules((id) => membership.hostOf(id)),
      new SelfRules(timings),
      new RelayRules(timings),
      new ProbeRules(timings),
      this.verdicts,
      new GossipRules(timings),
      new CorrectionRules(),
      this.spread,
    ];
  }

  /** Checks the step that a host has just made. Throws {@linkcode InvariantError}. */
  check(
    host: MemberHost,
    actions: readonly Action<SwimEvent>[],
    input: Input<SwimCommand>,
  ): void {
    let life = this.#lives.get(host);
    if (life === undefined || life.boot !== host.boots) {
      life = new Life(host, this.#membership.knownAtStart(host));
      this.#lives.set(host, life);
    }
    const step = new ObservedStep(life, this.#membership.cluster.nowMs, input, actions);
    for (const rule of this.#rules) rule.check(step);
    step.remember();
  }

  fail(rule: string, what: string): never {
    throw new InvariantError(rule, this.#membership.cluster.nowMs, what);
  }
}
