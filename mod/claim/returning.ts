/**
 * Returning with care: a host that was away for long, or whose last write is lost, hears others before it holds again what it
 * held. They may know that its subnet was taken meanwhile, and then it gives it up without ever having routed it.
 *
 * Who finds nobody holds again after a few seconds: the others may all be down, and then nobody has taken anything.
 */
import type { MemberId } from "../swim/member.ts";
import type { ClaimContext } from "./context.ts";
import type { ClaimRecord } from "./record.ts";
import { encodeRecord } from "./record_codec.ts";
import { type Next, Stage } from "./stage.ts";

/** Members heard, if there are so many. */
const SYNCS = 3;
/** How long after the first sync the others are waited for: a round trip anywhere, and a lost packet. */
const FURTHER_MS = 1_000;
/** How long nobody answers: seeds and remembered hosts are tried several times in it. */
const ALONE_MS = 4_000;

export class Returning extends Stage {
  readonly state = "listening";
  readonly subnet: string;
  readonly #context: ClaimContext;
  readonly #record: ClaimRecord;
  readonly #synced = new Set<MemberId>();
  readonly #asked = new Set<MemberId>();
  #deadlineMs = Infinity;

  /** @param record held before the restart. */
  constructor(context: ClaimContext, record: ClaimRecord) {
    super();
    this.#context = context;
    this.#record = record;
    this.subnet = record.subnet;
  }

  override wakeAtMs(): number {
    return this.#deadlineMs;
  }

  override enter(nowMs: number): Next | null {
    if (!this.#context.options.seedsGiven) return this.#hold(nowMs);
    this.#deadlineMs = nowMs + ALONE_MS;
    this.#context.own.open();
    return null;
  }

  override advance(nowMs: number): Next | null {
    return nowMs >= this.#deadlineMs ? this.#hold(nowMs) : null;
  }

  override synced(nowMs: number, member: MemberId): Next | null {
    this.#synced.add(member);
    const missing = this.#context.others("alive").filter(({ id }) => !this.#synced.has(id));
    if (missing.length === 0 || this.#synced.size >= SYNCS) return this.#hold(nowMs);
    this.#deadlineMs = Math.min(this.#deadlineMs, nowMs + FURTHER_MS);
    const fresh = missing.filter(({ id }) => !this.#asked.has(id));
    const wanted = SYNCS - this.#synced.size - (missing.length - fresh.length);
    for (const { id } of this.#context.random.sample(fresh, Math.max(0, wanted))) {
      this.#asked.add(id);
      this.#context.carrier.requestSync(id);
    }
    return null;
  }

  /** Held yields at once, before anything of it is shown, to a holder of higher rank. */
  #hold(nowMs: number): Next {
    this.#context.ledger.merge(nowMs, this.#record, encodeRecord(this.#record));
    return { to: "held" };
  }
}
