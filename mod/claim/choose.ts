/** The decision what to claim next, or why nothing can be claimed. */
import type { ClaimContext } from "./context.ts";
import type { Picker } from "./picker.ts";
import { mayClaim, type PoolWatch } from "./pool_agreement.ts";
import type { Promises } from "./promises.ts";
import type { Next, Wait } from "./stage.ts";

export class Chooser {
  readonly #context: ClaimContext;
  readonly #picker: Picker;
  readonly #promises: Promises;
  readonly #pools: PoolWatch;

  constructor(context: ClaimContext, picker: Picker, promises: Promises, pools: PoolWatch) {
    this.#context = context;
    this.#pools = pools;
    this.#picker = picker;
    this.#promises = promises;
  }

  /** Does beforehand what takes time and needs no news of others. */
  prepare(): void {
    if (this.#context.options.pin === null) this.#picker.prepare();
  }

  /** A subnet to ask for, or a wait. */
  choose(nowMs: number): Next {
    const context = this.#context;
    const problem = this.#pools.problem();
    if (problem !== null && !mayClaim(this.#pools.agreement())) {
      return waiting("pool-mismatch", `${problem.text}. ${problem.remedy}`);
    }
    const pick = this.#picker.pick(nowMs, this.#promises.subnets(nowMs));
    switch (pick.kind) {
      case "subnet":
        return { to: "tentative", subnet: pick.subnet };
      case "pin-taken":
        return waiting(
          "pin-taken",
          `The subnet ${context.options.pin} asked for with --subnet is claimed by ` +
            `${
              context.nameOf(pick.by.hostId)
            } (${pick.by.subnet}): choose another, or release it there`,
        );
      case "exhausted":
        return waiting(
          "exhausted",
          `All ${pick.total} subnets of ${context.options.pool.cidr} are claimed: release one with ` +
            "gossamer leave --release on a host that goes, or use a larger --network",
        );
    }
  }
}

function waiting(code: Wait["code"], reason: string): Next {
  return { to: "waiting", wait: { code, reason, retryAtMs: Infinity } };
}
