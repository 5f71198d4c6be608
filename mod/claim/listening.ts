/**
 * Listening: full syncs with up to three members before anything is chosen. A host that has seeds and reaches none waits and
 * tries for ever (the lonely rule): what it does not hear may be a whole cluster.
 */
import type { Problem } from "../base/problem.ts";
import type { Member, MemberId } from "../swim/member.ts";
import type { Chooser } from "./choose.ts";
import type { ClaimContext } from "./context.ts";
import { type Next, Stage } from "./stage.ts";

/** Members heard before choosing, if there are so many. */
const SYNCS = 3;
/** How long after the first sync the others are waited for: a round trip anywhere, and a lost packet. */
const FURTHER_MS = 1_000;
/** How long nobody answers before that is said aloud. */
const LONELY_MS = 1_500;
/** Seeds named in a sentence; gossamer status lists them all. */
const NAMED_MAX = 3;

export class Listening extends Stage {
  readonly subnet = null;
  readonly #context: ClaimContext;
  readonly #chooser: Chooser;
  readonly #afresh: boolean;
  readonly #notBeforeMs: number;
  readonly #synced = new Set<MemberId>();
  readonly #asked = new Set<MemberId>();
  #deadlineMs = Infinity;
  #lonelyAtMs = Infinity;
  #isLonely = false;
  #isPrepared = false;

  constructor(
    context: ClaimContext,
    chooser: Chooser,
    next: { readonly afresh: boolean; readonly notBeforeMs: number },
  ) {
    super();
    this.#context = context;
    this.#chooser = chooser;
    this.#afresh = next.afresh;
    this.#notBeforeMs = next.notBeforeMs;
  }

  get state(): "listening" | "waiting" {
    return this.#isLonely ? "waiting" : "listening";
  }

  override get problem(): Problem | null {
    if (!this.#isLonely) return null;
    const { given, answered, silent } = this.#context.carrier.seeds();
    const isNobody = this.#alive().length === 0;
    const whom = silentText(silent);
    return {
      code: "nobody-heard",
      severity: "error",
      text: isNobody
        ? `No other host has answered yet${whom}, so it is not known which subnets are taken`
        : `Only hosts that do not know the cluster either have answered (${answered} of ${given} ` +
          `given with --join${whom}), so it is not known which subnets are taken`,
      remedy:
        `Start ${isNobody ? "one" : "more than half"} of the hosts given with --join or check ` +
        "their addresses; for the first host of all, and only for one, leave out --join or give --bootstrap",
    };
  }

  override wakeAtMs(): number {
    if (!this.#afresh) return this.#notBeforeMs;
    if (!this.#isPrepared) return -Infinity; // at once, see idle
    return Math.min(this.#deadlineMs, this.#lonelyAtMs);
  }

  override enter(nowMs: number): Next | null {
    if (!this.#afresh) return this.advance(nowMs);
    const { complete } = this.#context;
    // Before the first sync, membership itself is asking the seeds: see synced.
    if (complete && this.#alive().length > 0) {
      this.#deadlineMs = nowMs + FURTHER_MS;
      this.#askFurther();
      return null;
    }
    if (complete || !this.#context.hasOthers()) return this.#choose(nowMs);
    this.#lonelyAtMs = nowMs + LONELY_MS;
    return null;
  }

  override advance(nowMs: number): Next | null {
    if (!this.#afresh) return nowMs >= this.#notBeforeMs ? this.#chooser.choose(nowMs) : null;
    if (nowMs >= this.#deadlineMs) return this.#choose(nowMs);
    if (nowMs < this.#lonelyAtMs) return null;
    this.#lonelyAtMs = Infinity;
    if (this.#context.options.bootstrap) return this.#choose(nowMs);
    this.#isLonely = true;
    this.#context.own.open();
    return null;
  }

  /** While the first answers are on their way. */
  override idle(): void {
    if (this.#isPrepared) return;
    this.#isPrepared = true;
    this.#chooser.prepare();
  }

  override synced(nowMs: number, member: MemberId): Next | null {
    this.#synced.add(member);
    this.#lonelyAtMs = Infinity;
    this.#isLonely = false;
    if (this.#deadlineMs === Infinity) this.#deadlineMs = nowMs + FURTHER_MS;
    if (this.#isEnough()) return this.#choose(nowMs);
    this.#askFurther();
    return null;
  }

  #isEnough(): boolean {
    const missing = this.#alive().filter(({ id }) => !this.#synced.has(id));
    return missing.length === 0 || this.#synced.size >= SYNCS;
  }

  #askFurther(): void {
    const missing = this.#alive().filter(({ id }) => !this.#synced.has(id) && !this.#asked.has(id));
    const underWay = [...this.#asked].filter((id) => !this.#synced.has(id)).length;
    const wanted = SYNCS - this.#synced.size - underWay;
    for (const { id } of this.#context.random.sample(missing, Math.max(0, wanted))) {
      this.#asked.add(id);
      this.#context.carrier.requestSync(id);
    }
  }

  #choose(nowMs: number): Next {
    const { bootstrap } = this.#context.options;
    if (!this.#context.hasOthers() || bootstrap) this.#context.complete = true; // there is nobody to hear
    return this.#chooser.choose(nowMs);
  }

  #alive(): Member[] {
    return this.#context.others("alive");
  }
}

/** Which of the hosts given are waited for; empty when none was given. */
function silentText(silent: readonly string[]): string {
  if (silent.length === 0) return "";
  const more = silent.length - NAMED_MAX;
  const named = silent.slice(0, NAMED_MAX).join(", ");
  return `, nobody at ${named}${more > 0 ? ` and ${more} more` : ""}`;
}
