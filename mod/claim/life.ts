/** A host's life as a succession of stages: where it begins, how one stage follows another, and how each is made. */
import { assert, unreachable } from "../base/assert.ts";
import type { Chooser } from "./choose.ts";
import type { ClaimContext } from "./context.ts";
import { Held } from "./held.ts";
import { Listening } from "./listening.ts";
import type { ClaimRecord } from "./record.ts";
import { Returning } from "./returning.ts";
import { encodeRecord } from "./record_codec.ts";
import { Reclaim } from "./reclaim.ts";
import { Released } from "./released.ts";
import type { Next, Stage, Wanted } from "./stage.ts";
import { Tentative } from "./tentative.ts";
import { Waiting } from "./waiting.ts";
import { Yielding } from "./yielding.ts";

/** Stages that may follow each other within one step: listening, tentative and waiting make three. */
const STAGES_AT_ONCE_MAX = 10;

const LEFT: Next = { to: "released", release: false };

export class Life {
  readonly #context: ClaimContext;
  readonly #chooser: Chooser;
  #stage: Stage | null = null;
  /** Whether this host said goodbye, and was not told to come back. */
  #hasLeft = false;

  constructor(context: ClaimContext, chooser: Chooser) {
    this.#context = context;
    this.#chooser = chooser;
  }

  /** The present stage; null before the first step. */
  get stage(): Stage | null {
    return this.#stage;
  }

  /** The first stage: what the disk remembers decides where life begins. */
  begin(nowMs: number): void {
    const { own, ledger, options } = this.#context;
    const restored = own.announced;
    if (restored !== null && restored.state === "held") {
      if (this.#isWanted(restored)) {
        this.#context.complete = !options.seedsGiven || options.continues === true;
        if (options.returnsCarefully === true) return this.follow(nowMs, { to: "returning" });
        ledger.merge(nowMs, restored, encodeRecord(restored));
        return this.follow(nowMs, { to: "held" });
      }
      this.#context.previous ??= restored.subnet;
    } else if (restored !== null) {
      // Others know it: who does not know its own last word would differ from them in every sync. And a release that was
      // not announced counts for the fence only so: the document that holds it was made before it was safe on disk.
      ledger.merge(nowMs, restored, encodeRecord(restored));
    }
    this.follow(nowMs, { to: "listening", afresh: true, notBeforeMs: nowMs });
  }

  /** Claims nothing more. What is held stays, unless `release` gives it back, and what is being given up goes on. */
  leave(nowMs: number, release: boolean): void {
    this.#hasLeft = true;
    const stays = this.#stage instanceof Held || this.#stage instanceof Yielding;
    if (this.#stage instanceof Released || stays && !release) return;
    this.follow(nowMs, { to: "released", release });
  }

  /** Goes on after a leave. */
  rejoin(nowMs: number): void {
    this.#hasLeft = false;
    if (!(this.#stage instanceof Released)) return;
    this.follow(nowMs, { to: "listening", afresh: true, notBeforeMs: nowMs });
  }

  /** Whether what a leave asked for has come to its end, well or not. */
  get isLeaveOver(): boolean {
    if (this.#stage instanceof Yielding) return !this.#hasLeft;
    return !(this.#stage instanceof Released) || this.#stage.isDone;
  }

  /** Goes where the present stage said, if anywhere, and on from there. */
  follow(nowMs: number, first: Next | null): void {
    let next = first;
    for (let count = 0; next !== null; count++) {
      assert(
        count < STAGES_AT_ONCE_MAX,
        "the stages of a claim do not follow each other in circles",
      );
      const isToClaim = next.to !== "held" && next.to !== "yielding" && next.to !== "released";
      this.#stage = this.#make(this.#hasLeft && isToClaim ? LEFT : next);
      this.#context.sought = this.#stage.subnet;
      next = this.#stage.enter(nowMs);
    }
  }

  /** Whether the operator's present configuration allows the subnet held before. */
  #isWanted(restored: ClaimRecord): boolean {
    const { hostId, pin, pools } = this.#context;
    if (pin !== null) return pin === restored.subnet;
    // Flags that changed are heeded; what operators reserved or took away meanwhile does not end a claim.
    const isAsBefore = pools.record !== null && restored.poolDigest === pools.baseDigest &&
      pools.pinnedTo(restored.subnet) === null;
    return isAsBefore || pools.isForHost(restored.subnet, hostId);
  }

  #reclaimOf({ reclaimed }: Wanted): Reclaim | null {
    return reclaimed.length === 0 ? null : new Reclaim(this.#context, reclaimed);
  }

  #given(release: boolean): ClaimRecord | null {
    const { announced } = this.#context.own;
    return release || announced?.state === "tentative" ? announced : null;
  }

  #make(next: Next): Stage {
    const context = this.#context;
    switch (next.to) {
      case "listening":
        return new Listening(context, this.#chooser, next);
      case "tentative":
        return new Tentative(context, next.wanted, this.#reclaimOf(next.wanted));
      case "returning":
        assert(context.own.announced?.state === "held", "what is returned to was held");
        return new Returning(context, context.own.announced);
      case "held":
        assert(context.own.announced?.state === "held", "what is held was written as held");
        return new Held(context, context.own.announced);
      case "yielding":
        assert(context.own.latest !== null, "who yields has a claim");
        return new Yielding(context, context.own.latest);
      case "waiting":
        return new Waiting(context, this.#chooser, next.wait);
      case "released":
        return new Released(context, this.#given(next.release));
      default:
        return unreachable(next);
    }
  }
}
