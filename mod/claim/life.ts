/** A host's life as a succession of stages: where it begins, how one stage follows another, and how each is made. */
import { assert, unreachable } from "../base/assert.ts";
import { poolHasSubnet } from "../address/pool.ts";
import type { Chooser } from "./choose.ts";
import type { ClaimContext } from "./context.ts";
import { Held } from "./held.ts";
import { Listening } from "./listening.ts";
import type { ClaimRecord } from "./record.ts";
import { encodeRecord } from "./record_codec.ts";
import { Released } from "./released.ts";
import type { Next, Stage } from "./stage.ts";
import { Tentative } from "./tentative.ts";
import { Waiting } from "./waiting.ts";
import { Yielding } from "./yielding.ts";

/** Stages that may follow each other within one step: listening, tentative and waiting make three. */
const STAGES_AT_ONCE_MAX = 10;

export class Life {
  readonly #context: ClaimContext;
  readonly #chooser: Chooser;
  #stage: Stage | null = null;

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
        ledger.merge(nowMs, restored, encodeRecord(restored));
        this.#context.complete = !options.seedsGiven;
        return this.follow(nowMs, { to: "held" });
      }
      this.#context.previous ??= restored.subnet;
    } else if (restored !== null) {
      // Others know it: who does not know its own last word would differ from them in every sync.
      ledger.merge(nowMs, restored, encodeRecord(restored));
    }
    this.follow(nowMs, { to: "listening", afresh: true, notBeforeMs: nowMs });
  }

  /** Gives the subnet back, whatever this host was about. */
  release(nowMs: number): void {
    if (!(this.#stage instanceof Released)) this.follow(nowMs, { to: "released" });
  }

  /** Whether a release was asked for and has come to its end, well or not. */
  get isReleaseOver(): boolean {
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
      this.#stage = this.#make(next);
      this.#context.sought = this.#stage.subnet;
      next = this.#stage.enter(nowMs);
    }
  }

  /** Whether the operator's present configuration allows the subnet held before. */
  #isWanted(restored: ClaimRecord): boolean {
    const { pin, pool } = this.#context.options;
    return pin === null ? poolHasSubnet(pool, restored.subnet) : pin === restored.subnet;
  }

  #make(next: Next): Stage {
    const context = this.#context;
    switch (next.to) {
      case "listening":
        return new Listening(context, this.#chooser, next);
      case "tentative":
        return new Tentative(context, next.subnet);
      case "held":
        assert(context.own.announced?.state === "held", "what is held was written as held");
        return new Held(context, context.own.announced);
      case "yielding":
        assert(context.own.latest !== null, "who yields has a claim");
        return new Yielding(context, context.own.latest);
      case "waiting":
        return new Waiting(context, this.#chooser, next.wait);
      case "released":
        return new Released(context, context.own.announced);
      default:
        return unreachable(next);
    }
  }
}
