/** What arrives: opened, read, and given to the part that it concerns. Nothing from outside throws beyond here. */
import { unreachable } from "../base/assert.ts";
import type { Endpoint } from "../base/core.ts";
import { WireError } from "../base/errors.ts";
import { MEMBERS_MAX, PACKET_BYTES_MAX } from "../base/limits.ts";
import {
  type Envelope,
  EnvelopeError,
  type EnvelopeReason,
  type Opened,
} from "../wire/envelope.ts";
import { encodeHelloed } from "../wire/hello_messages.ts";
import { encodeKeysAnswer, type KeysRequest } from "../wire/key_messages.ts";
import { decodeMessage, type Message } from "../wire/messages.ts";
import { splitParts } from "../wire/parts.ts";
import { encodeAck, type Ping } from "../wire/probe_messages.ts";
import { encodeWhoAnswer, type Who } from "../wire/who_messages.ts";
import { countRefused, type SwimCounters } from "./counters.ts";
import type { AskedPings } from "./asked_pings.ts";
import type { Evidence } from "./evidence.ts";
import type { IdentityWatch } from "./identity_watch.ts";
import type { OwnKeys } from "./own_keys.ts";
import type { Lifeguard } from "./lifeguard.ts";
import type { Member, MemberId } from "./member.ts";
import type { MemberTable } from "./members.ts";
import { encodeNews } from "./news.ts";
import type { Post } from "./post.ts";
import type { Prober } from "./prober.ts";
import type { Relays } from "./relays.ts";
import type { Rider } from "./rider.ts";
import type { Self } from "./self.ts";
import type { Strangers } from "./strangers.ts";
import type { Synchroniser } from "./synchroniser.ts";
import type { UdpWatch } from "./udp_watch.ts";

/** Answers to outdated news of one member, and to each who passes them on: at most one in this time. */
const CORRECTION_INTERVAL_MS = 1000;

export class Receiver {
  readonly #self: Self;
  readonly #table: MemberTable;
  readonly #envelope: Envelope;
  readonly #evidence: Evidence;
  readonly #prober: Prober;
  readonly #relays: Relays;
  readonly #synchroniser: Synchroniser;
  readonly #post: Post;
  readonly #lifeguard: Lifeguard;
  readonly #udpWatch: UdpWatch;
  readonly #askedPings: AskedPings;
  readonly #ownKeys: OwnKeys;
  readonly #rider: Rider;
  readonly #strangers: Strangers;
  readonly #identityWatch: IdentityWatch;
  readonly #counters: SwimCounters;
  /** When outdated news were last answered: those that a member has of itself by its id, others with their teller. */
  readonly #correctedAtMs = new Map<string, number>();

  constructor(parts: {
    self: Self;
    table: MemberTable;
    envelope: Envelope;
    evidence: Evidence;
    prober: Prober;
    relays: Relays;
    synchroniser: Synchroniser;
    post: Post;
    lifeguard: Lifeguard;
    udpWatch: UdpWatch;
    askedPings: AskedPings;
    ownKeys: OwnKeys;
    rider: Rider;
    strangers: Strangers;
    identityWatch: IdentityWatch;
    counters: SwimCounters;
  }) {
    this.#self = parts.self;
    this.#table = parts.table;
    this.#envelope = parts.envelope;
    this.#evidence = parts.evidence;
    this.#prober = parts.prober;
    this.#relays = parts.relays;
    this.#synchroniser = parts.synchroniser;
    this.#post = parts.post;
    this.#lifeguard = parts.lifeguard;
    this.#udpWatch = parts.udpWatch;
    this.#askedPings = parts.askedPings;
    this.#ownKeys = parts.ownKeys;
    this.#rider = parts.rider;
    this.#strangers = parts.strangers;
    this.#identityWatch = parts.identityWatch;
    this.#counters = parts.counters;
  }

  /** Takes the `packet` input. All messages are read before any is acted upon: a malformed packet does nothing at all. */
  packet(nowMs: number, from: Endpoint, bytes: Uint8Array): void {
    this.#counters.packetsReceived++;
    let messages: Message[];
    let opened: Opened;
    try {
      if (bytes.length > PACKET_BYTES_MAX) throw new WireError("packet: too long");
      opened = this.#envelope.open(bytes);
      if (!opened.isBound) throw new WireError("packet: sealed for whoever opens it");
      messages = splitParts(opened.payload).map(decodeMessage);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#strangers.refused(nowMs, from, countRefused(this.#counters, error));
      return;
    }
    this.#udpWatch.heard(from);
    this.#post.answering(from, opened.path, () => {
      for (const message of messages) this.#message(nowMs, from, message);
    });
  }

  #message(nowMs: number, from: Endpoint, message: Message): void {
    switch (message.kind) {
      case "ping":
        return this.#ping(from, message);
      case "indirect-ping":
        return this.#relays.ask(nowMs, from, message);
      case "ack":
        this.#relays.acked(message.sequence);
        this.#udpWatch.acked(from, message.sequence);
        this.#askedPings.acked(nowMs, from, message.sequence);
        return this.#prober.acked(nowMs, from, message.sequence);
      case "nack":
        return this.#prober.nacked(from, message.sequence);
      case "alive":
        if (this.#evidence.alive(nowMs, message.record) === "outdated") {
          this.#correct(nowMs, from, message.record);
        }
        return;
      case "suspect":
        this.#enlighten(nowMs, from, message);
        return this.#evidence.suspect(nowMs, message);
      case "dead":
        this.#enlighten(nowMs, from, message);
        return this.#evidence.dead(nowMs, message);
      case "left":
        this.#enlighten(nowMs, from, message);
        return this.#evidence.left(nowMs, message);
      case "rider-item":
        return this.#rider.receive(nowMs, { via: "gossip", from }, message.bytes);
      case "rider-letter":
        return this.#rider.receive(nowMs, { via: "letter", from }, message.bytes);
      case "compare":
      case "compared":
      case "update":
      case "updated":
      case "reach":
      case "hello":
      case "helloed":
      case "keys":
      case "keys-answer":
      case "who":
      case "who-answer":
        countRefused(this.#counters, null); // these come over streams only
        return;
      case "unknown":
        this.#counters.unknownMessages++;
        return;
      default:
        return unreachable(message);
    }
  }

  /** A ping for somebody else is not answered: that host is not here any more. */
  #ping(from: Endpoint, ping: Ping): void {
    if (ping.target !== this.#self.id) return;
    const answer = [encodeAck(ping.sequence)];
    const source = this.#table.get(ping.source);
    if (source !== undefined && source.status !== "alive" && this.#lifeguard.buddy) {
      // Who is not believed alive hears it from us, and can refute.
      answer.push(encodeNews(source, this.#self.id));
    }
    // Gossip is for members: a forged address must not get a packet that is larger than the ping.
    if (source?.endpoint === from) this.#post.sendWithGossip(from, answer);
    else this.#post.send(from, answer);
  }

  /** Takes the `request` input; each is answered, if only with a refusal. */
  request(nowMs: number, id: number, from: Endpoint, bytes: Uint8Array): void {
    this.#counters.requestsReceived++;
    let message: Message;
    let opened: Opened;
    try {
      opened = this.#envelope.open(bytes);
      message = decodeMessage(opened.payload);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const reason = countRefused(this.#counters, error);
      this.#strangers.refused(nowMs, from, reason);
      return this.#post.refuse(id, reason);
    }
    this.#post.asked(id, opened);
    if (message.kind === "hello") return this.#hello(id, opened);
    if (!opened.isBound) return this.#post.refuse(id, this.#refused("other-instance"));
    if (message.kind === "keys") return this.#changeKeys(id, opened, message);
    if (message.kind === "compare") return this.#synchroniser.compare(nowMs, id, message);
    if (message.kind === "update") return this.#synchroniser.update(nowMs, id, message);
    if (message.kind === "who") return this.#who(nowMs, id, message);
    if (message.kind !== "reach") return this.#post.refuse(id, "malformed");
    if (message.target !== this.#self.id) return this.#post.refuse(id, "other-host");
    this.#udpWatch.doubts(nowMs, message.source);
    this.#post.answer(id, encodeAck(message.sequence));
  }

  /** Somebody who does not know this process yet. May be a recording, so it changes nothing and tells nothing to others. */
  #hello(id: number, opened: Opened): void {
    if (opened.path === "plain") return this.#post.refuse(id, this.#refused("malformed"));
    if (this.#envelope.isOwn(opened)) return this.#post.refuse(id, "own-host");
    this.#post.answer(id, encodeHelloed(this.#self.id, this.#self.member.instance));
  }

  /** Somebody under our own identity asks; it is asked in turn. */
  #who(nowMs: number, id: number, { nonce, id: theirId, instance, endpoint }: Who): void {
    const own = this.#self.member;
    if (theirId !== own.id || this.#self.hasLeft) return this.#post.refuse(id, "other-host");
    this.#post.answer(id, encodeWhoAnswer({ nonce, id: own.id, instance: own.instance }));
    this.#identityWatch.seen(nowMs, { endpoint, instance });
  }

  /** Keys are neither told nor taken plainly. */
  #changeKeys(id: number, opened: Opened, request: KeysRequest): void {
    if (opened.path === "plain") return this.#post.refuse(id, this.#refused("malformed"));
    if (request.target !== this.#self.id) return this.#post.refuse(id, "other-host");
    this.#ownKeys.change(request.operation, (fingerprints, failure) => {
      this.#post.answer(id, encodeKeysAnswer(fingerprints, failure));
    });
  }

  #refused(reason: EnvelopeReason): EnvelopeReason {
    return countRefused(this.#counters, new EnvelopeError(reason, "request"));
  }

  /**
   * A member said of itself what is outdated: it restarted and does not know what is known of it. It
   * hears that from us and can refute at once, instead of being taken for dead.
   */
  #correct(nowMs: number, from: Endpoint, record: { id: MemberId; endpoint: Endpoint }): void {
    const known = this.#table.get(record.id);
    if (known === undefined || from !== record.endpoint) return;
    if (this.#isToCorrect(nowMs, record.id)) this.#tell(from, known);
  }

  /**
   * Somebody holds bad news that were refuted already, so they missed the refutation. Gossip does not repeat
   * it; told now, they will not pronounce the member dead. Between hosts that do not reach each other this
   * host may be the only way that refutations take.
   */
  #enlighten(nowMs: number, from: Endpoint, news: { id: MemberId; incarnation: number }): void {
    const known = this.#table.get(news.id);
    if (known === undefined || news.incarnation >= known.incarnation) return;
    const isHere = known.status === "alive" && this.#isToCorrect(nowMs, `${known.id} ${from}`);
    if (known.id === this.#self.id || isHere) this.#tell(from, known);
  }

  #tell(to: Endpoint, member: Member): void {
    this.#post.send(to, [encodeNews(member, this.#self.id)]);
  }

  /** Whether this has not been answered for a while. */
  #isToCorrect(nowMs: number, what: string): boolean {
    const lastAtMs = this.#correctedAtMs.get(what) ?? -Infinity;
    if (nowMs - lastAtMs < CORRECTION_INTERVAL_MS) return false;
    if (this.#correctedAtMs.size >= MEMBERS_MAX) this.#correctedAtMs.clear();
    this.#correctedAtMs.set(what, nowMs);
    return true;
  }
}
