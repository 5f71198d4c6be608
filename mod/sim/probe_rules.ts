/**
 * What must hold for failure detection: one member per interval in round robin, rounds that never overlap and stretch with
 * local health, helpers and a stream before any accusation.
 */
import type { Endpoint } from "../base/core.ts";
import type { Member, MemberId, MemberStatus } from "../swim/member.ts";
import type { SwimTimings } from "../swim/timings.ts";
import type { Ping } from "../wire/probe_messages.ts";
import { type Life, type ObservedStep, ROUNDING_MS, type SentPacket } from "./observed_step.ts";
import { pingsForOthers } from "./relay_rules.ts";
import { say } from "./table_rules.ts";

/** Of the Lifeguard paper; see self_rules.ts. */
const HEALTH_SCORE_MAX = 7;

/** A round as the checker follows it. */
interface Round {
  readonly target: MemberId;
  readonly sequence: number;
  readonly beganMs: number;
  readonly directDeadlineMs: number;
  readonly deadlineMs: number;
  /** Of the target when the round began. */
  readonly incarnation: number;
  hasAsked: boolean;
  /** Those asked who have not answered. */
  readonly helpers: Set<Endpoint>;
  hadHelpers: boolean;
  /** Pinged a second time, halfway to the direct deadline. */
  hasRepeated: boolean;
  /** The target answered over a stream. */
  isReached: boolean;
  /** Answered, given up, or ended at its deadline. */
  isOver: boolean;
  /** The host has left since it began: what becomes of it is nobody's concern. */
  isVoid: boolean;
}

interface Followed {
  round: Round | null;
  /** Rounds since the start, and the one in which each member was last probed or enrolled. */
  rounds: number;
  readonly turns: Map<MemberId, number>;
  /** Members enrolled since the start: each may take a place in the lap before others. */
  enrolments: number;
  readonly enrolmentsAt: Map<MemberId, number>;
}

export class ProbeRules {
  readonly #timings: SwimTimings;
  readonly #lives = new WeakMap<Life, Followed>();

  constructor(timings: SwimTimings) {
    this.#timings = timings;
  }

  check(step: ObservedStep): void {
    let followed = this.#lives.get(step.life);
    if (followed === undefined) {
      followed = {
        round: null,
        rounds: 0,
        turns: new Map(),
        enrolments: 0,
        enrolmentsAt: new Map(),
      };
      this.#lives.set(step.life, followed);
    }
    this.#takeAcks(step, followed);
    const probes = this.#ownPings(step);
    this.#checkAccusations(step, followed);
    this.#checkHelpers(step, followed);
    probes.forEach(([packet, ping], index) => {
      const { round } = followed;
      if (round?.sequence === ping.sequence) return this.#checkAgain(step, round, packet);
      // Prober first, then the series that tell whether a peer's datagrams are blocked.
      const isDue = index === 0 && this.#isDue(step, followed);
      if (isDue && !step.life.doubted.has(ping.target)) {
        this.#checkBegin(step, followed, packet, ping);
      } else {
        this.#checkSeries(step, ping);
        // Perhaps a round all the same: it is not held against anybody.
        if (isDue) followed.round = { ...this.#newRound(step, ping), isVoid: true };
      }
    });
    this.#noteTurns(step, followed);
    this.#checkPace(step, followed);
  }

  #takeAcks(step: ObservedStep, { round }: Followed): void {
    if (step.frame?.kind === "reach") step.life.doubted.add(step.frame.source);
    if (round === null) return;
    // A host that stood still gives its round up.
    if (step.lateMs > this.#timings.probeIntervalMs) round.isOver = true;
    const isAnswered = step.frame?.kind === "ack" && step.frame.sequence === round.sequence;
    if (isAnswered) round.isReached = true;
    for (const message of step.received) {
      if (!("sequence" in message) || message.sequence !== round.sequence) continue;
      if (message.kind === "nack" && step.input.kind === "packet") {
        round.helpers.delete(step.input.from);
      }
      if (message.kind !== "ack") continue;
      if (round.isOver) continue;
      round.isOver = true;
      const isDirect = step.input.kind === "packet" &&
        step.input.from === step.before(round.target)?.endpoint;
      if (!isDirect) step.life.doubted.add(round.target);
    }
    if (round.isOver || step.localMs < round.deadlineMs) return;
    if (step.snapshot.self.status === "left") return;
    round.isOver = true;
    // Woken so late that nobody was asked, it has no verdict.
    if (!round.hasAsked && !round.isVoid) return;
    step.life.doubted.add(round.target);
    if (round.isReached) return;
    this.#checkDoubt(step, round);
    const { incarnation } = round;
    step.life.accusations.set(round.target, { incarnation, atMs: step.localMs });
  }

  /** A helper that does not even say that it heard nothing is held against oneself, and so is to have none. */
  #checkDoubt(step: ObservedStep, round: Round): void {
    if (
      round.isVoid || step.hasTwins || step.received.length > 0 || step.frame !== null ||
      step.lateMs > 0
    ) return;
    const silent = round.helpers.size === 0 && !round.hadHelpers ? 1 : round.helpers.size;
    const wanted = Math.min(HEALTH_SCORE_MAX, step.life.healthScore + silent);
    step.expect(
      step.snapshot.healthScore === wanted,
      "health-score",
      () =>
        `ends a round without an answer, ${silent} helpers silent, with the health score ` +
        `${step.snapshot.healthScore} after ${step.life.healthScore}`,
    );
  }

  /** Whether a round begins in this step if there is anybody to probe. */
  #isDue(step: ObservedStep, { round }: Followed): boolean {
    if (round === null || round.isVoid) return true;
    if (step.lateMs > this.#timings.probeIntervalMs) return true;
    return round.isOver &&
      step.localMs - round.beganMs >= this.#timings.probeIntervalMs - ROUNDING_MS;
  }

  /** A round has one more ping, halfway to its direct deadline. */
  #checkAgain(step: ObservedStep, round: Round, packet: SentPacket): void {
    const halfwayMs = (round.beganMs + round.directDeadlineMs) / 2;
    const isTimely = step.localMs >= halfwayMs - ROUNDING_MS && !round.hasAsked && !round.isOver;
    step.expect(
      isTimely && !round.hasRepeated,
      "probe-again",
      () => `pings ${packet.to} again out of turn`,
    );
    round.hasRepeated = true;
  }

  /** Beyond its rounds a host pings only a peer that it has reason to doubt. */
  #checkSeries(step: ObservedStep, ping: Ping): void {
    step.expect(
      step.life.doubted.has(ping.target),
      "probe-overlap",
      () => `probes ${step.after(ping.target)?.name ?? ping.target} besides the round under way`,
    );
  }

  /** The pings that this host sends on its own account. */
  #ownPings(step: ObservedStep): [SentPacket, Ping][] {
    const forOthers = pingsForOthers(step);
    const own: [SentPacket, Ping][] = [];
    for (const packet of step.sent) {
      for (const message of packet.messages) {
        if (message.kind !== "ping" || forOthers.has(message)) continue;
        step.expect(message.source === step.selfId, "ping-source", () => "pings as somebody else");
        own.push([packet, message]);
      }
    }
    return own;
  }

  /** Nobody is accused before the deadline of a round in which others and a stream were tried as well. */
  #checkAccusations(step: ObservedStep, { round }: Followed): void {
    for (const { id, before, after } of step.changes) {
      if (after?.status !== "suspect" || before?.status === "suspect") continue;
      if (step.hasBadNewsOf(id)) continue;
      const isFair = step.life.doubted.has(id) || (round !== null && round.target === id &&
        (round.hasAsked || round.isVoid) && step.life.accusations.get(id)?.atMs === step.localMs);
      step.expect(
        isFair,
        "hasty-suspicion",
        () =>
          `suspects ${say(after)} without a whole round: ${
            round === null
              ? "none"
              : `${step.localMs - round.beganMs} of ${round.deadlineMs - round.beganMs} ms` +
                `${round.hasAsked ? "" : ", nobody asked"}${round.isOver ? ", answered" : ""}`
          }`,
      );
    }
  }

  #checkHelpers(step: ObservedStep, { round }: Followed): void {
    const helpers: Endpoint[] = [];
    for (const { to, messages } of step.sent) {
      for (const message of messages) {
        if (message.kind !== "indirect-ping") continue;
        if (round !== null && message.sequence === round.sequence) helpers.push(to);
        else {
          const isSeries = step.life.doubted.has(message.target);
          step.expect(isSeries, "helpers", () => `asks ${to} for a ping of no round`);
        }
      }
    }
    if (round === null || round.isVoid) return;
    if (round.hasAsked || round.isOver) {
      step.expect(helpers.length === 0, "helpers", () => "asks helpers again");
      return;
    }
    const target = step.after(round.target);
    const reaches = step.actions.some((action) =>
      action.kind === "request" && action.to === target?.endpoint
    );
    if (helpers.length === 0 && !reaches) {
      const isDue = step.localMs > round.directDeadlineMs + ROUNDING_MS + step.lateMs;
      step.expect(
        !isDue || step.snapshot.self.status === "left",
        "helpers",
        () => `asks nobody about ${target?.name}`,
      );
      return;
    }
    const isSyncAlone = helpers.length === 0 && step.localMs < round.directDeadlineMs - ROUNDING_MS;
    if (isSyncAlone) return; // a request for another reason
    round.hasAsked = true;
    round.hadHelpers = helpers.length > 0;
    for (const helper of helpers) round.helpers.add(helper);
    step.expect(
      round.hasRepeated || step.lateMs > 0,
      "probe-again",
      () => `asks helpers after one ping of ${target?.name}`,
    );
    step.expect(
      step.localMs >= round.directDeadlineMs - ROUNDING_MS,
      "helpers",
      () => `asks helpers before the direct deadline`,
    );
    step.expect(reaches, "helpers", () => `tries no stream to ${target?.name}`);
    const eligible = [step.life.table.values(), step.snapshot.members].map((members) =>
      [...members].filter((member) => this.#mayHelp(step, member, round.target)).length
    );
    const wanted = eligible.map((count) => Math.min(count, this.#timings.indirectChecks));
    step.expect(
      step.hasTwins ||
        wanted.includes(helpers.length) && new Set(helpers).size === helpers.length &&
          !helpers.includes(target?.endpoint ?? ""),
      "helpers",
      () => `asks ${helpers.length} helpers, not ${wanted.join(" or ")}`,
    );
  }

  #mayHelp(step: ObservedStep, member: Member, target: MemberId): boolean {
    return member.status === "alive" && member.id !== step.selfId && member.id !== target;
  }

  #checkBegin(step: ObservedStep, followed: Followed, packet: SentPacket, ping: Ping): void {
    const member = step.before(ping.target) ?? step.after(ping.target);
    const statuses = [step.before(ping.target)?.status, step.after(ping.target)?.status];
    step.expect(
      statuses.some(isReachable) && ping.target !== step.selfId,
      "probe-target",
      () => `probes ${member?.name ?? ping.target}, which is ${member?.status ?? "unknown"}`,
    );
    const endpoints = [step.before(ping.target)?.endpoint, step.after(ping.target)?.endpoint];
    step.expect(endpoints.includes(packet.to), "probe-target", () => `probes at ${packet.to}`);
    this.#checkBuddy(step, packet, ping);
    followed.round = this.#newRound(step, ping);
    followed.rounds++;
    followed.turns.set(ping.target, followed.rounds);
    followed.enrolmentsAt.set(ping.target, followed.enrolments);
    this.#checkTurns(step, followed);
  }

  #newRound(step: ObservedStep, ping: Ping): Round {
    const { probeIntervalMs, probeTimeoutMs } = this.#timings;
    const stretch = step.snapshot.healthScore + 1;
    return {
      target: ping.target,
      sequence: ping.sequence,
      beganMs: step.localMs,
      directDeadlineMs: step.localMs + probeTimeoutMs * stretch,
      deadlineMs: step.localMs + probeIntervalMs * stretch,
      incarnation: step.before(ping.target)?.incarnation ?? 0,
      hasAsked: false,
      helpers: new Set(),
      hadHelpers: false,
      hasRepeated: false,
      isReached: false,
      isOver: false,
      isVoid: false,
    };
  }

  /** Who is suspected hears it with the ping (Lifeguard's buddy system). */
  #checkBuddy(step: ObservedStep, packet: SentPacket, ping: Ping): void {
    const before = step.before(ping.target)?.status;
    const after = step.after(ping.target)?.status;
    if (before !== "suspect" || after !== "suspect") return;
    const isTold = packet.messages.some((message) =>
      message.kind === "suspect" && message.id === ping.target
    );
    step.expect(isTold, "buddy", () => `probes a suspect without telling it`);
  }

  /** Round robin: everybody has its turn within two laps, more only as newcomers are put before it. */
  #checkTurns(step: ObservedStep, followed: Followed): void {
    // Rounds with those in doubt are not always told from a series of pings, and so not counted.
    if (step.life.doubted.size > 0) return;
    const { reachableMax } = step.life;
    for (const [id, turn] of followed.turns) {
      const waited = followed.rounds - turn;
      const newcomers = followed.enrolments - (followed.enrolmentsAt.get(id) ?? 0);
      step.expect(
        waited <= 2 * reachableMax + newcomers,
        "round-robin",
        () => `has not probed ${step.after(id)?.name} for ${waited} rounds`,
      );
    }
  }

  #noteTurns(step: ObservedStep, followed: Followed): void {
    for (const { id, before, after } of step.changes) {
      if (id === step.selfId) continue;
      if (!isReachable(after?.status)) {
        followed.turns.delete(id);
        if (followed.round?.target === id) continue;
      } else if (!isReachable(before?.status)) {
        followed.enrolments++;
        if (!followed.turns.has(id)) {
          followed.turns.set(id, followed.rounds);
          followed.enrolmentsAt.set(id, followed.enrolments);
        }
      }
    }
    // Alone there is nobody to probe; who left and comes back begins anew.
    if (step.snapshot.self.status === "left") followed.turns.clear();
    if (followed.turns.size === 0 && followed.round !== null) followed.round.isVoid = true;
  }

  /** With somebody to probe, rounds follow each other without a gap. */
  #checkPace(step: ObservedStep, { round }: Followed): void {
    if (round === null || round.isVoid) return;
    const nextMs = Math.max(round.beganMs + this.#timings.probeIntervalMs, round.deadlineMs);
    step.expect(
      step.localMs <= nextMs + step.lateMs + ROUNDING_MS,
      "probe-pace",
      () => `has not probed since ${(step.localMs - round.beganMs).toFixed(0)} ms`,
    );
  }
}

function isReachable(status: MemberStatus | undefined): boolean {
  return status === "alive" || status === "suspect";
}
