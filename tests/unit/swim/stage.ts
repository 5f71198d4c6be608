/** One real swim among peers that a test plays by hand: time, packets in, packets out. */
import assert from "node:assert/strict";
import type { Action, Input } from "../../../mod/base/core.ts";
import { Random } from "../../../mod/base/random.ts";
import type { SwimEvent } from "../../../mod/swim/event.ts";
import type { Member } from "../../../mod/swim/member.ts";
import type { Rider } from "../../../mod/swim/rider.ts";
import { Swim, type SwimCommand, type SwimOptions } from "../../../mod/swim/swim.ts";
import { LAN_TIMINGS } from "../../../mod/swim/timings.ts";
import { DESTINATION_BYTES, Envelope, type SealedPath } from "../../../mod/wire/envelope.ts";
import type { Keyring } from "../../../mod/wire/keyring.ts";
import type { MemberRecord } from "../../../mod/wire/member_record.ts";
import { decodeMessage, type Message } from "../../../mod/wire/messages.ts";
import { encodeAlive } from "../../../mod/wire/news_messages.ts";
import { joinParts, splitParts } from "../../../mod/wire/parts.ts";

/** Host n of the stage; 1 is the real one. */
export function peer(number: number, changes: Partial<MemberRecord> = {}): MemberRecord {
  return {
    id: number.toString().padStart(32, "0"),
    instance: number.toString().padStart(16, "0"),
    name: `h${number}`,
    endpoint: `10.0.0.${number}:7947`,
    incarnation: 10,
    version: "0.1.0",
    protocolMin: 1,
    protocolMax: 1,
    features: 0,
    ...changes,
  };
}

export function sealedFor(instance: string): SealedPath {
  return { destination: Uint8Array.fromHex(instance), key: null };
}

export interface SentPacket {
  readonly to: string;
  readonly messages: Message[];
}

/** Notes what swim tells its rider, in order. */
export class RecordingRider implements Rider {
  readonly calls: string[] = [];
  /** What it says in each message but an update. */
  state: Uint8Array = new Uint8Array([1]);
  /** Its update; null when its state is the same as any other. */
  toTell: Uint8Array | null = null;

  compare(): Uint8Array {
    return this.state;
  }
  compared(_nowMs: number, theirs: Uint8Array): Uint8Array {
    this.calls.push(`compared ${theirs.toHex()}`);
    return this.state;
  }
  update(_nowMs: number, member: string, answer: Uint8Array): Uint8Array | null {
    this.calls.push(`update ${Number(member)} ${answer.toHex()}`);
    return this.toTell;
  }
  updated(_nowMs: number, update: Uint8Array): Uint8Array {
    this.calls.push(`updated ${update.toHex()}`);
    return this.state;
  }
  merge(_nowMs: number, member: string, rest: Uint8Array): void {
    this.calls.push(`merge ${Number(member)} ${rest.toHex()}`);
  }
  receive(_nowMs: number, arrival: { via: string; from: string }, bytes: Uint8Array): void {
    this.calls.push(`${arrival.via} ${arrival.from} ${bytes.toHex()}`);
  }
  memberChanged(_nowMs: number, member: Member, previous: Member | null): void {
    this.calls.push(`${member.name} ${previous?.status ?? "unknown"} > ${member.status}`);
  }
  synced(_nowMs: number, member: string): void {
    this.calls.push(`synced ${Number(member)}`);
  }
}

/** News of some dozen members, each sent ten times at most, are over in a few seconds. */
const QUIET_TICKS_MAX = 600;

export class Stage {
  readonly rider = new RecordingRider();
  /** Plain. */
  readonly envelope: Envelope;
  /** The keys of the stage's host and of all its peers; null when they speak plainly. */
  readonly keys: Keyring | null;
  /** A peer's own, sealing when the stage has keys. */
  readonly #peers: Envelope;
  readonly swim: Swim;
  nowMs = 1000;
  #actions: Action<SwimEvent>[] = [];
  #events: SwimEvent[] = [];

  constructor(changes: Partial<SwimOptions> = {}) {
    const { incarnation, ...self } = peer(1);
    this.swim = new Swim(
      {
        label: "test",
        self,
        incarnation,
        timings: LAN_TIMINGS,
        seeds: [],
        remembered: [],
        ...changes,
      },
      new Random(1),
      this.rider,
    );
    const { label = "test", keys = null } = changes;
    this.keys = keys;
    this.envelope = new Envelope(label, null);
    this.#peers = new Envelope(label, keys && { keys, instance: peer(2).instance });
    this.step({ kind: "wake" });
  }

  /** A stage on which these peers are known and the news of them are spent. */
  static among(...numbers: number[]): Stage {
    const stage = new Stage();
    for (const number of numbers) {
      stage.packet(peer(number).endpoint, encodeAlive(peer(number)));
    }
    stage.quieten();
    stage.rider.calls.length = 0;
    return stage;
  }

  step(input: Input<SwimCommand>): void {
    this.#actions.push(...this.swim.step(this.nowMs, input));
  }

  /** A packet of these messages arrives. */
  packet(from: string, ...messages: Uint8Array[]): void {
    this.step({ kind: "packet", from, bytes: this.seal(joinParts(messages)) });
  }

  /** Wraps a payload as a peer does. */
  seal(payload: Uint8Array): Uint8Array<ArrayBuffer> {
    return this.#peers.seal(payload, this.keys === null ? "plain" : sealedFor(peer(1).instance));
  }

  /** Opens what the stage's host sent, whichever process it is sealed for. */
  open(bytes: Uint8Array): Uint8Array {
    if (this.keys === null || bytes[0] === 1) return this.envelope.open(bytes).payload;
    const at = 2 + (bytes[1] ?? 0);
    const label = new TextDecoder().decode(bytes.subarray(2, at));
    const instance = bytes.subarray(at, at + DESTINATION_BYTES).toHex();
    return new Envelope(label, { keys: this.keys, instance }).open(bytes).payload;
  }

  /** Lets time pass; `answers` sees each packet as it is sent. */
  runFor(durationMs: number, answers: (packet: SentPacket) => void = () => {}): void {
    const endMs = this.nowMs + durationMs;
    while (this.swim.wakeAtMs() <= endMs) {
      this.nowMs = Math.max(this.nowMs, this.swim.wakeAtMs());
      const before = this.#actions.length;
      this.step({ kind: "wake" });
      for (const action of this.#actions.slice(before)) {
        if (action.kind === "send") answers(this.#read(action));
      }
    }
    this.nowMs = endMs;
  }

  /** All peers answer their pings until no news are left; then what was sent is forgotten. */
  quieten(): void {
    const answer = (packet: SentPacket) => this.ack(packet);
    for (let ticks = 0; this.swim.snapshot().queueLength > 0; ticks++) {
      if (ticks === QUIET_TICKS_MAX) throw new Error("the news never end");
      this.runFor(100, answer);
    }
    this.runFor(300, answer); // beyond a gossip interval: the next news leave at once
    this.take();
    this.events();
  }

  /** Answers a ping as its target would. */
  ack(packet: SentPacket): void {
    for (const message of packet.messages) {
      if (message.kind !== "ping") continue;
      this.packet(packet.to, new Uint8Array(encodeAckOf(message.sequence)));
    }
  }

  /** Everything asked for since the last call. */
  take(): Action<SwimEvent>[] {
    const actions = this.#actions;
    this.#actions = [];
    for (const action of actions) if (action.kind === "event") this.#events.push(action.event);
    return actions;
  }

  /** Datagrams since the last call of this or {@linkcode take}. */
  sent(): SentPacket[] {
    return this.take().flatMap((action) => action.kind === "send" ? [this.#read(action)] : []);
  }

  /** Events since the last call. */
  events(): SwimEvent[] {
    this.#events.push(
      ...this.#actions.flatMap((action) => action.kind === "event" ? [action.event] : []),
    );
    this.#actions = this.#actions.filter(({ kind }) => kind !== "event");
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Events since the last call, as words: `member-joined h2`. */
  eventWords(): string[] {
    return this.events().map((event) =>
      "member" in event
        ? `${event.kind} ${event.member.name}`
        : event.kind === "warning"
        ? event.code
        : event.kind
    );
  }

  /** The only message of that kind sent since the last call, wherever to. */
  sentMessages<Kind extends Message["kind"]>(kind: Kind): Extract<Message, { kind: Kind }>[] {
    const isKind = (message: Message): message is Extract<Message, { kind: Kind }> =>
      message.kind === kind;
    return this.sent().flatMap(({ messages }) => messages.filter(isKind));
  }

  status(number: number): string {
    return this.member(number)?.status ?? "unknown";
  }

  member(number: number): Member | undefined {
    return this.swim.member(peer(number).id);
  }

  known(number: number): Member {
    const member = this.member(number);
    assert(member !== undefined, `h${number} is known`);
    return member;
  }

  #read(action: { to: string; bytes: Uint8Array }): SentPacket {
    const messages = splitParts(this.open(action.bytes)).map(decodeMessage);
    return { to: action.to, messages };
  }
}

/** Written by hand: a test of acks must not depend on their encoder. */
function encodeAckOf(sequence: number): number[] {
  if (sequence < 24) return [0x82, 3, sequence];
  if (sequence < 256) return [0x82, 3, 0x18, sequence];
  if (sequence < 65_536) return [0x82, 3, 0x19, sequence >> 8, sequence & 255];
  return [
    0x82,
    3,
    0x1a,
    sequence >>> 24,
    sequence >> 16 & 255,
    sequence >> 8 & 255,
    sequence & 255,
  ];
}
