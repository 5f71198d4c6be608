/** Waiting: nothing can be claimed now. The reason is shown, and every change is an occasion to try again. */
import type { Problem } from "../base/problem.ts";
import type { Chooser } from "./choose.ts";
import type { ClaimContext } from "./context.ts";
import type { ClaimRecord } from "./record.ts";
import { EPOCH_MAX } from "./record_codec.ts";
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
   * lost. Two hosts that yielded to each other, one of them set back to an old disk, would else wait for each other. And so
   * is one that was held before a restart with flags that ask for another: two hosts that are to swap theirs would wait for
   * each other as well. Only flags that differ from everybody's are more likely a mistake than a wish: then the subnet is
   * kept, but nobody sends packets here for it.
   */
  override enter(_nowMs: number): Next | null {
    const { own } = this.#context;
    if (this.#wait.code === "claim-not-saved") return null;
    const last = own.announced;
    const state = last === null ? null : this.#stateAfter(last);
    if (last === null || state === null) {
      own.open();
      return null;
    }
    const { subnet, strength, stamp } = last;
    const isGivenBack = last.state === "held" && state === "released";
    const epoch = isGivenBack ? this.#epochAbove(last) : last.epoch;
    own.propose({ subnet, state, epoch, strength, stamp });
    return null;
  }

  /** What becomes of the claim that this host made last; null when it stays as it is. */
  #stateAfter({ state }: ClaimRecord): "yielding" | "released" | null {
    if (state === "released") return null;
    if (this.#wait.code !== "pool-mismatch" || state === "tentative") return "released";
    return state === "held" ? "yielding" : null;
  }

  /** As for any release: older copies of the claim must lie below the fence. Not above one who holds the subnet by now. */
  #epochAbove({ subnet, epoch }: ClaimRecord): number {
    const { ledger, hostId } = this.#context;
    const isTaken = ledger.occupants(subnet, hostId).some(({ state }) => state === "held");
    return isTaken ? epoch : Math.min(Math.max(ledger.fence.of(subnet), epoch) + 1, EPOCH_MAX);
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
