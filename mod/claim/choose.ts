/** The decision what to claim next, or why nothing can be claimed. */
import { unreachable } from "../base/assert.ts";
import type { ClaimContext } from "./context.ts";
import type { Picker } from "./picker.ts";
import { mayClaim, type PoolWatch } from "./pool_agreement.ts";
import type { Promises } from "./promises.ts";
import type { ClaimRecord } from "./record.ts";
import type { Next, Wait } from "./stage.ts";

const HOUR_MS = 3_600_000;
/** While absent hosts are waited for. */
const LOOK_AGAIN_MS = 60_000;

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
    const problem = this.#pools.problem();
    if (problem !== null && !mayClaim(this.#pools.agreement())) {
      return waiting("pool-mismatch", problem.text, problem.remedy);
    }
    const pick = this.#picker.pick(nowMs, this.#promises.subnets(nowMs));
    switch (pick.kind) {
      case "subnet":
        return { to: "tentative", wanted: pick.wanted };
      case "pin-taken":
        return this.#pinTaken(nowMs, pick.by);
      case "exhausted":
        return this.#exhausted(nowMs, pick.total);
      default:
        return unreachable(pick);
    }
  }

  #pinTaken(nowMs: number, by: ClaimRecord): Next {
    const { options } = this.#context;
    return waiting(
      "pin-taken",
      `The subnet ${options.pin} asked for with --subnet is claimed by ` +
        `${this.#context.nameOf(by.hostId)} (${by.subnet})`,
      "Choose another, or release it there; if that host is gone for good, use gossamer forget",
      this.#retryAtMs(nowMs),
    );
  }

  #exhausted(nowMs: number, total: number): Next {
    const { pool } = this.#context.options;
    const absent = this.#absence();
    return waiting(
      "no-free-subnet",
      `All ${total} subnets of ${pool.cidr} are claimed${absent === null ? "" : `, ${absent}`}`,
      absent === null
        ? "Add networks with gossamer pool grow, or release a subnet with gossamer leave " +
          "--release on a host that goes"
        : "Bring them back, or use gossamer forget for those that are gone for good; or add networks " +
          "with gossamer pool grow",
      this.#retryAtMs(nowMs),
    );
  }

  /** How many subnets absent hosts have, and who is absent longest, as far as this host can tell. */
  #absence(): string | null {
    const away = this.#context.absence.list();
    const [longest] = away;
    if (longest === undefined) return null;
    const hours = Math.floor(longest.awayMs / HOUR_MS);
    const time = hours === 0 ? "less than an hour" : `${hours} h`;
    return `${away.length} of them by absent hosts (${
      this.#context.nameOf(longest.record.hostId)
    } ` +
      `for ${time}, as seen from here)`;
  }

  /** Absences grow without any news. */
  #retryAtMs(nowMs: number): number {
    return this.#context.absence.list().length === 0 ? Infinity : nowMs + LOOK_AGAIN_MS;
  }
}

function waiting(code: Wait["code"], text: string, remedy: string, retryAtMs = Infinity): Next {
  return { to: "waiting", wait: { code, text, remedy, retryAtMs } };
}
