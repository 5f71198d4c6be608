/**
 * Everything that leaves: packs messages into envelopes, fills packets up with gossip, and collects
 * the actions of a step.
 */
import { assert } from "../base/assert.ts";
import type { Action, Endpoint } from "../base/core.ts";
import { PACKET_BYTES_MAX } from "../base/limits.ts";
import type { Envelope } from "../wire/envelope.ts";
import { joinParts, PART_OVERHEAD_BYTES } from "../wire/parts.ts";
import { encodeRefusal, type RefusalReason } from "../wire/refusal.ts";
import type { SwimEvent } from "./event.ts";
import type { GossipQueue } from "./queue.ts";

export class Post {
  /** Bytes that the messages of one packet may take, the overhead of each included. */
  readonly packetBytesMax: number;
  readonly #envelope: Envelope;
  readonly #queue: GossipQueue;
  /** How often an item of gossip is sent, at the cluster's present size. */
  readonly #gossipLimit: () => number;
  #actions: Action<SwimEvent>[] = [];

  constructor(envelope: Envelope, queue: GossipQueue, gossipLimit: () => number) {
    this.#envelope = envelope;
    this.#queue = queue;
    this.#gossipLimit = gossipLimit;
    this.packetBytesMax = PACKET_BYTES_MAX - envelope.overheadBytes;
  }

  /** What was collected since the last call. */
  drain(): Action<SwimEvent>[] {
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }

  /** Any action that needs no packing. */
  push(action: Action<SwimEvent>): void {
    this.#actions.push(action);
  }

  event(event: SwimEvent): void {
    this.push({ kind: "event", event });
  }

  /** Sends one datagram of exactly these messages. */
  send(to: Endpoint, messages: readonly Uint8Array[]): void {
    this.push({ kind: "send", to, bytes: this.#envelope.seal(joinParts(messages)) });
  }

  /** Sends one datagram and uses the room that is left in it for gossip. */
  sendWithGossip(to: Endpoint, messages: readonly Uint8Array[]): void {
    if (this.#queue.length === 0) return this.send(to, messages);
    let left = this.packetBytesMax;
    for (const message of messages) left -= message.length + PART_OVERHEAD_BYTES;
    this.send(to, [...messages, ...this.#takeGossip(left)]);
  }

  /** Sends one datagram of gossip alone, if there is any. */
  sendGossip(to: Endpoint): void {
    const news = this.#takeGossip(this.packetBytesMax);
    if (news.length > 0) this.send(to, news);
  }

  /** Asks over a stream. */
  request(id: number, to: Endpoint, message: Uint8Array, timeoutMs: number): void {
    this.push({ kind: "request", id, to, bytes: this.#envelope.seal(message), timeoutMs });
  }

  /** Answers a request. */
  answer(id: number, message: Uint8Array): void {
    this.push({ kind: "answer", id, bytes: this.#envelope.seal(message) });
  }

  /** Answers a request with no, and why. */
  refuse(id: number, reason: RefusalReason): void {
    this.push({ kind: "answer", id, bytes: encodeRefusal(reason) });
  }

  /** The room for one message in a packet that already holds others of that many bytes in all. */
  roomFor(otherBytes: number, others: number): number {
    const room = this.packetBytesMax - otherBytes - (others + 1) * PART_OVERHEAD_BYTES;
    assert(room > 0, "a packet has room for more than its fixed parts");
    return room;
  }

  #takeGossip(budgetBytes: number): Uint8Array[] {
    return this.#queue.take(budgetBytes, PART_OVERHEAD_BYTES, this.#gossipLimit());
  }
}
