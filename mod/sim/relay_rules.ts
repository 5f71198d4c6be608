/** What must hold for answers: every ping for a host is answered at once, and whoever asked for a ping hears what came of it. */
import type { Endpoint } from "../base/core.ts";
import type { SwimTimings } from "../swim/timings.ts";
import type { IndirectPing, Ping } from "../wire/probe_messages.ts";
import { type Life, type ObservedStep, ROUNDING_MS } from "./observed_step.ts";

/** A ping that a host sends for another, and owes an ack or a nack for. */
interface Relay {
  readonly asker: Endpoint;
  readonly askerSequence: number;
  readonly sinceMs: number;
  /** Of the ping that was sent; null when the target is not known. */
  readonly sequence: number | null;
}

/** Owed to one asker at once: a prober has one round at a time, and doubts beside it. */
const RELAYS_PER_ASKER = 4;

const NONE: ReadonlySet<Ping> = new Set();

/** The pings of a step that were sent because somebody asked for them in its input. */
export function pingsForOthers(step: ObservedStep): ReadonlySet<Ping> {
  const asked = step.received.filter(isIndirectPing).map(({ target }) => target);
  if (asked.length === 0) return NONE;
  const pings = new Set<Ping>();
  for (const { messages } of step.sent) {
    for (const message of messages) {
      const at = message.kind === "ping" ? asked.indexOf(message.target) : -1;
      if (at < 0 || message.kind !== "ping") continue;
      asked.splice(at, 1);
      pings.add(message);
    }
  }
  return pings;
}

export class RelayRules {
  readonly #timings: SwimTimings;
  readonly #relays = new WeakMap<Life, Relay[]>();

  constructor(timings: SwimTimings) {
    this.#timings = timings;
  }

  check(step: ObservedStep): void {
    const owed = this.#relays.get(step.life) ?? [];
    const relays = [...owed, ...this.#newRelays(step, owed)];
    this.#checkAnswers(step, relays);
    this.#relays.set(step.life, relays.filter((relay) => this.#isOwed(step, relay)));
  }

  #newRelays(step: ObservedStep, owed: readonly Relay[]): Relay[] {
    if (step.input.kind !== "packet") return [];
    const asker = step.input.from;
    // Who asks more often at once than an honest prober can is not served: it may be a forged sender.
    if (owed.filter((relay) => relay.asker === asker).length >= RELAYS_PER_ASKER) return [];
    const pings = [...pingsForOthers(step)];
    return step.received.filter(isIndirectPing).map(({ sequence, target }) => {
      const at = pings.findIndex((ping) => ping.target === target);
      const ping = at < 0 ? undefined : pings.splice(at, 1)[0];
      const isKnown = step.before(target) !== undefined && target !== step.selfId;
      step.expect(
        ping !== undefined || !isKnown || step.snapshot.self.status === "left",
        "relay-pings",
        () => `does not ping ${step.before(target)?.name} for ${asker}`,
      );
      const sentAs = ping?.sequence ?? null;
      return { asker, askerSequence: sequence, sinceMs: step.localMs, sequence: sentAs };
    });
  }

  /** A ping for this host is answered at once, one for another host never. */
  #checkAnswers(step: ObservedStep, relays: readonly Relay[]): void {
    if (step.input.kind !== "packet") return;
    const { from } = step.input;
    const acked = new Set<number>();
    let sent = 0;
    for (const { to, messages } of step.sent) {
      for (const message of messages) {
        if (message.kind !== "ack") continue;
        sent++;
        if (to === from) acked.add(message.sequence);
      }
    }
    let answerable = 0;
    for (const message of step.received) {
      if (message.kind === "ack" || message.kind === "ping") answerable++;
      if (message.kind !== "ping") continue;
      const isForUs = message.target === step.selfId;
      const isPassedOn = relays.some(({ askerSequence }) => askerSequence === message.sequence);
      step.expect(
        acked.has(message.sequence) === isForUs || isPassedOn,
        "ping-answer",
        () => isForUs ? `does not answer a ping of ${from}` : `answers a ping for another host`,
      );
    }
    step.expect(
      sent <= answerable,
      "ping-answer",
      () => `sends ${sent} acks for ${answerable} pings and acks`,
    );
  }

  /** Whoever asked hears an ack if there was one, else a nack before its own deadline. */
  #isOwed(step: ObservedStep, relay: Relay): boolean {
    const isAcked = step.received.some((message) =>
      message.kind === "ack" && message.sequence === relay.sequence
    );
    const answers = (kind: "ack" | "nack") =>
      step.sent.some(({ to, messages }) =>
        to === relay.asker &&
        messages.some((message) =>
          message.kind === kind && message.sequence === relay.askerSequence
        )
      );
    // Sealed, there may be no way yet to say so.
    const isExcused = step.snapshot.self.status === "left" || step.snapshot.encryption !== null;
    if (isAcked) {
      step.expect(
        isExcused || answers("ack"),
        "relay-ack",
        () => `keeps an ack from ${relay.asker}`,
      );
      return false;
    }
    if (answers("nack")) return false;
    const waitedMs = step.localMs - relay.sinceMs;
    const isOver = waitedMs > this.#timings.probeTimeoutMs + step.lateMs + ROUNDING_MS;
    step.expect(
      !isOver || isExcused,
      "relay-nack",
      () => `owes ${relay.asker} a nack since ${waitedMs.toFixed(0)} ms`,
    );
    return !isOver;
  }
}

function isIndirectPing(message: { kind: string }): message is IndirectPing {
  return message.kind === "indirect-ping";
}
