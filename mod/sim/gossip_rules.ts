/**
 * What must hold for what is sent: packets that fit, news that are passed on a limited number of times, at their pace, to
 * those who should hear them, and a history that is not repeated after an answer.
 */
import type { Endpoint } from "../base/core.ts";
import { PACKET_BYTES_MAX } from "../base/limits.ts";
import type { SwimTimings } from "../swim/timings.ts";
import type { Message } from "../wire/messages.ts";
import { type Life, type ObservedStep, ROUNDING_MS, type SentPacket } from "./observed_step.ts";

/** Jitter of the gossip interval: a tenth less at the earliest. */
const EARLIEST_SHARE = 0.9;

interface Followed {
  /** How often each item of news was sent in this life. */
  readonly sent: Map<string, number>;
  lastTickMs: number;
}

export class GossipRules {
  readonly #timings: SwimTimings;
  readonly #lives = new WeakMap<Life, Followed>();

  constructor(timings: SwimTimings) {
    this.#timings = timings;
  }

  check(step: ObservedStep): void {
    let followed = this.#lives.get(step.life);
    if (followed === undefined) {
      followed = { sent: new Map(), lastTickMs: -Infinity };
      this.#lives.set(step.life, followed);
    }
    let ticked = 0;
    for (const packet of step.sent) {
      this.#checkPacket(step, packet);
      if (isGoodbye(step, packet) || isAnswer(step, packet)) continue;
      const news = packet.messages.filter(isNews);
      if (news.length === packet.messages.length) ticked++;
      this.#count(step, followed, packet, news);
      this.#checkRide(step, packet, news);
    }
    if (ticked > 0) this.#checkTick(step, followed, ticked);
  }

  #checkPacket(step: ObservedStep, { to, length }: SentPacket): void {
    step.expect(length <= PACKET_BYTES_MAX, "packet-size", () => `sends ${length} B to ${to}`);
    const isOwn = to === step.host.endpoint && !step.hasTwins;
    step.expect(!isOwn, "packet-to-self", () => "sends to itself");
  }

  /** A probe takes along what news there are. */
  #checkRide(step: ObservedStep, { messages, length }: SentPacket, news: readonly Message[]): void {
    const [first] = messages;
    if (first?.kind !== "ping" || step.input.kind !== "wake" || news.length > 0) return;
    if (step.life.doubted.has(first.target)) return; // perhaps one of a series, which is for nothing else
    const hasRoom = length < PACKET_BYTES_MAX / 2;
    step.expect(
      !hasRoom || step.life.queueLength === 0 || step.snapshot.queueLength === 0,
      "news-ride",
      () => `has ${step.life.queueLength} items of news, and sends a ping without any`,
    );
  }

  /** News are passed on `multiplier * ceil(log10(n + 1))` times at most (memberlist). */
  #count(
    step: ObservedStep,
    followed: Followed,
    packet: SentPacket,
    news: readonly Message[],
  ): void {
    const reachable = Math.max(step.life.reachableMax, countReachable(step));
    const { retransmitMultiplier, retransmitMinimum } = this.#timings;
    const scaled = retransmitMultiplier * Math.ceil(Math.log10(reachable + 1));
    const limit = Math.max(retransmitMinimum, scaled);
    const isProbe = packet.messages.some(({ kind }) => kind === "ping" || kind === "ack");
    for (const message of news) {
      const key = newsKey(message);
      // What a ping tells its suspect, and an ack its doubter, is no gossip.
      if (isProbe && isAbout(step, message, packet.to)) continue;
      const count = (followed.sent.get(key) ?? 0) + 1;
      followed.sent.set(key, count);
      step.expect(
        count <= limit,
        "retransmit-limit",
        () => `sends "${key}" for the ${count}th time`,
      );
    }
  }

  #checkTick(step: ObservedStep, followed: Followed, packets: number): void {
    const { gossipIntervalMs, gossipNodes } = this.#timings;
    step.expect(packets <= gossipNodes, "gossip-pace", () => `gossips to ${packets} at once`);
    step.expect(
      step.localMs - followed.lastTickMs >= gossipIntervalMs * EARLIEST_SHARE - ROUNDING_MS,
      "gossip-pace",
      () => `gossips again after ${(step.localMs - followed.lastTickMs).toFixed(0)} ms`,
    );
    followed.lastTickMs = step.localMs;
    for (const packet of step.sent) {
      if (isGoodbye(step, packet) || isAnswer(step, packet)) continue;
      if (!packet.messages.every(isNews)) continue;
      const target = step.snapshot.members.find(({ endpoint }) => endpoint === packet.to);
      const before = target === undefined ? undefined : step.before(target.id);
      const isLongDead = target?.status === "dead" && before?.status === "dead" &&
        step.localMs - target.statusSinceMs > this.#timings.gossipToTheDeadMs + ROUNDING_MS;
      const hasLeft = target?.status === "left" && before?.status === "left";
      step.expect(
        step.hasTwins || (!isLongDead && !hasLeft),
        "gossip-target",
        () => `gossips to ${target?.name}, which is ${target?.status} for long`,
      );
    }
  }
}

function isNews({ kind }: Message): boolean {
  return kind === "alive" || kind === "suspect" || kind === "dead" || kind === "left";
}

/** A goodbye goes to everybody directly; by gossip alone it looks the same. */
function isGoodbye(step: ObservedStep, { messages }: SentPacket): boolean {
  const [message] = messages;
  return messages.length === 1 && message?.kind === "left" && message.id === step.selfId;
}

/** A single item of news back to where a packet came from: a correction, sent besides all gossip. */
function isAnswer(step: ObservedStep, packet: SentPacket): boolean {
  const [message] = packet.messages;
  const isAfterSync = step.frame !== null && packet.messages.length === 1;
  if (isAfterSync && message !== undefined && isAbout(step, message, packet.to)) return true;
  return step.input.kind === "packet" && packet.to === step.input.from &&
    packet.messages.length === 1 && packet.messages.every(isNews);
}

function isAbout(step: ObservedStep, message: Message, to: Endpoint): boolean {
  const id = "id" in message ? message.id : message.kind === "alive" ? message.record.id : "";
  return step.after(id)?.endpoint === to;
}

/** An item of news by its content: what a host sends of it again is the same item. */
function newsKey(message: Message): string {
  switch (message.kind) {
    case "alive": {
      const { id, incarnation, instance } = message.record;
      return `alive ${id} ${incarnation} ${instance}`;
    }
    case "suspect":
    case "dead":
      return `${message.kind} ${message.id} ${message.incarnation} by ${message.accuser}`;
    case "left":
      return `left ${message.id} ${message.incarnation}`;
    default:
      return message.kind;
  }
}

function countReachable(step: ObservedStep): number {
  if (step.changes.length === 0) return step.life.reachable;
  return step.snapshot.members
    .filter(({ status }) => status === "alive" || status === "suspect").length;
}
