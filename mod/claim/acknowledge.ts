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
  encodeAnswer,
  encodePush,
  idPrefix,
  LETTERS_MAX,
  seal,
  type SealedRecord,
} from "./messages.ts";
import { compareClaims, outranks } from "./order.ts";
import type { Promises } from "./promises.ts";
import { type ClaimRecord, isSameWrite } from "./record.ts";

/** A promise outlives the claimant's longest wait: twice the wait that this host would have. */
const PROMISE_WAITS = 2;
/** Requests put off at once; a claimant asks again anyway. */
const DEFERRED_MAX = 64;
/** After this the claimant has gone the slow way. */
const DEFERRED_MS_MAX = 5_000;

interface Deferred {
  readonly from: Endpoint;
  readonly claim: ClaimRecord;
  /** The rival that it was told of, and that was told of it. */
  readonly busy: ClaimRecord | null;
  readonly untilMs: number;
}

/** Yes, no with the record in the way, or not yet. */
type Verdict =
  | { readonly kind: "yes" }
  | { readonly kind: "busy"; readonly record: ClaimRecord }
  | { readonly kind: "later" };

export class Acknowledger {
  readonly #context: ClaimContext;
  readonly #promises: Promises;
  readonly #deferred = new Map<MemberId, Deferred>();

  constructor(context: ClaimContext, promises: Promises) {
    this.#context = context;
    this.#promises = promises;
  }

  /** Answers a tentative claim that was taken into the ledger before. */
  asked(nowMs: number, from: Endpoint, claim: ClaimRecord): void {
    if (!this.#isLatest(claim)) return; // it wants something else by now
    const verdict = this.#verdict(nowMs, claim);
    if (verdict.kind === "later") return this.#defer(nowMs, from, claim, null);
    if (verdict.kind === "busy") return this.#refuse(nowMs, from, claim, verdict.record);
    this.#deferred.delete(claim.hostId);
    const untilMs = nowMs + PROMISE_WAITS * this.#context.objectionWaitMs();
    if (this.#promises.make(claim, untilMs)) this.#answer(from, claim, null);
  }

  /** Something changed: answers those that could not be answered before. */
  reconsider(nowMs: number): void {
    for (const [claimant, deferred] of [...this.#deferred]) {
      const { from, claim, untilMs } = deferred;
      if (untilMs <= nowMs || !this.#isLatest(claim)) this.#deferred.delete(claimant);
      else if (!this.#isAsBefore(nowMs, deferred)) this.asked(nowMs, from, claim);
    }
  }

  /** Whether nothing else can be said than was said already: most news are about other subnets. */
  #isAsBefore(nowMs: number, { claim, busy }: Deferred): boolean {
    const verdict = this.#verdict(nowMs, claim);
    if (verdict.kind === "later") return true;
    return verdict.kind === "busy" && busy !== null && isSameWrite(verdict.record, busy);
  }

  /** Whether the claimant has written nothing since. */
  #isLatest(claim: ClaimRecord): boolean {
    const known = this.#context.ledger.entry(claim.hostId)?.record;
    return known !== undefined && isSameWrite(known, claim);
  }

  /** Says no. If that may change because the rival ranks lower, the rival is told, and the claimant hears again. */
  #refuse(nowMs: number, from: Endpoint, claim: ClaimRecord, busy: ClaimRecord): void {
    const { carrier } = this.#context;
    if (busy.state === "tentative" && outranks(claim, busy)) {
      if (!this.#deferred.has(claim.hostId)) this.#answer(from, claim, busy);
      this.#defer(nowMs, from, claim, busy);
      const rival = carrier.member(busy.hostId);
      if (rival !== undefined) carrier.letter(rival.endpoint, encodePush([seal(claim)]));
      return;
    }
    this.#deferred.delete(claim.hostId);
    this.#answer(from, claim, busy);
  }

  #verdict(nowMs: number, claim: ClaimRecord): Verdict {
    const context = this.#context;
    if (!context.complete) return { kind: "later" };
    const { sought } = context;
    if (sought !== null && cidrsOverlap(sought, claim.subnet)) {
      // Nothing is said of a record that is not yet safe on disk.
      const record = context.own.announced;
      if (context.own.isPending || record === null) return { kind: "later" };
      return { kind: "busy", record };
    }
    const rivals = context.ledger.occupants(claim.subnet, claim.hostId)
      .filter((record) => record.hostId !== context.hostId)
      .filter((record) => record.state !== "tentative" || compareClaims(record, claim) > 0)
      .sort((one, other) => compareClaims(other, one));
    const record = rivals[0] ?? this.#promises.rivalOf(nowMs, claim);
    return record === null ? { kind: "yes" } : { kind: "busy", record };
  }

  #defer(nowMs: number, from: Endpoint, claim: ClaimRecord, busy: ClaimRecord | null): void {
    const before = this.#deferred.get(claim.hostId);
    if (this.#deferred.size >= DEFERRED_MAX && before === undefined) return;
    const untilMs = before !== undefined && isSameWrite(before.claim, claim)
      ? before.untilMs
      : nowMs + DEFERRED_MS_MAX;
    this.#deferred.set(claim.hostId, { from, claim, busy, untilMs });
  }

  #answer(to: Endpoint, claim: ClaimRecord, busy: ClaimRecord | null): void {
    const context = this.#context;
    const members = context.others("alive", "suspect").filter(({ id }) => id !== claim.hostId);
    const answer = encodeAnswer({
      kind: "answer",
      sender: context.hostId,
      claimant: claim.hostId,
      generation: claim.generation,
      sequence: claim.sequence,
      busy: busy === null ? null : seal(busy),
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
