/**
 * Asking for a subnet. The claim goes by letter to everybody alive (above 64 members to the subnet's guardians); when all
 * agree it is held at once, else after a wait that is long enough for objections to arrive by gossip.
 */
import type { Endpoint } from "../base/core.ts";
import type { Problem } from "../base/problem.ts";
import type { Member, MemberId } from "../swim/member.ts";
import type { ClaimContext } from "./context.ts";
import { type ClaimAnswer, encodeRequest, idPrefix, LETTERS_MAX, seal } from "./messages.ts";
import { outranks } from "./order.ts";
import { type ClaimRecord, PINNED, STRONG, WEAK } from "./record.ts";
import { EPOCH_MAX, STAMP_MAX } from "./record_codec.ts";
import { GUARDIANS_NEEDED, guardiansOf } from "./rendezvous.ts";
import { type Reclaim, RECLAIM_WAITS } from "./reclaim.ts";
import { type Next, Stage, type Wanted } from "./stage.ts";

/**
 * When letters go out again to who has not answered: three times soon after the first, then steadily while objections are
 * waited for. At 5 % loss a letter or its answer is lost in 10 % of cases; with 64 members three tries would leave
 * somebody unheard in 6 % of claims, six tries in 0.006 %.
 */
const RETRY_AFTER_MS = [100, 300, 700];
const RETRY_EVERY_MS = 500;
/** The slow path also waits until nobody is suspect any more: longest suspicion, 72 s at 1000 members, and some. */
const SUSPECT_WAIT_MS_MAX = 90_000;
/**
 * Who was not woken for so long, though retries come every half second, stood still: stopped, suspended, starved. A wait
 * stretched by less still ends before the promises of those asked do, which last two waits of at least 3 s.
 */
const STOOD_STILL_MS = 3_000;
/**
 * A hold that needed longer than this to become durable is not used: somebody who was told of nothing may have waited for
 * objections meanwhile, for 3 s at least. Half of that leaves time for the news of a hold that was in time.
 */
const SLOW_DISK_MS = 1_500;
/**
 * Nor does it come too late while those who agreed say no to everybody else: for two waits of at least 3 s. A disk that takes
 * 4 s for each write, as a failing or overloaded one does, so has its subnet at the first attempt; that of a host which is
 * alone may take as long as it likes, until somebody is met who was not asked.
 */
const PROMISED_MS_MIN = 6_000;
/** Losing a choice a few times is bad luck; from then on pauses keep a crowd of newcomers from moving in step. */
const LOSSES_AT_ONCE = 3;
const PAUSE_MS_MIN = 200;
const PAUSE_MS_MAX = 2_000;
/** First wait after the disk refused, doubled each time up to the second. */
const DISK_RETRY_MS = 1_000;
const DISK_RETRY_MS_MAX = 30_000;

export class Tentative extends Stage {
  readonly state = "tentative";
  readonly subnet: string;
  readonly #context: ClaimContext;
  readonly #isLastResort: boolean;
  /** Given when the subnet belongs to absent hosts. */
  readonly #reclaim: Reclaim | null;
  readonly #epoch: number;
  readonly #stamp: number;
  /** Answered yes. */
  readonly #agreed = new Set<MemberId>();
  /** Named by somebody's answer though this host does not take them for alive; they must agree too. */
  readonly #named = new Set<MemberId>();
  /** Answers that name members quite unknown here: a sync must tell who they are before the fast path is open. */
  readonly #ahead = new Map<MemberId, ClaimAnswer>();
  #request: Uint8Array | null = null;
  /** Whom the request went to, and where. */
  #asked = new Map<MemberId, Endpoint>();
  #startedMs = Infinity;
  #retries = 0;
  #isConfirming = false;
  #confirmedMs = Infinity;
  /** Whether nobody was there when this host began to hold, nor since. */
  #isAlone = true;
  /** Of the last step. */
  #advancedMs = Infinity;

  constructor(context: ClaimContext, { subnet, isLastResort }: Wanted, reclaim: Reclaim | null) {
    super();
    this.#context = context;
    this.subnet = subnet;
    this.#isLastResort = isLastResort;
    this.#reclaim = reclaim;
    this.#epoch = Math.min(context.ledger.fence.of(subnet) + 1, EPOCH_MAX);
    this.#stamp = context.lamport = Math.min(context.lamport + 1, STAMP_MAX);
  }

  override get problem(): Problem | null {
    if (!this.#context.isDiskSlow) return null;
    return {
      code: "disk-slow",
      severity: "error",
      text:
        "The state directory takes seconds to save that this host holds a subnet, so long that " +
        "others may have taken it meanwhile",
      remedy: "Find out what keeps that disk busy, or give a faster one with --state-dir; this " +
        "host asks again all the time",
    };
  }

  override wakeAtMs(): number {
    if (this.#isConfirming) return this.#tooLateAtMs();
    if (this.#request === null) return Infinity;
    return Math.min(this.#retryAtMs(), this.#slowPathAtMs());
  }

  override enter(nowMs: number): Next | null {
    this.#lookAround();
    if (this.#isAlone && this.#reclaim === null) this.#confirm(nowMs); // nobody to ask
    else this.#propose("tentative", 0);
    return null;
  }

  override written(nowMs: number, record: ClaimRecord): Next | null {
    this.#context.diskRefusals = 0;
    if (record.state === "held") {
      this.#context.isDiskSlow = false;
      if (this.#reclaim !== null) this.#context.counters.reclaims++;
      this.#context.announce(record);
      return { to: "held" };
    }
    this.#startedMs = this.#advancedMs = nowMs;
    this.#retries = 0;
    this.#agreed.clear();
    this.#asked.clear();
    const sealed = seal(record);
    this.#request = encodeRequest(sealed, this.#isLastResort);
    this.#context.counters.requests++;
    this.#context.spread(sealed);
    return this.membersChanged(nowMs);
  }

  override refused(nowMs: number, reason: string): Next | null {
    const refusals = this.#context.diskRefusals++;
    const retryAtMs = nowMs + Math.min(DISK_RETRY_MS * 2 ** refusals, DISK_RETRY_MS_MAX);
    return {
      to: "waiting",
      wait: {
        code: "claim-not-saved",
        text: `The claim of ${this.subnet} cannot be written to the state directory (${reason})`,
        remedy: "Make room there or repair it; it is tried again all the time",
        retryAtMs,
      },
    };
  }

  override advance(nowMs: number): Next | null {
    if (this.#isConfirming) {
      if (nowMs >= this.#tooLateAtMs()) {
        this.#context.isDiskSlow = true;
        this.#startOver();
      }
      return null;
    }
    if (this.#request === null) return null;
    const stoodStillMs = nowMs - this.#advancedMs;
    this.#advancedMs = nowMs;
    if (stoodStillMs > STOOD_STILL_MS) {
      this.#startOver();
      return null;
    }
    if (nowMs >= this.#retryAtMs()) {
      this.#retries++;
      this.#askAgain();
    }
    if (nowMs < this.#slowPathAtMs()) return null;
    if (this.#reclaim !== null && !this.#context.roster.isMajority(this.#agreed.size + 1)) {
      this.#reclaim.failed(nowMs);
      return this.#lose(nowMs);
    }
    this.#confirm(nowMs);
    return null;
  }

  /**
   * A rival that ranks higher, or holds already, wins: this host looks elsewhere. It asks anew when the fence rose to its
   * question: that counts for nothing now.
   */
  override recordsChanged(nowMs: number): Next | null {
    const { own: { latest: own }, ledger, hostId } = this.#context;
    if (own === null) return null;
    const rivals = ledger.occupants(this.subnet, hostId)
      .filter((rival) => !(this.#reclaim?.isGiven(rival) ?? false));
    const isLost = !ledger.stands(own) ||
      rivals.some((rival) =>
        rival.state !== "tentative" || !this.#isConfirming && outranks(rival, own)
      );
    return isLost ? this.#lose(nowMs) : null;
  }

  /** What is asked for may be reserved now, or kept for another host, or this host is to have another. */
  override poolChanged(nowMs: number): Next | null {
    const { hostId, pin, pools } = this.#context;
    const isWanted = pools.isForHost(this.subnet, hostId) &&
      (pin === null || pin === this.subnet);
    return isWanted ? null : this.#lose(nowMs);
  }

  override membersChanged(nowMs: number): Next | null {
    if (this.#reclaim !== null && !this.#reclaim.isOpen()) return this.#lose(nowMs);
    if (this.#isConfirming) this.#lookAround();
    if (this.#request === null || this.#isConfirming) return null;
    this.#askNew();
    if (this.#isFastPathOpen()) this.#confirm(nowMs);
    return null;
  }

  override synced(nowMs: number, member: MemberId): Next | null {
    const answer = this.#ahead.get(member);
    if (answer !== undefined) this.#noteNamed(answer);
    this.#ahead.delete(member);
    return this.membersChanged(nowMs);
  }

  override answered(nowMs: number, answer: ClaimAnswer): Next | null {
    const own = this.#context.own.announced;
    if (this.#request === null || own === null || answer.claimant !== own.hostId) return null;
    if (answer.generation !== own.generation || answer.sequence !== own.sequence) return null;
    this.#context.counters.answersReceived[answer.verdict.kind]++;
    // A busy record or a fence was taken into the ledger and decides there. A tentative one that ranks lower gives way as
    // soon as its host hears of ours, which the answering member sees to; its yes follows. What rests is left alone.
    if (answer.verdict.kind === "resting" && !this.#isLastResort) return this.#lose(nowMs);
    if (answer.verdict.kind !== "yes") return this.recordsChanged(nowMs);
    this.#agreed.add(answer.sender);
    this.#heedNames(answer);
    return this.membersChanged(nowMs);
  }

  /** Members whom this host does not ask, but others know, may hold what this host wants. */
  #heedNames(answer: ClaimAnswer): void {
    const { sender } = answer;
    const isAhead = answer.members === null ? !this.#isGuarded() : !this.#noteNamed(answer);
    if (!isAhead || this.#ahead.has(sender)) return;
    this.#ahead.set(sender, answer);
    this.#context.carrier.requestSync(sender);
  }

  /** Notes who must be asked because of an answer; false when it names somebody unknown. */
  #noteNamed({ members }: ClaimAnswer): boolean {
    const { carrier, hostId } = this.#context;
    const known = new Map(carrier.members().map(({ id }) => [idPrefix(id), id]));
    for (const prefix of members ?? []) {
      const id = known.get(prefix);
      if (id !== undefined && id !== hostId) this.#named.add(id);
    }
    return members?.every((prefix) => known.has(prefix)) ?? true;
  }

  /** A reclaim needs a majority's leave, so that everybody is asked, however many. */
  #isGuarded(): boolean {
    return this.#reclaim === null && this.#context.others("alive").length > LETTERS_MAX;
  }

  /** Whom the claim must be put to. */
  #addressees(): readonly Member[] {
    const alive = this.#context.others("alive");
    if (this.#isGuarded()) return guardiansOf(this.subnet, alive);
    const named = this.#context.others("suspect", "dead").filter(({ id }) => this.#named.has(id));
    return [...alive, ...named];
  }

  #askNew(): void {
    const addressees = this.#addressees();
    const before = this.#asked;
    this.#asked = new Map(addressees.map(({ id, endpoint }) => [id, endpoint]));
    if (this.#request === null) return;
    for (const [id, endpoint] of this.#asked) {
      if (before.get(id) !== endpoint) this.#context.carrier.letter(endpoint, this.#request);
    }
  }

  #retryAtMs(): number {
    const soonMs = RETRY_AFTER_MS[this.#retries];
    if (soonMs !== undefined) return this.#startedMs + soonMs;
    const lastMs = RETRY_AFTER_MS.at(-1) ?? 0;
    const steady = this.#retries - RETRY_AFTER_MS.length + 1;
    return this.#startedMs + lastMs + steady * RETRY_EVERY_MS;
  }

  #askAgain(): void {
    if (this.#request === null) return;
    for (const [id, endpoint] of this.#asked) {
      if (!this.#agreed.has(id)) this.#context.carrier.letter(endpoint, this.#request);
    }
  }

  #isFastPathOpen(): boolean {
    if (this.#reclaim !== null) return false;
    const agreed = [...this.#asked.keys()].filter((id) => this.#agreed.has(id)).length;
    if (this.#isGuarded()) return agreed >= GUARDIANS_NEEDED;
    return agreed === this.#asked.size && this.#ahead.size === 0 &&
      this.#context.others("suspect").length === 0;
  }

  /** Never before the wait is over, and not while somebody is suspect: a suspect may be the holder. */
  #slowPathAtMs(): number {
    const waits = this.#reclaim === null ? 1 : RECLAIM_WAITS;
    const waitedMs = this.#startedMs + waits * this.#context.objectionWaitMs();
    const suspects = this.#context.others("suspect");
    return suspects.length === 0 ? waitedMs : waitedMs + SUSPECT_WAIT_MS_MAX;
  }

  /** What was not heard meanwhile proves nothing, and promises have run out. */
  #startOver(): void {
    this.#request = null;
    this.#isConfirming = false;
    this.#isAlone = true;
    this.#propose("tentative", 0);
  }

  /** From when on a hold that is not durable yet is not used. */
  #tooLateAtMs(): number {
    if (this.#isAlone) return Infinity;
    const lateMs = this.#confirmedMs + SLOW_DISK_MS;
    if (this.#agreed.size === 0) return lateMs;
    return Math.max(lateMs, this.#startedMs + PROMISED_MS_MIN - SLOW_DISK_MS);
  }

  #lookAround(): void {
    if (this.#context.others("alive", "suspect").length > 0) this.#isAlone = false;
  }

  #confirm(nowMs: number): void {
    this.#lookAround();
    this.#isConfirming = true;
    this.#confirmedMs = nowMs;
    const isMajority = this.#agreed.size > 0 &&
      this.#context.roster.isMajority(this.#agreed.size + 1);
    const pinned = this.#context.pin === this.subnet ? PINNED : 0;
    this.#propose("held", (isMajority ? STRONG : WEAK) + pinned);
  }

  #propose(state: "tentative" | "held", strength: number): void {
    const { subnet } = this;
    this.#context.own.propose({
      subnet,
      state,
      epoch: this.#epoch,
      strength,
      stamp: this.#stamp,
    });
  }

  #lose(nowMs: number): Next {
    this.#context.own.cancel();
    // The disk must not remember as held what was lost on the way there: a restart would take it for its own.
    if (this.#isConfirming) this.#context.own.open();
    this.#context.counters.choicesLost++;
    const losses = ++this.#context.losses;
    const pauseMs = losses <= LOSSES_AT_ONCE ? 0 : Math.min(
      PAUSE_MS_MAX,
      PAUSE_MS_MIN + this.#context.random.unit() * PAUSE_MS_MIN * losses,
    );
    return { to: "listening", afresh: false, notBeforeMs: nowMs + pauseMs };
  }
}
