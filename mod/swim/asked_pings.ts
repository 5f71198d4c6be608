/**
 * Pings that an operator asked for: by datagram and over a stream, each told apart, which is what the failure detector
 * deliberately does not do. Nobody is suspected or cleared by them.
 */
import type { Endpoint } from "../base/core.ts";
import { encodePing, encodeReach } from "../wire/probe_messages.ts";
import type { Member, MemberId } from "./member.ts";
import type { MemberTable } from "./members.ts";
import type { PingOutcome } from "./ping_outcome.ts";
import type { Post } from "./post.ts";
import type { Outcome, Requests } from "./requests.ts";
import type { Sequence } from "./sequence.ts";

/** One lost datagram is no blocked port: at 30 % loss each round trip fails with 0.51, three in a row with 0.13. */
const DATAGRAMS = 3;
/** Between two of them, and after the last: far more than a round trip around the planet. */
const INTERVAL_MS = 500;
const TIMEOUT_MS = DATAGRAMS * INTERVAL_MS;
/** Under way at a time; each lasts no longer than the above. */
export const ASKED_PINGS_MAX = 16;

/** The command, as `SwimCommand` has it. */
export interface PingCommand {
  readonly request: number;
  readonly id: MemberId;
}

interface AskedPing {
  readonly request: number;
  readonly member: Member;
  readonly startedAtMs: number;
  readonly sentAtMs: Map<number, number>;
  nextAtMs: number;
  datagramMs: number | null;
  stream: Pick<PingOutcome, "streamMs" | "streamReason"> | null;
}

export class AskedPings {
  readonly #selfId: MemberId;
  readonly #table: MemberTable;
  readonly #post: Post;
  readonly #requests: Requests;
  readonly #sequence: Sequence;
  #pings: AskedPing[] = [];

  constructor(parts: {
    selfId: MemberId;
    table: MemberTable;
    post: Post;
    requests: Requests;
    sequence: Sequence;
  }) {
    this.#selfId = parts.selfId;
    this.#table = parts.table;
    this.#post = parts.post;
    this.#requests = parts.requests;
    this.#sequence = parts.sequence;
  }

  /** Ends in a `pinged` event, whose outcome is null when there is no such member or too much to do. */
  start(nowMs: number, { request, id }: PingCommand): void {
    const member = this.#table.get(id);
    const isFull = this.#pings.length >= ASKED_PINGS_MAX;
    if (member === undefined || id === this.#selfId || isFull) {
      return this.#post.event({ kind: "pinged", request, outcome: null });
    }
    const ping: AskedPing = {
      request,
      member,
      startedAtMs: nowMs,
      sentAtMs: new Map(),
      nextAtMs: nowMs,
      datagramMs: null,
      stream: null,
    };
    this.#pings.push(ping);
    // Asked for somebody else, a host that is there says that it is not that one. In its own name it would take the
    // question for a doubt about its datagrams, see UdpWatch.
    const reach = encodeReach(this.#sequence.next(), this.#selfId, this.#selfId);
    this.#requests.ask(member.endpoint, reach, TIMEOUT_MS, (endMs, outcome) => {
      ping.stream = streamOutcome(endMs - ping.startedAtMs, outcome);
      this.#endIfDone(ping);
    });
  }

  /** Some ack came. */
  acked(nowMs: number, from: Endpoint, sequence: number): void {
    for (const ping of this.#pings) {
      const sentAtMs = ping.sentAtMs.get(sequence);
      if (sentAtMs === undefined || from !== ping.member.endpoint) continue;
      ping.datagramMs ??= nowMs - sentAtMs;
      return this.#endIfDone(ping);
    }
  }

  advance(nowMs: number): void {
    for (const ping of this.#pings) {
      if (nowMs < ping.nextAtMs || ping.datagramMs !== null) continue;
      if (ping.sentAtMs.size === DATAGRAMS) {
        ping.nextAtMs = Infinity;
        this.#endIfDone(ping);
        continue;
      }
      const sequence = this.#sequence.next();
      ping.sentAtMs.set(sequence, nowMs);
      ping.nextAtMs = nowMs + INTERVAL_MS;
      this.#post.send(ping.member.endpoint, [encodePing(sequence, ping.member.id, this.#selfId)]);
    }
  }

  wakeAtMs(): number {
    let atMs = Infinity;
    for (const { nextAtMs, datagramMs } of this.#pings) {
      if (datagramMs === null) atMs = Math.min(atMs, nextAtMs);
    }
    return atMs;
  }

  #endIfDone(ping: AskedPing): void {
    const { request, datagramMs, stream, nextAtMs } = ping;
    if (stream === null || (datagramMs === null && nextAtMs < Infinity)) return;
    this.#pings = this.#pings.filter((one) => one !== ping);
    this.#post.event({ kind: "pinged", request, outcome: { datagramMs, ...stream } });
  }
}

/** A host that refuses because it is not the one that was asked for has been reached; so has one that answers. */
function streamOutcome(ms: number, outcome: Outcome): NonNullable<AskedPing["stream"]> {
  const isThere = outcome.kind === "answered" || outcome.refusal === "other-host";
  if (isThere) return { streamMs: ms, streamReason: null };
  return { streamMs: null, streamReason: outcome.reason };
}
