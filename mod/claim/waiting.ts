/** Waiting: nothing can be claimed now. The reason is shown, and every change is an occasion to try again. */
import type { Problem } from "../base/problem.ts";
import type { Chooser } from "./choose.ts";
import type { ClaimContext } from "./context.ts";
import type { ClaimRecord } from "./record.ts";
import { type Next, Stage, type Wait } from "./stage.ts";

export class Waiting extends Stage {
  readonly state = "waiting";
  readonly subnet = null;
  readonly #context: ClaimContext;
  readonly #chooser: Chooser;
  #wait: Wait;

  constructor(context: ClaimContext, chooser: Chooser, wait: Wait) {
    super();
    this.#context = context;
    this.#chooser = chooser;
    this.#wait = wait;
  }

  override get problem(): Problem {
    const { code, text, remedy } = this.#wait;
    return { code, severity: "error", text, remedy };
  }

  override wakeAtMs(): number {
    return this.#wait.retryAtMs;
  }

  /**
   * A question that was asked and is given up is withdrawn, so that its subnet is free for others; so is a subnet that was
   * lost. Two hosts that yielded to each other, one of them set back to an old disk, would else wait for each other.
   */
  override enter(_nowMs: number): Next | null {
    const { own } = this.#context;
    if (this.#wait.code === "claim-not-saved") return null;
    const last = own.announced;
    if (last?.state !== "tentative" && last?.state !== "yielding") {
      own.open();
      return null;
    }
    const { subnet, epoch, strength, stamp } = last;
    own.propose({ subnet, state: "released", epoch, strength, stamp });
    return null;
  }

  override advance(nowMs: number): Next | null {
    return nowMs >= this.#wait.retryAtMs ? this.#tryAgain(nowMs) : null;
  }

  override recordsChanged(nowMs: number): Next | null {
    return this.#wait.code === "claim-not-saved" ? null : this.#tryAgain(nowMs);
  }

  override poolChanged(nowMs: number): Next | null {
    return this.recordsChanged(nowMs);
  }

  override membersChanged(nowMs: number): Next | null {
    return this.recordsChanged(nowMs);
  }

  override written(_nowMs: number, record: ClaimRecord): Next | null {
    this.#context.announce(record);
    return null;
  }

  #tryAgain(nowMs: number): Next | null {
    const next = this.#chooser.choose(nowMs);
    if (next.to !== "waiting") return next;
    this.#wait = next.wait;
    return null;
  }
}
