/**
 * Failure detection (SWIM section 4.1, Lifeguard): one member per interval, in shuffled round robin.
 *
 * A direct ping, and halfway to its timeout another; without an ack in time, indirect pings through
 * others and a ping over a stream at once; without any by the deadline, a suspicion. Rounds never overlap; the deadline stretches with
 * local health, and a helper that does not even say "nothing heard" is held against ourselves.
 */
import type { Endpoint } from "../base/core.ts";
import type { Random } from "../base/random.ts";
import { encodeSuspect } from "../wire/news_messages.ts";
import { encodeIndirectPing, encodePing, encodeReach } from "../wire/probe_messages.ts";
import type { Awareness } from "./awareness.ts";
import type { Evidence } from "./evidence.ts";
import type { Lifeguard } from "./lifeguard.ts";
import type { Member, MemberId } from "./member.ts";
import type { MemberTable } from "./members.ts";
import type { Post } from "./post.ts";
import type { Requests } from "./requests.ts";
import type { RoundTrips } from "./round_trip.ts";
import type { Sequence } from "./sequence.ts";
import type { SwimTimings } from "./timings.ts";
import type { UdpWatch } from "./udp_watch.ts";

interface Round {
  readonly target: Member;
  readonly sequence: number;
  readonly startedAtMs: number;
  /** When the target is pinged once more; Infinity when it was. */
  againAtMs: number;
  /** When others are asked. */
  readonly directDeadlineMs: number;
  readonly deadlineMs: number;
  /** Whether others were asked. */
  isIndirect: boolean;
  helpers: number;
  /** Helpers whose ack or nack is still missing. */
  readonly silentHelpers: Set<Endpoint>;
  /** The target answered over a stream. */
  isReached: boolean;
}

export class Prober {
  readonly #selfId: MemberId;
  readonly #table: MemberTable;
  readonly #evidence: Evidence;
  readonly #awareness: Awareness;
  readonly #lifeguard: Lifeguard;
  readonly #timings: SwimTimings;
  readonly #random: Random;
  readonly #post: Post;
  readonly #requests: Requests;
  readonly #sequence: Sequence;
  readonly #udpWatch: UdpWatch;
  readonly #roundTrips: RoundTrips;
  /** The lap: who is still to be probed is at `#next` and behind. */
  #lap: MemberId[] = [];
  #next = 0;
  #nextRoundAtMs = Infinity;
  #round: Round | null = null;

  constructor(parts: {
    selfId: MemberId;
    table: MemberTable;
    evidence: Evidence;
    awareness: Awareness;
    lifeguard: Lifeguard;
    timings: SwimTimings;
    random: Random;
    post: Post;
    requests: Requests;
    sequence: Sequence;
    udpWatch: UdpWatch;
    roundTrips: RoundTrips;
  }) {
    this.#selfId = parts.selfId;
    this.#table = parts.table;
    this.#evidence = parts.evidence;
    this.#awareness = parts.awareness;
    this.#lifeguard = parts.lifeguard;
    this.#timings = parts.timings;
    this.#random = parts.random;
    this.#post = parts.post;
    this.#requests = parts.requests;
    this.#sequence = parts.sequence;
    this.#udpWatch = parts.udpWatch;
    this.#roundTrips = parts.roundTrips;
  }

  /** There is somebody to probe. Hosts that start together must not probe together. */
  begin(nowMs: number): void {
    if (this.#nextRoundAtMs < Infinity) return;
    this.#nextRoundAtMs = nowMs + this.#random.unit() * this.#timings.probeIntervalMs;
  }

  /** A member appeared or came back: it gets a random place in the lap, which bounds detection time. */
  enrol(nowMs: number, id: MemberId): void {
    this.begin(nowMs);
    const at = this.#random.below(this.#lap.length + 1);
    // Whose place is past has its turn in the next lap, and nobody waits for two turns at once.
    if (at < this.#next || this.#lap.indexOf(id, this.#next) >= 0) return;
    this.#lap.splice(at, 0, id);
  }

  advance(nowMs: number): void {
    const round = this.#round;
    if (round !== null) {
      if (nowMs >= round.deadlineMs) {
        // Woken so late that nobody could be asked, this host has no verdict: its own silence is to blame.
        if (round.isIndirect) this.#conclude(nowMs, round);
        else this.excuse(nowMs);
      } else if (!round.isIndirect && nowMs >= round.directDeadlineMs) this.#ask(nowMs, round);
      else if (!round.isIndirect && nowMs >= round.againAtMs) this.#pingAgain(round);
    }
    if (this.#round === null && nowMs >= this.#nextRoundAtMs) this.#begin(nowMs);
  }

  wakeAtMs(): number {
    const round = this.#round;
    if (round === null) return this.#nextRoundAtMs;
    return round.isIndirect ? round.deadlineMs : Math.min(round.againAtMs, round.directDeadlineMs);
  }

  /** An ack of the current round, from the target or through a helper. */
  acked(nowMs: number, from: Endpoint, sequence: number): void {
    const round = this.#round;
    if (round === null || round.sequence !== sequence) return;
    if (from === round.target.endpoint) {
      // After two pings nobody knows which of them was answered (Karn and Partridge 1987).
      const isOnlyPing = round.againAtMs < Infinity;
      if (isOnlyPing) this.#roundTrips.add(round.target.id, nowMs - round.startedAtMs);
      this.#udpWatch.works(round.target.id);
    } else this.#udpWatch.doubts(nowMs, round.target.id);
    this.#awareness.adjust(-1);
    this.#round = null;
  }

  /** A helper is well and heard nothing from the target. */
  nacked(from: Endpoint, sequence: number): void {
    if (this.#round?.sequence === sequence) this.#round.silentHelpers.delete(from);
  }

  /** Gives the current round up without a verdict: this host itself stood still. */
  excuse(nowMs: number): void {
    if (this.#round === null) return;
    this.#round = null;
    this.#nextRoundAtMs = nowMs;
  }

  /** No more probes, for good or until somebody is enrolled again. */
  stop(): void {
    this.#round = null;
    this.#lap = [];
    this.#nextRoundAtMs = Infinity;
  }

  #begin(nowMs: number): void {
    const target = this.#nextTarget();
    if (target === undefined) {
      this.#nextRoundAtMs = Infinity; // until somebody is enrolled
      return;
    }
    const sequence = this.#sequence.next();
    const { probeTimeoutMs, probeIntervalMs } = this.#timings;
    const directMs = this.#lifeguard.stretchesTimeout
      ? this.#awareness.stretch(probeTimeoutMs)
      : probeTimeoutMs;
    this.#nextRoundAtMs = nowMs + probeIntervalMs;
    this.#round = {
      target,
      sequence,
      startedAtMs: nowMs,
      againAtMs: nowMs + directMs / 2,
      directDeadlineMs: nowMs + directMs,
      deadlineMs: nowMs + this.#awareness.stretch(probeIntervalMs),
      isIndirect: false,
      helpers: 0,
      silentHelpers: new Set(),
      isReached: false,
    };
    this.#ping(this.#round);
  }

  /** One lost packet is not worth three helpers: at 10 % loss this saves a third of all packets. */
  #pingAgain(round: Round): void {
    round.againAtMs = Infinity;
    this.#ping(round);
  }

  #ping({ target, sequence }: Round): void {
    const messages = [encodePing(sequence, target.id, this.#selfId)];
    if (target.status === "suspect" && this.#lifeguard.buddy) {
      // The buddy system: who is suspected hears it first, and can refute at once.
      messages.push(encodeSuspect(target.incarnation, target.id, this.#selfId));
    }
    this.#post.sendWithGossip(target.endpoint, messages);
  }

  #nextTarget(): Member | undefined {
    // Two laps at most: the rest of this one and a new one.
    for (let tries = this.#lap.length + this.#table.size; tries >= 0; tries--) {
      if (this.#next >= this.#lap.length) {
        this.#next = 0;
        this.#lap = this.#table.list().filter((member) => this.#isProbed(member))
          .map((member) => member.id);
        this.#random.shuffle(this.#lap);
        if (this.#lap.length === 0) return undefined;
      }
      const member = this.#table.get(this.#lap[this.#next++] ?? this.#selfId);
      if (member !== undefined && this.#isProbed(member)) return member;
    }
    return undefined;
  }

  #isProbed(member: Member): boolean {
    return member.id !== this.#selfId && (member.status === "alive" || member.status === "suspect");
  }

  #ask(nowMs: number, round: Round): void {
    round.isIndirect = true;
    const { target, sequence } = round;
    const helpers = this.#table.pick(
      this.#random,
      this.#timings.indirectChecks,
      (member) =>
        member.status === "alive" && member.id !== this.#selfId && member.id !== target.id,
    );
    round.helpers = helpers.length;
    for (const helper of helpers) {
      round.silentHelpers.add(helper.endpoint);
      this.#post.sendWithGossip(helper.endpoint, [encodeIndirectPing(sequence, target.id)]);
    }
    const reach = encodeReach(sequence, target.id, this.#selfId);
    this.#requests.ask(target.endpoint, reach, round.deadlineMs - nowMs, (_nowMs, outcome) => {
      const isAck = outcome.kind === "answered" && outcome.message.kind === "ack";
      if (isAck && outcome.message.sequence === sequence) round.isReached = true;
    });
  }

  #conclude(nowMs: number, round: Round): void {
    this.#round = null;
    const { target } = round;
    if (round.isReached) return this.#udpWatch.doubts(nowMs, target.id);
    // Silent helpers say that our own network may be the fault; without helpers nobody can say.
    this.#awareness.adjust(round.helpers === 0 ? 1 : round.silentHelpers.size);
    this.#evidence.suspect(nowMs, {
      id: target.id,
      incarnation: target.incarnation,
      accuser: this.#selfId,
    });
  }
}
