/**
 * What must hold for suspicions and verdicts: nobody who is well is doubted by who is well, a suspicion lasts as long as
 * Lifeguard says, and whoever is called dead was declared so by somebody.
 */
import type { Member, MemberId } from "../swim/member.ts";
import type { SwimTimings } from "../swim/timings.ts";
import type { Message } from "../wire/messages.ts";
import type { MemberHost } from "./membership_cluster.ts";
import { type Life, type ObservedStep, ROUNDING_MS } from "./observed_step.ts";
import { ALL_TROUBLES, type Shadow, type Trouble } from "./shadow.ts";
import { say } from "./table_rules.ts";

/** Of a probe, from the ping to the verdict, at the worst health score of 7: (7 + 1) * 1 s, and some. */
const PROBE_MS_MAX = 10_000;

/** Probe intervals from an accusation that counts to the verdict: the accused hears it and answers. */
const GRACE_INTERVALS = 2;

/** A suspicion as the checker follows it: who is known to have accused, and who may have. */
interface Followed {
  readonly sinceMs: number;
  readonly incarnation: number;
  /** Reachable members when it began: so many at least, and at most. */
  readonly members: readonly [number, number];
  readonly surely: Set<MemberId>;
  readonly maybe: Set<MemberId>;
  /** Nothing ends before this: the accused must be able to answer its latest accuser that counts. */
  notBeforeMs: number;
  /** As far as it can be told: then at the latest that time is over. */
  surelyNotBeforeMs: number;
  /** Whether the host stood still meanwhile, and rightly gave more time. */
  wasLate: boolean;
  /** So much in all. */
  lateMs: number;
  /** Whether it cannot be told if and when the host itself accuses. */
  isVague: boolean;
}

export class VerdictRules {
  readonly #timings: SwimTimings;
  readonly #shadow: Shadow;
  readonly #hostOf: (id: MemberId) => MemberHost | undefined;
  readonly #followed = new WeakMap<Life, Map<MemberId, Followed>>();
  /** Everything that was declared dead by the end of a suspicion: id and incarnation. */
  readonly #declared = new Set<string>();

  constructor(
    timings: SwimTimings,
    shadow: Shadow,
    hostOf: (id: MemberId) => MemberHost | undefined,
  ) {
    this.#timings = timings;
    this.#shadow = shadow;
    this.#hostOf = hostOf;
  }

  check(step: ObservedStep): void {
    const followed = this.#followed.get(step.life) ?? new Map<MemberId, Followed>();
    this.#followed.set(step.life, followed);
    // Who stood still gives more time; who has left, and may come back, looks at no clock.
    const isAway = step.snapshot.self.status === "left";
    if (isAway || step.lateMs > this.#timings.probeIntervalMs) {
      for (const suspicion of followed.values()) {
        suspicion.wasLate = true;
        if (isAway) continue;
        suspicion.lateMs += step.lateMs;
        // What the accused had to say meanwhile may still wait in a socket.
        const heardMs = step.localMs + GRACE_INTERVALS * this.#timings.probeIntervalMs;
        suspicion.notBeforeMs = Math.max(suspicion.notBeforeMs + step.lateMs, heardMs);
        suspicion.surelyNotBeforeMs = Math.max(
          suspicion.surelyNotBeforeMs + step.lateMs,
          heardMs,
        );
      }
    }
    this.#confirm(step, followed);
    for (const { before, after } of step.changes) {
      if (after === undefined) continue;
      if (after.status !== "suspect") {
        if (after.status === "dead" && before?.status !== "dead") {
          this.#checkDead(step, before, after, followed.get(after.id));
        }
        followed.delete(after.id);
      } else if (before?.status !== "suspect" || before.incarnation !== after.incarnation) {
        // Of a newer incarnation it is a suspicion of its own, with its own time to refute.
        followed.set(after.id, this.#begin(step, after));
      }
    }
    this.#checkEnded(step, followed);
  }

  /** The longest that a suspicion may last on a host that sees so many members. */
  longestMs(members: number): number {
    return boundsMs(this.#timings, members).maxMs;
  }

  #begin(step: ObservedStep, suspect: Member): Followed {
    const accusers = accusersOf(step.received, suspect);
    const isOwn = accusers.size === 0 && !step.hasBadNewsOf(suspect.id);
    if (isOwn && step.frame === null) this.#checkAccusation(step, suspect);
    const now = countReachable(step);
    // Of several changes in one step, it is not known which came first.
    const others = step.changes.length - 1;
    // By a sync, or since another host's operator has it forgotten, a host doubts on its own account.
    const maySelf = isOwn || step.frame !== null || accusers.size === 0;
    return {
      sinceMs: step.localMs,
      incarnation: suspect.incarnation,
      members: [
        Math.min(step.life.reachable, now) - others,
        Math.max(step.life.reachable, now) + others,
      ],
      surely: new Set(isOwn ? [step.selfId] : [...accusers].slice(0, 1)),
      maybe: new Set([...accusers, ...(maySelf ? [step.selfId] : [])]),
      notBeforeMs: step.localMs,
      surelyNotBeforeMs: step.localMs,
      wasLate: false,
      lateMs: 0,
      isVague: false,
    };
  }

  /** A host accuses another on its own account. */
  #checkAccusation(step: ObservedStep, suspect: Member): void {
    const accused = this.#hostOf(suspect.id);
    if (accused === undefined || !accused.isRunning) return;
    const sinceMs = step.nowMs - PROBE_MS_MAX;
    const isExcused = this.#shadow.isOn(step.host.name, sinceMs, ALL_TROUBLES) ||
      this.#shadow.isOn(accused.name, sinceMs, ALL_TROUBLES);
    step.expect(
      isExcused,
      "false-suspicion",
      () => `suspects ${say(suspect)}, though both are well and connected`,
    );
  }

  /** Further accusers of those suspected already. */
  #confirm(step: ObservedStep, followed: ReadonlyMap<MemberId, Followed>): void {
    if (followed.size === 0) return;
    for (const message of step.received) {
      if (message.kind === "left") {
        // Another operator has it forgotten: then a host that takes it for alive doubts on its own account.
        const doubted = followed.get(message.id);
        doubted?.maybe.add(step.selfId);
        if (doubted !== undefined) doubted.isVague = true;
      }
      if (message.kind !== "suspect") continue;
      const suspicion = followed.get(message.id);
      if (suspicion === undefined || message.incarnation < suspicion.incarnation) continue;
      const isEcho = message.accuser === step.selfId;
      if (!isEcho && !suspicion.surely.has(message.accuser)) this.#delay(step, suspicion);
      suspicion.surely.add(message.accuser);
      suspicion.maybe.add(message.accuser);
    }
    for (const [id, suspicion] of followed) {
      if (step.life.doubted.has(id)) {
        suspicion.maybe.add(step.selfId);
        suspicion.isVague = true;
      }
      // A full sync may carry doubts.
      // Nor what a forgotten member's goodbye makes of a suspicion that is under way.
      const isForgotten = step.received.some((message) =>
        message.kind === "left" && message.isForgotten && message.id === id
      );
      if ((step.frame !== null || isForgotten) && !suspicion.surely.has(step.selfId)) {
        const graceMs = GRACE_INTERVALS * this.#timings.probeIntervalMs;
        suspicion.notBeforeMs = Math.max(suspicion.notBeforeMs, step.localMs + graceMs);
        suspicion.maybe.add(step.selfId);
      }
      const own = step.life.accusations.get(id);
      if (own === undefined || own.atMs !== step.localMs) continue;
      if (own.incarnation < suspicion.incarnation) continue;
      const wasCounted = suspicion.maybe.has(step.selfId);
      if (!suspicion.surely.has(step.selfId)) this.#delay(step, suspicion, !wasCounted);
      suspicion.surely.add(step.selfId);
      suspicion.maybe.add(step.selfId);
    }
  }

  /** @param isSure whether that accuser has surely not been counted before. */
  #delay(step: ObservedStep, suspicion: Followed, isSure = true): void {
    const expected = this.#timings.suspicionMultiplier - 2;
    // Where too few could confirm, nothing but the shortest time counts.
    if (Math.max(...suspicion.members) - 2 < expected) return;
    const notBeforeMs = step.localMs + GRACE_INTERVALS * this.#timings.probeIntervalMs;
    if (suspicion.surely.size <= expected) suspicion.notBeforeMs = notBeforeMs;
    // Not sure when this host's own accusation may have been the last that counts.
    const mayConfirm = Math.min(...suspicion.members) - 2 >= expected;
    if (isSure && mayConfirm && suspicion.surely.size < expected) {
      suspicion.surelyNotBeforeMs = notBeforeMs;
    }
  }

  #checkDead(
    step: ObservedStep,
    before: Member | undefined,
    after: Member,
    suspicion: Followed | undefined,
  ): void {
    const key = `${after.id} ${after.incarnation}`;
    const isHeard = before === undefined ||
      step.received.some((message) =>
        message.kind === "dead" && message.id === after.id &&
        message.incarnation >= before.incarnation
      );
    if (isHeard) {
      step.expect(
        this.#declared.has(key) || step.frame !== null,
        "dead-without-verdict",
        () => `hears that ${say(after)}, which nobody declared`,
      );
      return;
    }
    this.#declared.add(key);
    if (suspicion === undefined) {
      // It was suspected and declared within one step, by a host that woke up late.
      step.expect(
        step.frame !== null,
        "dead-without-suspicion",
        () => `declares ${say(after)} without having suspected it`,
      );
      return;
    }
    this.#checkLength(step, after, suspicion);
    this.#checkWell(step, after);
  }

  /** Whoever is well and connected refutes in time, whoever accuses it. */
  #checkWell(step: ObservedStep, dead: Member): void {
    const accused = this.#hostOf(dead.id);
    if (accused === undefined || !accused.isRunning) return;
    const sinceMs = step.nowMs - this.longestMs(step.life.reachableMax) - PROBE_MS_MAX;
    const own: readonly Trouble[] = ["frozen", "network"];
    const isExcused = this.#shadow.isOn(step.host.name, sinceMs, own) ||
      this.#shadow.isOn(accused.name, sinceMs, ALL_TROUBLES);
    step.expect(
      isExcused,
      "false-death",
      () => `declares ${say(dead)}, which is well and connected`,
    );
  }

  /** Lifeguard's time: long with one accuser, shorter with each further one. */
  #checkLength(step: ObservedStep, dead: Member, suspicion: Followed): void {
    const tookMs = step.localMs - suspicion.sinceMs;
    const surely = Math.max(0, suspicion.surely.size - 1);
    const maybe = Math.max(surely, suspicion.maybe.size - 1);
    const shortestMs = Math.max(
      suspicion.surelyNotBeforeMs - suspicion.sinceMs,
      suspicion.lateMs + Math.min(
        ...suspicion.members.map((members) => lengthMs(this.#timings, members, maybe)),
      ),
    );
    const longestMs = Math.max(
      suspicion.notBeforeMs - suspicion.sinceMs,
      ...suspicion.members.map((members) => lengthMs(this.#timings, members, surely)),
    );
    const lateMs = step.lateMs + ROUNDING_MS;
    const isFine = tookMs >= shortestMs - ROUNDING_MS &&
      (suspicion.wasLate || suspicion.isVague || tookMs <= longestMs + lateMs);
    step.expect(
      isFine,
      "suspicion-length",
      () =>
        `declares ${say(dead)} after ${tookMs.toFixed(0)} ms of suspicion, with ${surely} to ` +
        `${maybe} confirmations; ${shortestMs.toFixed(0)} to ${longestMs.toFixed(0)} are due`,
    );
  }

  /** No suspicion is without an end. */
  #checkEnded(step: ObservedStep, followed: ReadonlyMap<MemberId, Followed>): void {
    if (step.snapshot.self.status === "left") return;
    for (const [id, suspicion] of followed) {
      if (suspicion.wasLate) continue;
      const lastedMs = step.localMs - suspicion.sinceMs;
      const longestMs = Math.max(
        suspicion.notBeforeMs - suspicion.sinceMs,
        ...suspicion.members.map((count) => this.longestMs(count)),
      );
      step.expect(
        lastedMs <= longestMs + step.lateMs + ROUNDING_MS,
        "suspicion-ends",
        () => `suspects ${this.#hostOf(id)?.name} since ${lastedMs.toFixed(0)} ms`,
      );
    }
  }
}

/** Those whom messages name as accusers of a member, at this incarnation or a higher one. */
function accusersOf(messages: readonly Message[], suspect: Member): Set<MemberId> {
  const accusers = new Set<MemberId>();
  for (const message of messages) {
    if (message.kind !== "suspect" || message.id !== suspect.id) continue;
    if (message.incarnation >= suspect.incarnation) accusers.add(message.accuser);
  }
  return accusers;
}

function countReachable(step: ObservedStep): number {
  return step.snapshot.members
    .filter(({ status }) => status === "alive" || status === "suspect").length;
}

/** Shortest and longest suspicion: section 4.2 of the Lifeguard paper with memberlist's scale. */
function boundsMs(timings: SwimTimings, members: number): { minMs: number; maxMs: number } {
  const scale = Math.max(1, Math.log10(Math.max(1, members)));
  const minMs = timings.suspicionMultiplier * scale * timings.probeIntervalMs;
  return { minMs, maxMs: minMs * timings.suspicionMaxMultiplier };
}

/** How long a suspicion with so many confirmations lasts; the formula stands here a second time on purpose. */
function lengthMs(timings: SwimTimings, members: number, confirmations: number): number {
  const { minMs, maxMs } = boundsMs(timings, members);
  const expected = timings.suspicionMultiplier - 2;
  if (members - 2 < expected) return minMs;
  const counted = Math.min(confirmations, expected);
  const share = Math.log(counted + 1) / Math.log(expected + 1);
  return Math.max(minMs, Math.floor(maxMs - share * (maxMs - minMs)));
}
