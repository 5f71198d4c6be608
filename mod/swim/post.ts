/**
 * Everything that leaves: packs messages into envelopes, fills packets up with gossip, and collects
 * the actions of a step.
 */
import { assert } from "../base/assert.ts";
import type { Action, Endpoint } from "../base/core.ts";
import { PACKET_BYTES_MAX } from "../base/limits.ts";
import type { Envelope, Opened, Path } from "../wire/envelope.ts";
import { joinParts, PART_OVERHEAD_BYTES } from "../wire/parts.ts";
import { encodeRefusal, type RefusalReason } from "../wire/refusal.ts";
import type { SwimEvent } from "./event.ts";
import type { Paths } from "./paths.ts";
import type { GossipQueue } from "./queue.ts";

/**
 * Datagrams to the sender of one packet. A real packet gets two at most: an ack or a letter, and a correction. Who forges the
 * sender's address must not be able to fill a packet with questions and have all answers sent there.
 */
export const ANSWERS_MAX = 4;

export class Post {
  /** Bytes that the messages of one packet may take, the overhead of each included. */
  readonly packetBytesMax: number;
  readonly #envelope: Envelope;
  readonly #paths: Paths;
  readonly #queue: GossipQueue;
  /** How often an item of gossip is sent, at the cluster's present size. */
  readonly #gossipLimit: () => number;
  /** Requests of others that wait for their answers. */
  readonly #asked = new Map<number, Opened>();
  /** Who sent the packet that is being worked on. */
  #sender: { readonly endpoint: Endpoint; readonly path: Path; answers: number } | null = null;
  #actions: Action<SwimEvent>[] = [];

  constructor(envelope: Envelope, paths: Paths, queue: GossipQueue, gossipLimit: () => number) {
    this.#envelope = envelope;
    this.#paths = paths;
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

  /**
   * Works on a packet. What is sent to its sender meanwhile is wrapped as the packet was: the sender may be a process that
   * nobody told us of yet.
   */
  answering(endpoint: Endpoint, path: Path, work: () => void): void {
    this.#sender = { endpoint, path, answers: 0 };
    try {
      work();
    } finally {
      this.#sender = null;
    }
  }

  /** Sends one datagram of exactly these messages, unless nobody is known at that endpoint. */
  send(to: Endpoint, messages: readonly Uint8Array[]): void {
    const path = this.#pathTo(to);
    if (path !== null) this.#send(to, path, messages);
  }

  /** Sends one datagram and uses the room that is left in it for gossip. */
  sendWithGossip(to: Endpoint, messages: readonly Uint8Array[]): void {
    const path = this.#pathTo(to);
    if (path === null) return;
    if (this.#queue.length === 0) return this.#send(to, path, messages);
    let left = this.packetBytesMax;
    for (const message of messages) left -= message.length + PART_OVERHEAD_BYTES;
    this.#send(to, path, [...messages, ...this.#takeGossip(left)]);
  }

  /** Sends one datagram of gossip alone, if there is any. */
  sendGossip(to: Endpoint): void {
    const path = this.#pathTo(to);
    if (path === null) return; // news are only counted as told when they are
    const news = this.#takeGossip(this.packetBytesMax);
    if (news.length > 0) this.#send(to, path, news);
  }

  /** A request arrived; it waits for {@linkcode Post.answer} or {@linkcode Post.refuse}. */
  asked(id: number, opened: Opened): void {
    this.#asked.set(id, opened);
  }

  /** Answers a request as it was asked. */
  answer(id: number, message: Uint8Array): void {
    const opened = this.#asked.get(id);
    assert(opened !== undefined, "each request is answered once");
    this.#asked.delete(id);
    this.push({ kind: "answer", id, bytes: this.#envelope.answer(message, opened) });
  }

  /** Answers a request with no, and why. */
  refuse(id: number, reason: RefusalReason): void {
    this.#asked.delete(id);
    this.push({ kind: "answer", id, bytes: encodeRefusal(reason) });
  }

  /** The room for one message in a packet that already holds others of that many bytes in all. */
  roomFor(otherBytes: number, others: number): number {
    const room = this.packetBytesMax - otherBytes - (others + 1) * PART_OVERHEAD_BYTES;
    assert(room > 0, "a packet has room for more than its fixed parts");
    return room;
  }

  #pathTo(to: Endpoint): Path | null {
    if (this.#sender?.endpoint !== to) return this.#paths.to(to);
    return this.#sender.answers++ < ANSWERS_MAX ? this.#sender.path : null;
  }

  #send(to: Endpoint, path: Path, messages: readonly Uint8Array[]): void {
    this.push({ kind: "send", to, bytes: this.#envelope.seal(joinParts(messages), path) });
  }

  #takeGossip(budgetBytes: number): Uint8Array[] {
    return this.#queue.take(budgetBytes, PART_OVERHEAD_BYTES, this.#gossipLimit());
  }
}
