/**
 * The answering side of a claim. A member says yes to one claimant per subnet, and only when it knows what it talks about:
 * after its own first full sync, and never for a subnet that it claims or seeks itself. Who cannot be answered yet is
 * answered as soon as possible.
 */
import type { Endpoint } from "../base/core.ts";
import { cidrsOverlap } from "../address/network.ts";
import type { MemberId } from "../swim/member.ts";
import type { ClaimContext } from "./context.ts";
import {
  type ClaimRequest,
  encodeAnswer,
  encodePush,
  idPrefix,
  LETTERS_MAX,
  RESTING_S_MAX,
  seal,
  type SealedRecord,
  type Verdict,
} from "./messages.ts";
import { compareClaims, outranks } from "./order.ts";
import type { PoolSpread } from "./pool_spread.ts";
import type { Promises } from "./promises.ts";
import { type ClaimRecord, isSameWrite } from "./record.ts";

/** A promise outlives the claimant's longest wait: twice the wait that this host would have, twice that for a reclaim. */
const PROMISE_WAITS = 2;
const PROMISE_WAITS_RECLAIM = 4;
/** Requests put off at once; a claimant asks again anyway. */
const DEFERRED_MAX = 64;
/** After this the claimant has gone the slow way. */
const DEFERRED_MS_MAX = 5_000;

interface Deferred {
  readonly from: Endpoint;
  readonly request: ClaimRequest;
  /** The rival that it was told of, and that was told of it. */
  readonly busy: ClaimRecord | null;
  readonly untilMs: number;
}

/** What to say, or nothing yet. */
type Decision = Verdict | { readonly kind: "later" };

export class Acknowledger {
  readonly #context: ClaimContext;
  readonly #promises: Promises;
  readonly #pools: PoolSpread;
  readonly #deferred = new Map<MemberId, Deferred>();

  constructor(context: ClaimContext, promises: Promises, pools: PoolSpread) {
    this.#context = context;
    this.#promises = promises;
    this.#pools = pools;
  }

  /** Answers a tentative claim that was taken into the ledger before. */
  asked(nowMs: number, from: Endpoint, request: ClaimRequest): void {
    const claim = request.claim.record;
    if (!this.#isLatest(claim)) return; // it wants something else by now
    // Who asks for what was reserved or given to another host meanwhile is told so, and then asks for something else.
    if (this.#pools.correct(from, claim)) return;
    const decision = this.#decide(nowMs, request);
    if (decision.kind === "later") return this.#defer(nowMs, from, request, null);
    if (decision.kind === "busy") return this.#refuse(nowMs, from, request, decision.claim);
    this.#deferred.delete(claim.hostId);
    if (decision.kind === "yes") {
      const waits = request.isLastResort ? PROMISE_WAITS_RECLAIM : PROMISE_WAITS;
      if (!this.#promises.make(claim, nowMs + waits * this.#context.objectionWaitMs())) return;
    }
    this.#answer(from, claim, decision);
  }

  /** Something changed: answers those that could not be answered before. */
  reconsider(nowMs: number): void {
    for (const [claimant, deferred] of [...this.#deferred]) {
      const { from, request, untilMs } = deferred;
      const isOver = untilMs <= nowMs || !this.#isLatest(request.claim.record);
      if (isOver) this.#deferred.delete(claimant);
      else if (!this.#isAsBefore(nowMs, deferred)) this.asked(nowMs, from, request);
    }
  }

  /** Whether nothing else can be said than was said already: most news are about other subnets. */
  #isAsBefore(nowMs: number, { request, busy }: Deferred): boolean {
    const decision = this.#decide(nowMs, request);
    if (decision.kind === "later") return true;
    return decision.kind === "busy" && busy !== null && isSameWrite(decision.claim.record, busy);
  }

  /** Whether the claimant has written nothing since. */
  #isLatest(claim: ClaimRecord): boolean {
    const known = this.#context.ledger.entry(claim.hostId)?.record;
    return known !== undefined && isSameWrite(known, claim);
  }

  /** Says no. If that may change because the rival ranks lower, the rival is told, and the claimant hears again. */
  #refuse(nowMs: number, from: Endpoint, request: ClaimRequest, busy: SealedRecord): void {
    const { carrier } = this.#context;
    const claim = request.claim.record;
    const verdict: Verdict = { kind: "busy", claim: busy };
    if (busy.record.state === "tentative" && outranks(claim, busy.record)) {
      if (!this.#deferred.has(claim.hostId)) this.#answer(from, claim, verdict);
      this.#defer(nowMs, from, request, busy.record);
      const rival = carrier.member(busy.record.hostId);
      if (rival !== undefined) carrier.letter(rival.endpoint, encodePush([request.claim]));
      return;
    }
    this.#deferred.delete(claim.hostId);
    this.#answer(from, claim, verdict);
  }

  #decide(nowMs: number, { claim: { record: claim }, isLastResort }: ClaimRequest): Decision {
    const context = this.#context;
    const { absence, ledger } = context;
    if (!context.complete) return { kind: "later" };
    const { sought } = context;
    if (sought !== null && cidrsOverlap(sought, claim.subnet)) {
      // Nothing is said of a record that is not yet safe on disk.
      const record = context.own.announced;
      if (context.own.isPending || record === null) return { kind: "later" };
      return { kind: "busy", claim: seal(record) };
    }
    const rivals = ledger.occupants(claim.subnet, claim.hostId)
      .filter((record) => record.hostId !== context.hostId)
      .filter((record) => record.state !== "tentative" || compareClaims(record, claim) > 0)
      .filter((record) => !isLastResort || !absence.isReclaimable(record))
      .sort((one, other) => compareClaims(other, one));
    if (rivals[0] !== undefined) return { kind: "busy", claim: seal(rivals[0]) };
    // What counts for nothing everywhere else must not be agreed to.
    if (!ledger.stands(claim)) return { kind: "fenced", epoch: ledger.fence.of(claim.subnet) };
    const restsMs = ledger.quarantine.untilMs(claim.subnet, claim.hostId) - nowMs;
    if (restsMs > 0 && !isLastResort) {
      return { kind: "resting", seconds: Math.min(RESTING_S_MAX, Math.ceil(restsMs / 1000)) };
    }
    const promised = this.#promises.rivalOf(nowMs, claim);
    return promised === null ? { kind: "yes" } : { kind: "busy", claim: seal(promised) };
  }

  #defer(nowMs: number, from: Endpoint, request: ClaimRequest, busy: ClaimRecord | null): void {
    const claim = request.claim.record;
    const before = this.#deferred.get(claim.hostId);
    if (this.#deferred.size >= DEFERRED_MAX && before === undefined) return;
    const untilMs = before !== undefined && isSameWrite(before.request.claim.record, claim)
      ? before.untilMs
      : nowMs + DEFERRED_MS_MAX;
    this.#deferred.set(claim.hostId, { from, request, busy, untilMs });
  }

  #answer(to: Endpoint, claim: ClaimRecord, verdict: Verdict): void {
    const context = this.#context;
    context.counters.answersSent[verdict.kind]++;
    const members = context.others("alive", "suspect").filter(({ id }) => id !== claim.hostId);
    const answer = encodeAnswer({
      kind: "answer",
      sender: context.hostId,
      claimant: claim.hostId,
      generation: claim.generation,
      sequence: claim.sequence,
      verdict,
      members: members.length > LETTERS_MAX ? null : members.map(({ id }) => idPrefix(id)),
      tentative: this.#tentative(claim),
    }, context.carrier.letterBytesMax);
    context.carrier.letter(to, answer);
  }

  /** Tentative claims of others, those on the same subnet first. */
  #tentative(claim: ClaimRecord): SealedRecord[] {
    const same: SealedRecord[] = [];
    const rest: SealedRecord[] = [];
    for (const { record, bytes } of this.#context.ledger.entries()) {
      if (record.state !== "tentative" || record.hostId === claim.hostId) continue;
      (cidrsOverlap(record.subnet, claim.subnet) ? same : rest).push({ record, bytes });
    }
    return [...same, ...rest];
  }
}
