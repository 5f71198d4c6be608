/**
 * Whether this host has heard the cluster: whom it asks for that, and what counts as an answer.
 *
 * Who has heard it passes it on. Hosts that have not, and hear only each other, may be a new cluster, or newcomers at the
 * edge of one that they cannot see. They count each other as the cluster only when each is certain for itself: more than
 * half of those it was given to join through have answered, itself included if it is one of them; or it remembers the
 * cluster from before, and more than half of that is there. Whoever is not is named to the others. So a newcomer whose only seed is away for a while does not
 * become a cluster with one that joins through it.
 */
import type { MemberId } from "../swim/member.ts";
import type { ClaimContext } from "./context.ts";
import { type Heard, SILENT_MAX } from "./sync_messages.ts";

/** How soon a member is asked for its state when no sync of membership's own brought one, and how often again. */
const SEEK_AFTER_MS = 50;
const SEEK_AGAIN_MS = 1_000;
/** So many are asked at a time: hosts that all start at once wait for each other's word, and one a second takes too long. */
const SEEKS_AT_ONCE = 8;
/**
 * Hosts that have not heard the cluster themselves count only after this, and are asked again meanwhile: their own seed may
 * be one lost packet away, which TCP sends again after a second.
 */
const HEARSAY_MS = 1_200;
const HEARSAY_AGAIN_MS = 200;
/**
 * A host that held a subnet before this start, be it under another identity, knows what was claimed. When the others do not
 * come back, it stops waiting for most of them: by then membership has tried each one twice, and its cluster may be one half
 * of a partition.
 */
const REMEMBERED_MS = 60_000;

export class Hearing {
  readonly #context: ClaimContext;
  #seekAtMs = Infinity;
  /** Members that had not heard the cluster either, by the last state of theirs that came. */
  readonly #hearsay = new Map<MemberId, "no" | "silent">();
  /** Members that others found silent, and whose own word did not come yet. */
  readonly #doubted = new Set<MemberId>();
  #hearsaySinceMs = Infinity;
  #beganMs = Infinity;

  constructor(context: ClaimContext) {
    this.#context = context;
  }

  /** The first step, or the first after this host came back from a leave. */
  begin(nowMs: number): void {
    this.#beganMs = nowMs;
    this.#hearsay.clear();
    this.#doubted.clear();
    this.#hearsaySinceMs = Infinity;
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
  told(member: MemberId, heard: Heard, silent: readonly MemberId[]): void {
    this.#doubted.delete(member);
    if (heard === "yes") this.#hearsay.delete(member);
    else this.#hearsay.set(member, heard);
    // A host's own word counts more than what others say of it.
    for (const other of silent) {
      if (other !== this.#context.hostId && !this.#hearsay.has(other)) this.#doubted.add(other);
    }
  }

  /** Members that keep this host from counting on hearsay: it tells others of them, who may not have met them. */
  silent(): MemberId[] {
    return this.#context.others("alive").map(({ id }) => id).filter((id) => this.#isSilent(id))
      .slice(0, SILENT_MAX);
  }

  /** A sync with that member has ended; whether this host may now say that it has heard the cluster. */
  synced(nowMs: number, member: MemberId): boolean {
    if (!this.#context.complete && this.#hearsay.has(member)) {
      // Two newcomers that confirm each other's ignorance would both take what the cluster has.
      this.#hearsaySinceMs = Math.min(this.#hearsaySinceMs, nowMs);
      const isEarly = nowMs < this.#hearsaySinceMs + HEARSAY_MS;
      if (isEarly || !this.#isAgreed()) {
        this.#seekAtMs = nowMs + (isEarly ? HEARSAY_AGAIN_MS : SEEK_AGAIN_MS);
        return false;
      }
    }
    this.#context.complete = true;
    this.#seekAtMs = Infinity;
    this.#hearsay.clear();
    return true;
  }

  /** Asks somebody for all they know, when it is time. */
  advance(nowMs: number): void {
    if (nowMs < this.#seekAtMs) return;
    const alive = this.#context.others("alive");
    // Who is silent is waited for; who was not heard yet may know. The others have said what they have to say.
    const awaited = alive.filter(({ id }) => this.#isSilent(id) || !this.#hearsay.has(id));
    const asked = awaited.length > 0
      ? this.#context.random.sample(awaited, SEEKS_AT_ONCE)
      : this.#context.random.sample(alive, 1);
    this.#seekAtMs = asked.length === 0 ? Infinity : nowMs + SEEK_AGAIN_MS;
    for (const { id } of asked) this.#context.carrier.requestSync(id);
  }

  /** Whether those who have heard nobody either are the cluster, as far as this host can tell. */
  isCertain(): boolean {
    const { carrier, options, nowMs } = this.#context;
    const { given, answered } = carrier.seeds();
    if (given > 0 && 2 * answered > given) return true;
    // A founder that comes back without a claim: everybody it knows of is there.
    if (given === 0 && carrier.missing().length === 0) return true;
    const { restored } = options;
    const remembers = restored !== null &&
      (restored.record !== null || carrier.missing().length > 0);
    if (remembers && this.#context.roster.seesMajority()) return true;
    const hasHeld = restored?.record?.state === "held" || (restored?.previous ?? null) !== null;
    return hasHeld && nowMs >= this.#beganMs + REMEMBERED_MS;
  }

  /** Who else is there must be as certain. */
  #isAgreed(): boolean {
    return this.isCertain() && this.silent().length === 0;
  }

  #isSilent(id: MemberId): boolean {
    return this.#hearsay.get(id) === "silent" || this.#doubted.has(id);
  }
}
