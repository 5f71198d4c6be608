/**
 * Membership by gossip, as one state machine: SWIM with suspicion, Lifeguard, full syncs and serf's
 * reconnecting. Bytes and time in, actions out; the parts each hold one concept, here they meet.
 */
import { unreachable } from "../base/assert.ts";
import type { Action, Endpoint, Input } from "../base/core.ts";
import type { Random } from "../base/random.ts";
import {
  encodeRiderItem,
  encodeRiderLetter,
  RIDER_OVERHEAD_BYTES,
} from "../wire/rider_messages.ts";
import { AskedPings } from "./asked_pings.ts";
import { Awareness } from "./awareness.ts";
import { newCounters } from "./counters.ts";
import type { SwimEvent } from "./event.ts";
import { Evidence, type RefusedEvidence } from "./evidence.ts";
import { Farewell } from "./farewell.ts";
import { Gossiper } from "./gossiper.ts";
import { IdentityWatch } from "./identity_watch.ts";
import { Keeper, MEMBERS_PERSIST_ID } from "./keeper.ts";
import { KeyRotation } from "./key_rotation.ts";
import { LIFEGUARD } from "./lifeguard.ts";
import { type Mail, openMail } from "./mail.ts";
import type { Member, MemberId } from "./member.ts";
import { MemberTable } from "./members.ts";
import type { SwimCommand, SwimOptions, SwimSnapshot } from "./options.ts";
import { KEYS_PERSIST_ID } from "./own_keys.ts";
import { ownBytesMax, ownMember } from "./own_member.ts";
import type { Post } from "./post.ts";
import { Prober } from "./prober.ts";
import { GossipQueue } from "./queue.ts";
import { Receiver } from "./receiver.ts";
import { Reconnector } from "./reconnector.ts";
import { Relays } from "./relays.ts";
import { Reporter } from "./reporter.ts";
import type { Carrier, Rider, SeedsHeard } from "./rider.ts";
import { Seeds } from "./seeds.ts";
import { RoundTrips } from "./round_trip.ts";
import { Self } from "./self.ts";
import { Sequence } from "./sequence.ts";
import { Strangers } from "./strangers.ts";
import { Synchroniser } from "./synchroniser.ts";
import { retransmitLimit } from "./timings.ts";
import { Tombstones } from "./tombstones.ts";
import { UdpWatch } from "./udp_watch.ts";

export type { SwimCounters } from "./counters.ts";
export { ownMember } from "./own_member.ts";
export type { SwimCommand, SwimOptions, SwimSnapshot } from "./options.ts";

export class Swim implements Carrier {
  /** Bytes of one letter: a packet less the envelope, this host's own news, and the heads of both. */
  readonly letterBytesMax: number;
  readonly #options: SwimOptions;
  readonly #rider: Rider;
  readonly #mail: Mail;
  readonly #table = new MemberTable();
  readonly #queue = new GossipQueue();
  readonly #awareness: Awareness;
  readonly #post: Post;
  readonly #reporter: Reporter;
  readonly #self: Self;
  readonly #evidence: Evidence;
  readonly #identityWatch: IdentityWatch;
  readonly #udpWatch: UdpWatch;
  readonly #askedPings: AskedPings;
  readonly #roundTrips = new RoundTrips();
  readonly #prober: Prober;
  readonly #relays: Relays;
  readonly #gossiper: Gossiper;
  readonly #synchroniser: Synchroniser;
  readonly #seeds: Seeds;
  readonly #reconnector: Reconnector;
  readonly #farewell: Farewell;
  readonly #tombstones: Tombstones;
  readonly #keeper: Keeper;
  readonly #rotation: KeyRotation;
  readonly #receiver: Receiver;
  readonly #counters = newCounters();
  readonly #strangers = new Strangers();
  #nowMs = 0;
  #hasStarted = false;
  /** When the step now under way was asked for. */
  #dueAtMs = Infinity;

  /** @param rider is called from within steps; it may call back at any time. */
  constructor(options: SwimOptions, random: Random, rider: Rider) {
    const { timings, lifeguard = LIFEGUARD, known = [] } = options;
    this.#options = options;
    this.#rider = rider;
    const mail = openMail(options, {
      queue: this.#queue,
      gossipLimit: () => retransmitLimit(timings, this.#table.reachableCount),
      counters: this.#counters,
      now: () => this.#nowMs,
    });
    this.#mail = mail;
    this.#post = mail.post;
    this.#awareness = new Awareness(lifeguard.lhaProbe ? lifeguard.healthScoreMax : 0);
    this.#reporter = new Reporter(this.#table, (event) => this.#post.event(event));
    const changed = this.#memberChanged.bind(this);
    const member = ownMember(options);
    this.#self = new Self(member, this.#table, this.#queue, changed, options.known === undefined);
    for (const other of known) if (other.id !== member.id) this.#know(other);
    this.#reporter.own(member);
    const shared = {
      timings,
      lifeguard,
      random,
      rider,
      sequence: new Sequence(random),
      table: this.#table,
      queue: this.#queue,
      counters: this.#counters,
      awareness: this.#awareness,
      roundTrips: this.#roundTrips,
      self: this.#self,
      selfId: this.#self.id,
      keys: options.keys ?? null,
      ...mail,
    };
    const identityWatch = new IdentityWatch({ ...shared, options });
    this.#identityWatch = identityWatch;
    const evidence = new Evidence({
      ...shared,
      identityWatch,
      changed,
      refused: (evidence) => this.#refused(evidence),
      forgotten: (id) => this.#reconnector.forget(id),
    });
    this.#evidence = evidence;
    this.#udpWatch = new UdpWatch(shared);
    this.#askedPings = new AskedPings(shared);
    this.#prober = new Prober({ ...shared, evidence, udpWatch: this.#udpWatch });
    this.#relays = new Relays(shared);
    this.#gossiper = new Gossiper(shared);
    this.#synchroniser = new Synchroniser({ ...shared, evidence });
    const joins = { ...shared, synchroniser: this.#synchroniser };
    this.#seeds = new Seeds(joins);
    this.#reconnector = new Reconnector(joins, options.remembered);
    this.#farewell = new Farewell(shared);
    this.#tombstones = new Tombstones(this.#table, (id) => this.#roundTrips.forget(id));
    this.#keeper = new Keeper({ ...shared, reconnector: this.#reconnector });
    this.#rotation = new KeyRotation({ ...shared, missing: () => this.#reconnector.missing });
    this.#receiver = new Receiver({
      ...joins,
      evidence,
      prober: this.#prober,
      relays: this.#relays,
      udpWatch: this.#udpWatch,
      askedPings: this.#askedPings,
      strangers: this.#strangers,
      identityWatch,
    });
    this.letterBytesMax = this.#post.roomFor(ownBytesMax(member), 1) - RIDER_OVERHEAD_BYTES;
  }

  /** Takes one input; see {@linkcode Core.step}. Persist ids above 0 are somebody else's. */
  step(nowMs: number, input: Input<SwimCommand>): Action<SwimEvent>[] {
    this.#nowMs = nowMs;
    if (!this.#hasStarted) this.#start(nowMs);
    else this.#excuseDelay(nowMs);
    this.#take(nowMs, input);
    this.#advance(nowMs);
    this.#dueAtMs = this.wakeAtMs();
    return this.drain();
  }

  /** What was asked for since the last call: the rider may have used the carrier after the step. */
  drain(): Action<SwimEvent>[] {
    return this.#post.drain();
  }

  wakeAtMs(): number {
    if (!this.#hasStarted) return -Infinity;
    if (this.#farewell.isOver) return Infinity;
    const atMs = Math.min(this.#gossiper.wakeAtMs(), this.#farewell.wakeAtMs());
    if (this.#self.hasLeft) return atMs;
    return Math.min(
      atMs,
      this.#prober.wakeAtMs(),
      this.#relays.wakeAtMs(),
      this.#udpWatch.wakeAtMs(),
      this.#askedPings.wakeAtMs(),
      this.#evidence.wakeAtMs(),
      this.#identityWatch.wakeAtMs(),
      this.#synchroniser.wakeAtMs(),
      this.#seeds.wakeAtMs(),
      this.#reconnector.wakeAtMs(),
      this.#keeper.wakeAtMs(),
      this.#tombstones.wakeAtMs(),
    );
  }

  snapshot(): SwimSnapshot {
    return {
      self: this.#self.member,
      members: this.#table.list(),
      healthScore: this.#awareness.score,
      queueLength: this.#queue.length,
      seeds: this.#seeds.states(),
      missing: this.#reconnector.missing,
      joined: this.#hasJoined(),
      counters: this.#counters,
      strangers: (nowMs) => this.#strangers.recent(nowMs),
      path: (id) => ({ rttMs: this.#roundTrips.median(id), udp: this.#udpWatch.state(id) }),
      encryption: this.#encryption(),
    };
  }

  gossip(key: string, version: number, bytes: Uint8Array): void {
    this.#queue.add(`rider ${key}`, version, encodeRiderItem(bytes));
  }

  letter(to: Endpoint, bytes: Uint8Array): void {
    this.#post.send(to, [this.#self.encoded, encodeRiderLetter(bytes)]);
  }

  members(): readonly Member[] {
    return this.#table.list();
  }

  member(id: MemberId): Member | undefined {
    return this.#table.get(id);
  }

  self(): Member {
    return this.#self.member;
  }

  healthScore(): number {
    return this.#awareness.score;
  }

  missing(): readonly MemberId[] {
    return this.#reconnector.missing.map(({ id }) => id);
  }

  seeds(): SeedsHeard {
    return this.#seeds.count();
  }

  requestSync(id: MemberId): void {
    const member = this.#table.get(id);
    if (member === undefined || id === this.#self.id) return;
    this.#synchroniser.start(this.#nowMs, member.endpoint);
  }

  #start(nowMs: number): void {
    this.#hasStarted = true;
    this.#seeds.add(nowMs, this.#options.seeds);
    this.#reconnector.begin(nowMs);
    if (this.#options.known === undefined) return this.#keeper.changed(nowMs);
    this.#prober.begin(nowMs);
    this.#synchroniser.arm(nowMs);
  }

  #take(nowMs: number, input: Input<SwimCommand>): void {
    switch (input.kind) {
      case "packet":
        return this.#receiver.packet(nowMs, input.from, input.bytes);
      case "request":
        return this.#receiver.request(nowMs, input.id, input.from, input.bytes);
      case "answer":
        return this.#mail.requests.answered(nowMs, input.id, input.bytes);
      case "failed":
        return this.#mail.requests.failed(nowMs, input.id, input.reason);
      case "resolved":
        return this.#seeds.resolved(nowMs, input.seed, input.endpoints, input.reason);
      case "persisted":
        if (input.id === MEMBERS_PERSIST_ID) this.#keeper.persisted(nowMs, input.error);
        if (input.id === KEYS_PERSIST_ID) this.#mail.ownKeys.persisted(input.error);
        return;
      case "command":
        return this.#command(nowMs, input.command);
      case "wake":
        return;
      default:
        return unreachable(input);
    }
  }

  #advance(nowMs: number): void {
    if (this.#farewell.isOver) return;
    if (!this.#self.hasLeft) {
      this.#seeds.advance(nowMs);
      this.#reconnector.advance(nowMs);
      this.#prober.advance(nowMs);
      this.#relays.advance(nowMs);
      this.#udpWatch.advance(nowMs);
      this.#askedPings.advance(nowMs);
      this.#evidence.advance(nowMs);
      this.#identityWatch.advance(nowMs);
      this.#synchroniser.advance(nowMs);
      this.#keeper.advance(nowMs);
      this.#tombstones.advance(nowMs);
    }
    this.#gossiper.advance(nowMs);
    this.#farewell.advance(nowMs);
  }

  #command(nowMs: number, command: SwimCommand): void {
    switch (command.kind) {
      case "join":
        if (this.#self.hasLeft) this.#comeBack(nowMs);
        return this.#seeds.add(nowMs, command.seeds);
      case "drop-seeds":
        return this.#seeds.drop(command.seeds);
      case "leave":
        this.#farewell.begin(nowMs);
        return this.#keeper.flush(nowMs);
      case "forget":
        return this.#forget(nowMs, command.id, command.force);
      case "move":
        this.#self.move(nowMs, command.endpoint);
        this.#reconnector.hurry(nowMs);
        return this.#seeds.hurry(nowMs);
      case "keys":
        return this.#rotation.start(command);
      case "ping":
        return this.#askedPings.start(nowMs, command);
      default:
        return unreachable(command);
    }
  }

  #refused(evidence: RefusedEvidence): void {
    if (evidence.why === "incarnation-jump") {
      this.#counters.incarnationJumps++;
      return this.#reporter.incarnationJump(evidence.id, evidence.incarnation);
    }
    this.#counters.protocolMismatches++;
    this.#reporter.protocolMismatch(evidence.record, this.#self.member);
  }

  #forget(nowMs: number, id: MemberId, isForced: boolean): void {
    const member = this.#table.get(id);
    if (member === undefined && this.#reconnector.forget(id)) return this.#keeper.changed(nowMs);
    if (member?.status === "dead" || isForced) this.#evidence.forget(nowMs, id);
  }

  #comeBack(nowMs: number): void {
    this.#farewell.cancel();
    this.#self.comeBack(nowMs);
    for (const member of this.#table.list()) {
      if (member.id !== this.#self.id) this.#enrol(nowMs, member, null);
    }
  }

  /** A member that was there before this host began to listen. */
  #know(member: Member): void {
    this.#table.put(member);
    this.#mail.paths.changed(member);
  }

  #memberChanged(nowMs: number, member: Member, previous: Member | null): void {
    this.#reporter.changed(member, previous);
    this.#keeper.changed(nowMs);
    if (member.id !== this.#self.id) {
      this.#mail.paths.changed(member);
      this.#enrol(nowMs, member, previous);
    }
    this.#rider.memberChanged(nowMs, member, previous);
  }

  #enrol(nowMs: number, member: Member, previous: Member | null): void {
    if (member.status === "alive") {
      // One that is merely renamed has its place in the lap: another each time would let the lap grow without end.
      const isInLap = previous?.status === "alive" || previous?.status === "suspect";
      if (!isInLap) this.#prober.enrol(nowMs, member.id);
      this.#synchroniser.arm(nowMs);
    } else if (member.status !== "suspect") this.#udpWatch.forget(member.id);
    if (member.status === "left") this.#tombstones.left(nowMs, member.id);
    this.#reconnector.seen(nowMs, member.id);
    if (this.#table.reachableCount === 1) this.#seeds.rejoin(nowMs);
  }

  /** A process that was stopped for a while must not hold its own silence against others. */
  #excuseDelay(nowMs: number): void {
    const lateMs = nowMs - this.#dueAtMs;
    if (lateMs <= this.#options.timings.probeIntervalMs) return;
    this.#awareness.adjust(1);
    this.#evidence.postpone(nowMs, lateMs);
    this.#prober.excuse(nowMs);
  }

  #encryption(): SwimSnapshot["encryption"] {
    const { keys, plainGossip = "refuse" } = this.#options;
    return keys === undefined ? null : { fingerprints: keys.fingerprints, plainGossip };
  }

  #hasJoined(): boolean {
    if (this.#synchroniser.completed > 0) return true;
    return this.#seeds.areJoined && this.#options.remembered.length === 0;
  }
}
