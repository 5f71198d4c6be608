/**
 * Having left: the subnet is given back with `leave --release`; a plain leave comes here only from a host that held none,
 * and withdraws its question.
 */
import type { ClaimContext } from "./context.ts";
import { type ClaimRecord, wasHeld } from "./record.ts";
import { EPOCH_MAX } from "./record_codec.ts";
import { type Next, Stage } from "./stage.ts";

export class Released extends Stage {
  readonly state = "released";
  readonly subnet = null;
  readonly #context: ClaimContext;
  readonly #given: ClaimRecord | null;
  #isDone = false;

  /** @param given the claim that is given back, null when there is none. */
  constructor(context: ClaimContext, given: ClaimRecord | null) {
    super();
    this.#context = context;
    this.#given = given;
  }

  /** Whether the release is on disk and was announced, or there was nothing to release. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /**
   * The epoch rises with the release of an owner: older records of this claim, which may come back once the tombstone is
   * forgotten, then lie below the fence for ever. Who lost the subnet must not raise it above the winner's.
   */
  override enter(_nowMs: number): Next | null {
    const { own, ledger, hostId } = this.#context;
    // The disk may remember as held what was under way: see Tentative.
    const isForgotten = own.isPending;
    own.cancel();
    this.#context.previous = null;
    if (this.#given === null || this.#given.state === "released") {
      if (isForgotten) own.open();
      this.#isDone = true;
      return null;
    }
    const { subnet, strength, stamp } = this.#given;
    const epoch = wasHeld(this.#given) && ledger.isOwner(hostId)
      ? Math.min(Math.max(ledger.fence.of(subnet), this.#given.epoch) + 1, EPOCH_MAX)
      : this.#given.epoch;
    own.propose({ subnet, state: "released", epoch, strength, stamp });
    return null;
  }

  override written(_nowMs: number, record: ClaimRecord): Next | null {
    this.#context.announce(record);
    this.#isDone = true;
    return null;
  }

  /** What is not written as released would come back at the next start: the subnet stays ours. */
  override refused(_nowMs: number, reason: string): Next | null {
    this.#context.emit({
      kind: "warning",
      code: "release-not-saved",
      text:
        `The subnet ${this.#given?.subnet ?? ""} is not released, because the state directory ` +
        `cannot be written (${reason})`,
      remedy: "Make room there or repair it, start the host again and repeat leave --release",
    });
    this.#isDone = true;
    return this.#given?.state === "held" ? { to: "held" } : null;
  }
}
