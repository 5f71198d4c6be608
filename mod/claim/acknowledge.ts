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
    const known = this.#context.ledger.entry(claim.hostId)?.record;
    if (known === undefined || !isSameWrite(known, claim)) return; // it wants something else by now
    const verdict = this.#verdict(nowMs, claim);
    if (verdict.kind === "later") return this.#defer(nowMs, from, claim);
    if (verdict.kind === "busy") return this.#refuse(nowMs, from, claim, verdict.record);
    this.#deferred.delete(claim.hostId);
    const untilMs = nowMs + PROMISE_WAITS * this.#context.objectionWaitMs();
    if (this.#promises.make(claim, untilMs)) this.#answer(from, claim, null);
  }

  /** Something changed: answers those that could not be answered before. */
  reconsider(nowMs: number): void {
    for (const [claimant, { from, claim, untilMs }] of [...this.#deferred]) {
      this.#deferred.delete(claimant);
      if (untilMs > nowMs) this.asked(nowMs, from, claim);
    }
  }

  /** Says no. If that may change because the rival ranks lower, the rival is told, and the claimant hears again. */
  #refuse(nowMs: number, from: Endpoint, claim: ClaimRecord, busy: ClaimRecord): void {
    const { carrier } = this.#context;
    if (busy.state === "tentative" && outranks(claim, busy)) {
      if (!this.#deferred.has(claim.hostId)) this.#answer(from, claim, busy);
      this.#defer(nowMs, from, claim);
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

  #defer(nowMs: number, from: Endpoint, claim: ClaimRecord): void {
    if (this.#deferred.size >= DEFERRED_MAX && !this.#deferred.has(claim.hostId)) return;
    const untilMs = this.#deferred.get(claim.hostId)?.untilMs ?? nowMs + DEFERRED_MS_MAX;
    this.#deferred.set(claim.hostId, { from, claim, untilMs });
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
