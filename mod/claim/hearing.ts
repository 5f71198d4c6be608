/** Whether this host has heard the cluster: whom it asks for that, and what counts as an answer. */
import type { MemberId } from "../swim/member.ts";
import type { ClaimContext } from "./context.ts";

/** How soon a member is asked for its state when no sync of membership's own brought one, and how often again. */
const SEEK_AFTER_MS = 50;
const SEEK_AGAIN_MS = 1_000;
/**
 * Hosts that have not heard the cluster themselves count only after this, and are asked again meanwhile: their own seed may
 * be one lost packet away, which TCP sends again after a second. Where nobody has heard any, it is a new cluster.
 */
const HEARSAY_MS = 1_200;
const HEARSAY_AGAIN_MS = 200;

export class Hearing {
  readonly #context: ClaimContext;
  #seekAtMs = Infinity;
  /** Members that had not heard the cluster either, by the last state of theirs that came. */
  readonly #hearsay = new Set<MemberId>();
  #hearsaySinceMs = Infinity;

  constructor(context: ClaimContext) {
    this.#context = context;
  }

  wakeAtMs(): number {
    return this.#seekAtMs;
  }

  /** A member is there, who may be asked. */
  met(nowMs: number): void {
    if (!this.#context.complete) {
      this.#seekAtMs = Math.min(this.#seekAtMs, nowMs + SEEK_AFTER_MS);
    }
  }

  /** A member told its state; whether it knew what it spoke of counts when the sync with it ends. */
  told(member: MemberId, isComplete: boolean): void {
    if (isComplete) this.#hearsay.delete(member);
    else this.#hearsay.add(member);
  }

  /** A sync with that member has ended; whether this host may now say that it has heard the cluster. */
  synced(nowMs: number, member: MemberId): boolean {
    const isHearsay = this.#hearsay.delete(member);
    if (!this.#context.complete && isHearsay) {
      // Two newcomers that confirm each other's ignorance would both take what the cluster has.
      this.#hearsaySinceMs = Math.min(this.#hearsaySinceMs, nowMs);
      if (nowMs < this.#hearsaySinceMs + HEARSAY_MS) {
        this.#seekAtMs = nowMs + HEARSAY_AGAIN_MS;
        return false;
      }
    }
    this.#context.complete = true;
    this.#seekAtMs = Infinity;
    return true;
  }

  /** Asks somebody for all they know, when it is time. */
  advance(nowMs: number): void {
    if (nowMs < this.#seekAtMs) return;
    const [member] = this.#context.random.sample(this.#context.others("alive"), 1);
    this.#seekAtMs = member === undefined ? Infinity : nowMs + SEEK_AGAIN_MS;
    if (member !== undefined) this.#context.carrier.requestSync(member.id);
  }
}
