/** What must hold for outdated news: whoever passes on what was refuted, or does not know what is known of itself, is told so. */
import type { Member, MemberId } from "../swim/member.ts";
import type { Message } from "../wire/messages.ts";
import { type Life, type ObservedStep, ROUNDING_MS } from "./observed_step.ts";

/** The same thing is told to one host once in this time. */
const INTERVAL_MS = 1000;

export class CorrectionRules {
  /** When a host last had a reason to tell a member what is known of it. */
  readonly #reasons = new WeakMap<Life, Map<MemberId, number>>();

  check(step: ObservedStep): void {
    if (step.input.kind !== "packet" || step.snapshot.encryption !== null) return;
    const { from } = step.input;
    const refuted = step.received.filter((message) => this.#isRefuted(step, message));
    const unaware = step.received.flatMap((message) => this.#unaware(step, message, from));
    const isNew = unaware.filter((id) => this.#noteReason(step, id));
    // A packet is answered by one correction, whatever it holds; of many messages another may have been it.
    if (refuted.length + unaware.length !== 1 || step.received.length > 2) return;
    const [news] = refuted;
    const id = news !== undefined && "id" in news ? news.id : isNew[0];
    if (id === undefined) return;
    const isTold = step.sent.some(({ to, messages }) =>
      to === from && messages.some((message) => idOf(message) === id)
    );
    step.expect(isTold, "corrects", () => `does not tell ${from} what it knows of ${id}`);
  }

  /** Bad news of the host itself that it has outlived. */
  #isRefuted(step: ObservedStep, message: Message): boolean {
    const isBad = message.kind === "suspect" || message.kind === "dead" || message.kind === "left";
    const own = step.before(step.selfId);
    return isBad && message.id === step.selfId && own !== undefined &&
      message.incarnation < own.incarnation;
  }

  /** The member that says of itself what is outdated. */
  #unaware(step: ObservedStep, message: Message, from: string): MemberId[] {
    if (message.kind !== "alive" || message.record.endpoint !== from) return [];
    const known = step.before(message.record.id);
    if (known === undefined || known.id === step.selfId) return [];
    return isOutdated(message.record, known) ? [known.id] : [];
  }

  /** Whether there was no such reason for a while. */
  #noteReason(step: ObservedStep, id: MemberId): boolean {
    const reasons = this.#reasons.get(step.life) ?? new Map<MemberId, number>();
    this.#reasons.set(step.life, reasons);
    const lastMs = reasons.get(id) ?? -Infinity;
    reasons.set(id, step.localMs);
    return step.localMs - lastMs > INTERVAL_MS + ROUNDING_MS;
  }
}

function isOutdated(record: { incarnation: number; instance: string }, known: Member): boolean {
  if (record.incarnation > known.incarnation) return false;
  // An echo of an earlier word of the same process, which is believed alive, does no harm.
  return known.status !== "alive" || record.instance !== known.instance;
}

function idOf(message: Message): MemberId | undefined {
  if (message.kind === "alive") return message.record.id;
  return "id" in message ? message.id : undefined;
}
