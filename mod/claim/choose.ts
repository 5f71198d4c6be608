/** The decision what to claim next, or why nothing can be claimed. */
import { networksOf } from "../address/pool.ts";
import { unreachable } from "../base/assert.ts";
import type { ClaimContext } from "./context.ts";
import type { Picker } from "./picker.ts";
import { mayClaim, type PoolWatch } from "./pool_agreement.ts";
import type { ClaimRecord } from "./record.ts";
import type { Next, Wait } from "./stage.ts";

const HOUR_MS = 3_600_000;
/** While absent hosts are waited for. */
const LOOK_AGAIN_MS = 60_000;

export class Chooser {
  readonly #context: ClaimContext;
  readonly #picker: Picker;
  readonly #pools: PoolWatch;

  constructor(context: ClaimContext, picker: Picker, pools: PoolWatch) {
    this.#context = context;
    this.#pools = pools;
    this.#picker = picker;
  }

  /** Does beforehand what takes time and needs no news of others. */
  prepare(): void {
    if (this.#context.pin === null) this.#picker.prepare();
  }

  /** A subnet to ask for, or a wait. */
  choose(nowMs: number): Next {
    const problem = this.#pools.problem();
    if (problem !== null && !mayClaim(this.#pools.agreement())) {
      return waiting("pool-mismatch", problem.text, problem.remedy);
    }
    const pick = this.#picker.pick(nowMs);
    switch (pick.kind) {
      case "subnet":
        return { to: "tentative", wanted: pick.wanted };
      case "pin-taken":
        return this.#pinTaken(nowMs, pick.by);
      case "pin-barred":
        return waiting(
          "pin-taken",
          `The subnet ${this.#context.pin} asked for with --subnet ${pick.why}`,
          "Start this host without --subnet or with another; gossamer pool show has reserved " +
            "networks and pins",
        );
      case "exhausted":
        return this.#exhausted(nowMs, pick.total);
      default:
        return unreachable(pick);
    }
  }

  #pinTaken(nowMs: number, by: ClaimRecord): Next {
    const { hostId, pin, pools } = this.#context;
    const asked = pools.pinOf(hostId) !== null
      ? "that this host is pinned to"
      : "asked for with --subnet";
    return waiting(
      "pin-taken",
      `The subnet ${pin} ${asked} is claimed by ` +
        `${this.#context.nameOf(by.hostId)} (${by.subnet})`,
      "Choose another, or release it there; if that host is gone for good, use gossamer forget",
      this.#retryAtMs(nowMs),
    );
  }

  #exhausted(nowMs: number, total: number): Next {
    const { pool, record } = this.#context.pools;
    const claimed = record === null || record.pins.length === 0
      ? "claimed"
      : "claimed or pinned to other hosts";
    const absent = this.#absence();
    return waiting(
      "no-free-subnet",
      `All ${total} subnets of ${networksOf(pool).join(", ")} are ${claimed}${
        absent === null ? "" : `, ${absent}`
      }`,
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
