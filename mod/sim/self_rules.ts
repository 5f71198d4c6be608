/** What must hold for a host's view of itself: when it refutes, how its health score moves, and that it never spins. */
import type { SwimTimings } from "../swim/timings.ts";
import type { ObservedStep } from "./observed_step.ts";

/** Of the Lifeguard paper (section IV-A): a saturation limit of 8 includes 0. Stands here a second time on purpose. */
const HEALTH_SCORE_MAX = 7;

export class SelfRules {
  readonly #timings: SwimTimings;

  constructor(timings: SwimTimings) {
    this.#timings = timings;
  }

  check(step: ObservedStep): void {
    this.#checkIncarnation(step);
    this.#checkHealth(step);
    this.#checkWake(step);
    this.#checkRequest(step);
    this.#checkCounters(step);
  }

  /** Raised exactly when somebody must be outlived: never for nothing, never not. */
  #checkIncarnation(step: ObservedStep): void {
    const before = step.before(step.selfId);
    if (before === undefined) return;
    const own = step.snapshot.self;
    let accused = -1;
    for (const message of step.received) {
      const isBad = message.kind === "suspect" || message.kind === "dead" ||
        message.kind === "left";
      if (isBad && message.id === step.selfId) accused = Math.max(accused, message.incarnation);
      if (message.kind !== "alive" || message.record.id !== step.selfId) continue;
      // Of another life: the one before.
      if (message.record.instance !== own.instance) {
        accused = Math.max(accused, message.record.incarnation);
      }
    }
    const isAccused = accused >= before.incarnation && before.status === "alive";
    step.expect(
      !isAccused || own.incarnation > accused || own.status === "left",
      "refutes",
      () => `is accused at incarnation ${accused} and stays at ${own.incarnation}`,
    );
    if (own.incarnation === before.incarnation) return;
    step.expect(
      own.status !== "left" || before.status !== "left",
      "refutes",
      () => `has left, and raises its incarnation to ${own.incarnation}`,
    );
    const isCaused = isAccused || step.frame !== null || step.input.kind === "command";
    step.expect(
      isCaused,
      "refutes",
      () => `raises its incarnation to ${own.incarnation}, which nobody asked for`,
    );
  }

  /** Down by an ack in time only, up by a failed round, by an accusation, or by having stood still. */
  #checkHealth(step: ObservedStep): void {
    const { healthScore } = step.snapshot;
    const rise = healthScore - step.life.healthScore;
    step.expect(
      healthScore >= 0 && healthScore <= HEALTH_SCORE_MAX,
      "health-score",
      () => `has the health score ${healthScore}`,
    );
    this.#checkDoubt(step, rise);
    if (rise === 0) return;
    const acks = step.received.filter(({ kind }) => kind === "ack").length;
    step.expect(
      rise > 0 || -rise <= acks,
      "health-score",
      () => `feels ${-rise} better for nothing`,
    );
    if (rise < 0) return;
    const isAccused = step.frame !== null ||
      step.received.some((message) => "id" in message && message.id === step.selfId) ||
      step.received.some((message) =>
        message.kind === "alive" && message.record.id === step.selfId
      );
    const isLate = step.lateMs > this.#timings.probeIntervalMs;
    const mayConclude = step.localMs >= step.life.dueMs - 1 || step.input.kind === "command";
    step.expect(
      isAccused || isLate || mayConclude,
      "health-score",
      () => `feels ${rise} worse for nothing`,
    );
  }

  /** Who has to refute is less sure of its own health. */
  #checkDoubt(step: ObservedStep, rise: number): void {
    const before = step.before(step.selfId);
    const isRefuting = before !== undefined && before.status === "alive" &&
      step.snapshot.self.incarnation > before.incarnation;
    const isAccused = step.received.some((message) =>
      (message.kind === "suspect" || message.kind === "dead") && message.id === step.selfId &&
      message.incarnation >= (before?.incarnation ?? 0)
    );
    if (!isRefuting || !isAccused) return;
    const acks = step.received.filter(({ kind }) => kind === "ack").length;
    const isSure = rise < 1 - acks && step.snapshot.healthScore < HEALTH_SCORE_MAX;
    step.expect(!isSure, "health-score", () => `refutes, and feels as well as before`);
  }

  #checkWake(step: ObservedStep): void {
    const wakeAtMs = step.host.core?.wakeAtMs() ?? Infinity;
    step.expect(
      wakeAtMs > step.localMs,
      "wake-in-the-future",
      () => `wants to be woken at ${wakeAtMs}, and it is ${step.localMs}`,
    );
  }

  /** Each question gets exactly one answer, at once. */
  #checkRequest(step: ObservedStep): void {
    const ids = step.actions.flatMap((action) => action.kind === "answer" ? [action.id] : []);
    if (step.input.kind !== "request") {
      step.expect(ids.length === 0, "one-answer", () => "answers what nobody asked");
      return;
    }
    const { id } = step.input;
    const isOne = ids.length === 1 && ids[0] === id;
    step.expect(isOne, "one-answer", () => `gives ${ids.length} answers to one question`);
  }

  /** Among hosts that speak alike nothing is refused; sealed, what comes twice or was for another life is. */
  #checkCounters(step: ObservedStep): void {
    const { refused, unknownMessages, incarnationJumps } = step.snapshot.counters;
    const isSealed = step.snapshot.encryption !== null;
    step.expect(
      (refused === 0 || isSealed) && unknownMessages === 0 && incarnationJumps === 0,
      "nothing-refused",
      () =>
        `refused ${refused} packets, skipped ${unknownMessages} messages, ` +
        `saw ${incarnationJumps} incarnations jump`,
    );
  }
}
