/**
 * Holding a subnet: refuting whoever asks for it, deciding contests with other holders by the order, and raising the epoch
 * when one is over. Until it yields, this claim's rank only rises.
 */
import type { MemberId } from "../swim/member.ts";
import type { ClaimContext } from "./context.ts";
import { explainOrder, outranks } from "./order.ts";
import { type ClaimRecord, isSameVtep, occupies, PINNED, STRONG } from "./record.ts";
import { EPOCH_MAX } from "./record_codec.ts";
import { type Next, Stage } from "./stage.ts";

/** Between attempts at a write that the disk refused. */
const DISK_RETRY_MS = 5_000;
/**
 * How long losers that never yield must be away before the contest with them is over without them: longer than what it
 * takes after a split until all know again who is there.
 */
const GONE_MS = 60_000;
/** Membership wakes a host every second, every five with the slowest profile; one that was not woken for so long stood still. */
const STOOD_STILL_MS = 10_000;
/**
 * So long it then hears others before it answers questions and goes above the fence: those that came first are as old as its
 * stand-still, and who asked them may hold the subnet by now, with everybody's leave.
 */
const HEAR_MS = 1_000;
/** Members asked for that, if there are so many. */
const SYNCS = 3;

export class Held extends Stage {
  readonly state = "held";
  readonly subnet: string;
  readonly #context: ClaimContext;
  readonly #stamp: number;
  #epoch: number;
  #strength: number;
  /** Rivals whose hold was answered, by host. */
  readonly #contested = new Set<MemberId>();
  /** The last write of each rival that was told of our claim. */
  readonly #told = new Map<MemberId, ClaimRecord>();
  /** Since when a majority of the known hosts has been there without contest; Infinity while it is not. */
  #majoritySinceMs = Infinity;
  #retryAtMs = Infinity;
  /** Since when all who hold this subnet besides us rank lower and are away; Infinity while that is not so. */
  #goneSinceMs = Infinity;
  /** Of the last step. */
  #steppedMs = Infinity;
  /** Until others were heard after a stand-still; and whether something waits for that. */
  #notBeforeMs = -Infinity;
  #isPutOff = false;

  /** @param record held, of this process or as restored from disk. */
  constructor(context: ClaimContext, record: ClaimRecord) {
    super();
    this.#context = context;
    this.subnet = record.subnet;
    this.#stamp = record.stamp;
    this.#epoch = record.epoch;
    this.#strength = record.strength;
    this.#strengthen();
  }

  override wakeAtMs(): number {
    return Math.min(this.#retryAtMs, this.#upgradeAtMs(), this.#decideAtMs());
  }

  override enter(nowMs: number): Next | null {
    const context = this.#context;
    this.#steppedMs = nowMs;
    context.losses = 0;
    context.reclaimFailures = 0;
    if (context.previous !== null && context.previous !== this.subnet) {
      context.counters.renumberings++;
      context.emit({ kind: "renumbered", old: context.previous, new: this.subnet });
    }
    context.previous = null;
    return this.#decide(nowMs);
  }

  override advance(nowMs: number): Next | null {
    this.#noticeStandstill(nowMs);
    if (nowMs >= this.#retryAtMs) {
      this.#retryAtMs = Infinity;
      this.#rewriteIfChanged();
    }
    if (nowMs >= this.#decideAtMs()) {
      return this.#isPutOff ? this.#heard(nowMs) : this.#decide(nowMs);
    }
    if (nowMs < this.#upgradeAtMs()) return null;
    this.#majoritySinceMs = Infinity;
    this.#strength += 1; // weak to strong, pinned or not
    this.#rewriteIfChanged();
    return null;
  }

  override recordsChanged(nowMs: number): Next | null {
    this.#noticeStandstill(nowMs);
    return this.#decide(nowMs);
  }

  override synced(nowMs: number, _member: MemberId): Next | null {
    return this.#isPutOff ? this.#heard(nowMs) : null;
  }

  override membersChanged(nowMs: number): Next | null {
    this.#noticeStandstill(nowMs);
    if (this.#contested.size > 0) return this.#decide(nowMs);
    this.#watchMajority(nowMs);
    return null;
  }

  override written(nowMs: number, record: ClaimRecord): Next | null {
    this.#context.diskRefusals = 0;
    this.#context.problems.delete("claim-not-saved");
    this.#context.announce(record);
    this.#watchMajority(nowMs);
    return null;
  }

  override refused(nowMs: number, reason: string): Next | null {
    this.#context.diskRefusals++;
    this.#context.problems.set("claim-not-saved", {
      code: "claim-not-saved",
      severity: "error",
      text: `A change of this host's claim cannot be written to the state directory (${reason}), ` +
        "so other hosts are not told of it",
      remedy: "Make room there or repair it; it is tried again all the time",
    });
    this.#retryAtMs = nowMs + DISK_RETRY_MS;
    return null;
  }

  /** Newly pinned, a hold ranks higher; a pin taken back leaves its rank as it is. */
  override poolChanged(nowMs: number): Next | null {
    this.#strengthen();
    return this.#decide(nowMs);
  }

  override vtepChanged(_nowMs: number): Next | null {
    this.#rewriteIfChanged();
    return null;
  }

  #strengthen(): void {
    if (this.#context.pin === this.subnet && this.#strength < PINNED) this.#strength += PINNED;
  }

  /** Whether operators gave this subnet to another host. */
  #isPinnedAway(): boolean {
    const { pools, hostId } = this.#context;
    return (pools.pinnedTo(this.subnet) ?? hostId) !== hostId;
  }

  #decide(nowMs: number): Next | null {
    const { ledger, roster, hostId } = this.#context;
    if (this.#isPinnedAway()) return { to: "yielding" };
    // What an absent host left below the fence is no contest; a present one is about to write anew.
    const rivals = ledger.overlapping(this.subnet, hostId)
      .filter((rival) =>
        occupies(rival) && (ledger.stands(rival) || roster.isPresent(rival.hostId))
      );
    const holders = rivals.filter(({ state }) => state === "held");
    const winner = this.#winnerOverUs(holders);
    if (winner !== null) return this.#lose(winner);
    if (
      nowMs < this.#notBeforeMs && (rivals.length > 0 || ledger.fence.of(this.subnet) > this.#epoch)
    ) {
      this.#putOff();
      return null;
    }
    for (const rival of rivals) {
      const isRefuted = rival.state === "tentative" && rival.epoch > this.#epoch;
      if (isRefuted) this.#context.counters.refutes++;
      // A question with a higher epoch: answered by holding at that epoch, before it can become more than a question.
      if (rival.state === "tentative") this.#epoch = Math.max(this.#epoch, rival.epoch);
      if (rival.state !== "yielding") this.#answer(rival);
    }
    for (const rival of rivals) {
      // Who yields at our epoch lost to us, though its hold was overtaken on the way here by the news of its end.
      const isContest = rival.state === "held" ||
        rival.state === "yielding" && rival.epoch >= this.#epoch;
      if (isContest) this.#contest(rival);
    }
    this.#raise(nowMs, holders);
    this.#rewriteIfChanged();
    this.#watchMajority(nowMs);
    return null;
  }

  #noticeStandstill(nowMs: number): void {
    if (nowMs - this.#steppedMs > STOOD_STILL_MS) this.#notBeforeMs = nowMs + HEAR_MS;
    this.#steppedMs = nowMs;
  }

  /** When to look anew at who else holds this subnet though nothing new is known. */
  #decideAtMs(): number {
    return this.#isPutOff ? this.#notBeforeMs : this.#goneSinceMs + GONE_MS;
  }

  #putOff(): void {
    if (this.#isPutOff) return;
    this.#isPutOff = true;
    const { carrier, random, roster } = this.#context;
    for (const { id } of random.sample(roster.others("alive"), SYNCS)) carrier.requestSync(id);
  }

  #heard(nowMs: number): Next | null {
    this.#isPutOff = false;
    this.#notBeforeMs = -Infinity;
    return this.#decide(nowMs);
  }

  /** The holder to whom this host must yield: an owner by the order that outranks us. */
  #winnerOverUs(holders: readonly ClaimRecord[]): ClaimRecord | null {
    const own = this.#context.own.latest;
    if (own === null) return null;
    const { ledger } = this.#context;
    return holders.find((rival) =>
      ledger.isOwner(rival.hostId) && outranks(rival, own) && !this.#isToYieldToUs(rival)
    ) ?? null;
  }

  /** Operators gave this subnet to this host, and the rival will learn of it: were both to yield, none would have it. */
  #isToYieldToUs(rival: ClaimRecord): boolean {
    const { pools, hostId } = this.#context;
    return pools.pinnedTo(this.subnet) === hostId && rival.poolDigest === pools.baseDigest &&
      rival.poolVersion <= pools.pool.version;
  }

  #lose(winner: ClaimRecord): Next {
    this.#noteConflict(winner, winner.hostId);
    return { to: "yielding" };
  }

  #contest(rival: ClaimRecord): void {
    if (this.#contested.has(rival.hostId)) return;
    this.#contested.add(rival.hostId);
    this.#noteConflict(rival, this.#context.hostId);
  }

  #noteConflict(rival: ClaimRecord, winner: MemberId): void {
    const context = this.#context;
    const own = context.own.latest;
    if (own === null) return;
    context.conflicts++;
    if (winner === rival.hostId) context.counters.conflictsLost++;
    else context.counters.conflictsWon++;
    context.emit({
      kind: "conflict",
      subnet: this.subnet,
      winner,
      loser: winner === rival.hostId ? context.hostId : rival.hostId,
      why: explainOrder(rival, own),
    });
  }

  /**
   * Once nobody else holds the subnet: if somebody did, above our epoch or in a contest with us, we go above all that, and a
   * loser that comes back from an old disk loses again. Earlier only when all holders are below the fence, where none of
   * them is the owner: the highest one then goes above it, or they would wait for each other; and when the losers are gone
   * for good, since who still routes to one of them would do so for ever.
   */
  #raise(nowMs: number, holders: readonly ClaimRecord[]): void {
    const { own: { latest: own }, ledger } = this.#context;
    const fence = ledger.fence.of(this.subnet);
    const isHighest = own !== null && holders.every((rival) => outranks(own, rival));
    const isToStay = own !== null &&
      holders.every((rival) => outranks(own, rival) || this.#isToYieldToUs(rival));
    const areGone = this.#areGone(nowMs, isToStay ? holders : []);
    if (this.#contested.size === 0 && fence <= this.#epoch) return;
    if (holders.length > 0 && !areGone && !(isHighest && fence > this.#epoch)) return;
    if (holders.length === 0 || areGone) this.#contested.clear();
    this.#goneSinceMs = Infinity;
    this.#epoch = Math.min(Math.max(fence, this.#epoch) + 1, EPOCH_MAX);
    this.#context.counters.raises++;
  }

  /** Whether none of these losers has been there for a while. */
  #areGone(nowMs: number, losers: readonly ClaimRecord[]): boolean {
    const { roster } = this.#context;
    const isAnyThere = losers.some(({ hostId }) => roster.isPresent(hostId));
    if (losers.length === 0 || isAnyThere) this.#goneSinceMs = Infinity;
    else this.#goneSinceMs = Math.min(this.#goneSinceMs, nowMs);
    return nowMs >= this.#goneSinceMs + GONE_MS;
  }

  /** Tells a rival of our claim, once for each of its writes. */
  #answer(rival: ClaimRecord): void {
    const told = this.#told.get(rival.hostId);
    if (told?.generation === rival.generation && told.sequence === rival.sequence) return;
    this.#told.set(rival.hostId, rival);
    this.#context.tell(rival.hostId);
  }

  #rewriteIfChanged(): void {
    const { own, vtep } = this.#context;
    const record = own.latest;
    const isSame = record !== null && record.generation === own.generation &&
      record.state === "held" && record.subnet === this.subnet && record.epoch === this.#epoch &&
      record.strength === this.#strength && isSameVtep(record.vtep, vtep);
    if (isSame || this.#retryAtMs < Infinity) return;
    own.propose({
      subnet: this.subnet,
      state: "held",
      epoch: this.#epoch,
      strength: this.#strength,
      stamp: this.#stamp,
    });
  }

  /** A weak claim becomes strong when a majority has been there for a wait without anybody contesting it. */
  #watchMajority(nowMs: number): void {
    const context = this.#context;
    const isStrong = this.#strength % PINNED >= STRONG;
    // Counted last: this is asked with every record that arrives.
    const isMajority = !isStrong && context.complete && this.#contested.size === 0 &&
      context.others("alive").length > 0 && context.roster.seesMajority();
    this.#majoritySinceMs = isMajority ? Math.min(this.#majoritySinceMs, nowMs) : Infinity;
  }

  #upgradeAtMs(): number {
    if (this.#majoritySinceMs === Infinity) return Infinity;
    return this.#majoritySinceMs + this.#context.objectionWaitMs();
  }
}
