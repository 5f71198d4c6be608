/**
 * Pings that this host sends for others, and the acks and nacks that it owes them. These carry no gossip: nobody knows whether
 * the asker's address is its own, and a small packet must not send a large one to somebody else.
 */
import type { Endpoint } from "../base/core.ts";
import { encodeAck, encodeNack, encodePing, type IndirectPing } from "../wire/probe_messages.ts";
import type { Lifeguard } from "./lifeguard.ts";
import type { MemberId } from "./member.ts";
import type { MemberTable } from "./members.ts";
import type { Post } from "./post.ts";
import type { Sequence } from "./sequence.ts";
import { nackWaitMs, type SwimTimings } from "./timings.ts";

interface Relay {
  readonly asker: Endpoint;
  readonly askerSequence: number;
  readonly nackAtMs: number;
}

/** Each lasts half a second; a host that is asked more often than 500 times a second is flooded. */
const RELAYS_MAX = 256;

/** An asker has one round of probes under way, and rarely a doubt beside it; a forged one may ask for many in one packet. */
export const RELAYS_PER_ASKER_MAX = 4;

export class Relays {
  readonly #selfId: MemberId;
  readonly #table: MemberTable;
  readonly #lifeguard: Lifeguard;
  readonly #timings: SwimTimings;
  readonly #post: Post;
  readonly #sequence: Sequence;
  /** By our own sequence number; in the order of their nacks, since all wait equally long. */
  readonly #relays = new Map<number, Relay>();

  constructor(parts: {
    selfId: MemberId;
    table: MemberTable;
    lifeguard: Lifeguard;
    timings: SwimTimings;
    post: Post;
    sequence: Sequence;
  }) {
    this.#selfId = parts.selfId;
    this.#table = parts.table;
    this.#lifeguard = parts.lifeguard;
    this.#timings = parts.timings;
    this.#post = parts.post;
    this.#sequence = parts.sequence;
  }

  /** Pings the target for somebody; one that is unknown here ends in a nack. */
  ask(nowMs: number, asker: Endpoint, request: IndirectPing): void {
    if (this.#relays.size >= RELAYS_MAX || this.#countOf(asker) >= RELAYS_PER_ASKER_MAX) return;
    const sequence = this.#sequence.next();
    const nackAtMs = nowMs + nackWaitMs(this.#timings);
    this.#relays.set(sequence, { asker, askerSequence: request.sequence, nackAtMs });
    const target = this.#table.get(request.target);
    if (target === undefined || target.id === this.#selfId) return;
    this.#post.sendWithGossip(target.endpoint, [encodePing(sequence, target.id, this.#selfId)]);
  }

  /** Passes an ack on, if it is one that somebody waits for. */
  acked(sequence: number): void {
    const relay = this.#relays.get(sequence);
    if (relay === undefined) return;
    this.#relays.delete(sequence);
    this.#post.send(relay.asker, [encodeAck(relay.askerSequence)]);
  }

  advance(nowMs: number): void {
    for (const [sequence, relay] of this.#relays) {
      if (relay.nackAtMs > nowMs) return;
      this.#relays.delete(sequence);
      if (!this.#lifeguard.lhaProbe) continue;
      this.#post.send(relay.asker, [encodeNack(relay.askerSequence)]);
    }
  }

  #countOf(asker: Endpoint): number {
    let count = 0;
    for (const relay of this.#relays.values()) if (relay.asker === asker) count++;
    return count;
  }

  wakeAtMs(): number {
    for (const relay of this.#relays.values()) return relay.nackAtMs;
    return Infinity;
  }
}
