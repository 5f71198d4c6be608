/** Giving up a lost subnet: said first, on disk and to everybody; then another one is looked for. */
import type { ClaimContext } from "./context.ts";
import type { ClaimRecord } from "./record.ts";
import { type Next, Stage } from "./stage.ts";

/** Between attempts while the disk refuses; nothing is routed meanwhile. */
const DISK_RETRY_MS = 2_000;
/** A wide subnet may lose to many narrow ones; a letter holds eight records. */
const WINNERS_MAX = 4;

export class Yielding extends Stage {
  readonly state = "yielding";
  readonly subnet: string;
  readonly #context: ClaimContext;
  readonly #held: ClaimRecord;
  #retryAtMs = Infinity;

  /** @param held the claim that lost. */
  constructor(context: ClaimContext, held: ClaimRecord) {
    super();
    this.#context = context;
    this.#held = held;
    this.subnet = held.subnet;
  }

  override wakeAtMs(): number {
    return this.#retryAtMs;
  }

  override enter(_nowMs: number): Next | null {
    this.#context.previous ??= this.subnet;
    this.#propose();
    return null;
  }

  override advance(nowMs: number): Next | null {
    if (nowMs < this.#retryAtMs) return null;
    this.#retryAtMs = Infinity;
    this.#propose();
    return null;
  }

  override written(nowMs: number, record: ClaimRecord): Next | null {
    this.#context.announce(record, this.#winners());
    return { to: "listening", afresh: true, notBeforeMs: nowMs };
  }

  override refused(nowMs: number, _reason: string): Next | null {
    this.#retryAtMs = nowMs + DISK_RETRY_MS;
    return null;
  }

  /** Said in one breath with the yield, so that nobody's route to the subnet ends before the next one begins. */
  #winners(): ClaimRecord[] {
    const { ledger, hostId } = this.#context;
    return ledger.overlapping(this.subnet, hostId)
      .filter((rival) => ledger.isOwner(rival.hostId))
      .slice(0, WINNERS_MAX);
  }

  #propose(): void {
    const { subnet, epoch, strength, stamp } = this.#held;
    this.#context.own.propose({ subnet, state: "yielding", epoch, strength, stamp });
  }
}
