/**
 * Peers that others reach, or that a stream reaches, but whose datagrams and ours do not make the round:
 * overlay packets between the two hosts would be lost as well, and a liveness check that has other
 * ways hides it (hashicorp/consul issue 6897).
 *
 * A lost packet is no blocked port. A peer in doubt gets a series of pings of its own; when all of
 * them stay unanswered and the peer is there by other ways, it is blocked.
 */
import type { Endpoint } from "../base/core.ts";
import type { Random } from "../base/random.ts";
import { encodeIndirectPing, encodePing, encodeReach } from "../wire/probe_messages.ts";
import type { SwimEvent } from "./event.ts";
import type { Member, MemberId } from "./member.ts";
import type { MemberTable } from "./members.ts";
import type { Post } from "./post.ts";
import type { Requests } from "./requests.ts";
import type { Sequence } from "./sequence.ts";
import type { SwimTimings } from "./timings.ts";

/** `unknown` until a datagram made the round, or a series was lost. */
export type UdpState = "ok" | "blocked" | "unknown";

/** Rounds in a row that needed other ways before a series begins: one is a lost packet or a busy machine. */
const DOUBTS = 2;
/** Pings of a series: at 30 % loss each round trip fails with 0.51, twenty in a row with 1.4e-6. */
export const SERIES_PINGS = 20;
/** Series under way: who is in doubt with more peers than that has one cause for all of them. */
const SERIES_MAX = 64;

interface Doubt {
  /** Rounds in a row that needed other ways. */
  rounds: number;
  /** A datagram of the peer came in meanwhile, so only ours get lost. */
  isHeard: boolean;
}

interface Series {
  readonly endpoint: Endpoint;
  readonly sequences: Set<number>;
  nextAtMs: number;
  /** The last question, which goes over other ways. */
  finalSequence: number | null;
}

export class UdpWatch {
  readonly #selfId: MemberId;
  readonly #table: MemberTable;
  readonly #timings: SwimTimings;
  readonly #random: Random;
  readonly #post: Post;
  readonly #requests: Requests;
  readonly #sequence: Sequence;
  readonly #states = new Map<MemberId, UdpState>();
  readonly #doubts = new Map<Endpoint, Doubt>();
  readonly #series = new Map<MemberId, Series>();

  constructor(parts: {
    selfId: MemberId;
    table: MemberTable;
    timings: SwimTimings;
    random: Random;
    post: Post;
    requests: Requests;
    sequence: Sequence;
  }) {
    this.#selfId = parts.selfId;
    this.#table = parts.table;
    this.#timings = parts.timings;
    this.#random = parts.random;
    this.#post = parts.post;
    this.#requests = parts.requests;
    this.#sequence = parts.sequence;
  }

  state(id: MemberId): UdpState {
    return this.#states.get(id) ?? "unknown";
  }

  /** A datagram to the peer was answered by the peer. */
  works(id: MemberId): void {
    this.#settle(id);
    this.#series.delete(id);
    this.#states.set(id, "ok");
  }

  /** A ping needed other ways to that peer, or the peer says that one of its own did. */
  doubts(nowMs: number, id: MemberId): void {
    const member = this.#table.get(id);
    if (member === undefined || id === this.#selfId || this.state(id) === "blocked") return;
    const doubt = this.#doubts.get(member.endpoint) ?? { rounds: 0, isHeard: false };
    this.#doubts.set(member.endpoint, doubt);
    doubt.rounds++;
    if (doubt.rounds < DOUBTS || this.#series.has(id) || this.#series.size >= SERIES_MAX) return;
    this.#series.set(id, {
      endpoint: member.endpoint,
      sequences: new Set(),
      nextAtMs: nowMs,
      finalSequence: null,
    });
  }

  /** The peer is gone: what was known of the way to it may not hold when it comes back. */
  forget(id: MemberId): void {
    this.#states.delete(id);
    this.#settle(id);
    this.#series.delete(id);
  }

  /** Some datagram came from there. */
  heard(from: Endpoint): void {
    const doubt = this.#doubts.get(from);
    if (doubt !== undefined) doubt.isHeard = true;
  }

  /** An ack came, for a ping of anybody's. */
  acked(from: Endpoint, sequence: number): void {
    for (const [id, series] of this.#series) {
      if (series.sequences.has(sequence) && series.endpoint === from) return this.works(id);
      if (series.finalSequence === sequence) return this.#conclude(id, series);
    }
  }

  advance(nowMs: number): void {
    for (const [id, series] of this.#series) {
      if (nowMs < series.nextAtMs) continue;
      const member = this.#table.get(id);
      const isThere = member?.status === "alive" || member?.status === "suspect";
      if (!isThere || member.endpoint !== series.endpoint) this.forget(id);
      else if (series.finalSequence !== null) this.#series.delete(id); // nobody reaches it: not our affair
      else if (series.sequences.size < SERIES_PINGS) this.#ping(nowMs, id, series);
      else this.#askOthers(nowMs, member, series);
    }
  }

  wakeAtMs(): number {
    let atMs = Infinity;
    for (const { nextAtMs } of this.#series.values()) atMs = Math.min(atMs, nextAtMs);
    return atMs;
  }

  /** No doubt is left, one way or the other. */
  #settle(id: MemberId): void {
    const endpoint = this.#series.get(id)?.endpoint ?? this.#table.get(id)?.endpoint;
    if (endpoint !== undefined) this.#doubts.delete(endpoint);
  }

  #ping(nowMs: number, id: MemberId, series: Series): void {
    const sequence = this.#sequence.next();
    series.sequences.add(sequence);
    series.nextAtMs = nowMs + this.#timings.probeTimeoutMs;
    this.#post.send(series.endpoint, [encodePing(sequence, id, this.#selfId)]);
  }

  /** Whether the peer is there at all: a stream, and others, ask it. */
  #askOthers(nowMs: number, { id, endpoint }: Member, series: Series): void {
    const sequence = this.#sequence.next();
    series.finalSequence = sequence;
    const waitMs = this.#timings.probeIntervalMs;
    series.nextAtMs = nowMs + waitMs;
    const helpers = this.#table.pick(
      this.#random,
      this.#timings.indirectChecks,
      (member) => member.status === "alive" && member.id !== this.#selfId && member.id !== id,
    );
    for (const helper of helpers) {
      this.#post.send(helper.endpoint, [encodeIndirectPing(sequence, id)]);
    }
    const reach = encodeReach(sequence, id, this.#selfId);
    this.#requests.ask(endpoint, reach, waitMs, (_nowMs, outcome) => {
      const isAck = outcome.kind === "answered" && outcome.message.kind === "ack";
      if (!isAck || outcome.message.sequence !== sequence) return;
      if (this.#series.get(id) === series) this.#conclude(id, series);
    });
  }

  #conclude(id: MemberId, series: Series): void {
    this.#series.delete(id);
    this.#states.set(id, "blocked");
    const isHeard = this.#doubts.get(series.endpoint)?.isHeard === true;
    this.#settle(id);
    const member = this.#table.get(id);
    if (member !== undefined) this.#post.event(blockedWarning(member, isHeard));
  }
}

function blockedWarning({ name, endpoint }: Member, isHeard: boolean): SwimEvent {
  const how = isHeard
    ? "UDP packets of this host do not arrive there, though its own arrive here"
    : "no UDP packet of it arrives here";
  return {
    kind: "warning",
    code: "udp-blocked",
    text: `${name} (${endpoint}) is there, but ${how}`,
    remedy: "Allow UDP in both directions on the gossip and VXLAN ports between the two hosts",
  };
}
