/** One step of one host as the invariants of membership see it, and what they remember of the host's life. */
import type { Action, Endpoint, Input } from "../base/core.ts";
import type { SwimEvent } from "../swim/event.ts";
import type { Member, MemberId } from "../swim/member.ts";
import type { SwimCommand, SwimSnapshot } from "../swim/swim.ts";
import type { Message } from "../wire/messages.ts";
import { InvariantError } from "./invariant_error.ts";
import type { MemberHost } from "./membership_cluster.ts";
import { readFrame, readPacket } from "./packet_reader.ts";

/** Rounding of times on hosts' clocks. */
export const ROUNDING_MS = 0.01;

export interface SentPacket {
  readonly to: Endpoint;
  readonly length: number;
  readonly messages: readonly Message[];
}

/** What a member was before a step and is after it; undefined when it was, or is, not known. */
export interface Change {
  readonly id: MemberId;
  readonly before: Member | undefined;
  readonly after: Member | undefined;
}

/** One life of a host, from its start to its end, as seen up to its last step. */
export class Life {
  readonly host: MemberHost;
  readonly boot: number;
  /** The table after the last step. */
  readonly table = new Map<MemberId, Member>();
  snapshot: SwimSnapshot | null = null;
  /** Whether two members share an address. */
  hasTwins = false;
  healthScore = 0;
  /** Items of news to be passed on. */
  queueLength = 0;
  /** Packets and frames that were not accepted. */
  refused = 0;
  /** Alive or suspect, after the last step. */
  reachable = 1;
  /** Most that were ever reachable in this life. */
  reachableMax = 1;
  /** Incarnations at which this host itself accused members after a round without an answer, and when last. */
  readonly accusations = new Map<MemberId, { incarnation: number; atMs: number }>();
  /** Members that once needed another way than a datagram: rounds with them are not always told from a series of pings. */
  readonly doubted = new Set<MemberId>();
  /** When the host wanted to be woken, on its own clock. */
  dueMs = Infinity;

  constructor(host: MemberHost, known: readonly Member[]) {
    this.host = host;
    this.boot = host.boots;
    for (const member of known) this.table.set(member.id, member);
    this.reachable = Math.max(1, known.length);
    this.reachableMax = this.reachable;
  }
}

export class ObservedStep {
  readonly host: MemberHost;
  readonly life: Life;
  /** On the cluster's clock and on the host's own. */
  readonly nowMs: number;
  readonly localMs: number;
  readonly input: Input<SwimCommand>;
  readonly snapshot: SwimSnapshot;
  /** Messages of the input, if it is a packet. */
  readonly received: readonly Message[];
  /** Message of the input, if it came over a stream. */
  readonly frame: Message | null;
  readonly sent: readonly SentPacket[];
  readonly actions: readonly Action<SwimEvent>[];
  readonly changes: readonly Change[];
  /** Whether two members share an address: one has taken another's place, and what goes there is for either. */
  readonly hasTwins: boolean;
  /** How much later than wanted the step came; above 0 only when the host stood still or its clock jumped. */
  readonly lateMs: number;

  constructor(
    life: Life,
    nowMs: number,
    input: Input<SwimCommand>,
    actions: readonly Action<SwimEvent>[],
  ) {
    const { host } = life;
    this.host = host;
    this.life = life;
    this.nowMs = nowMs;
    // A wake-up is given the time that was asked for when the clock is off by its rounding.
    const localMs = host.clock.read(nowMs);
    const early = life.dueMs - localMs;
    const isRounded = input.kind === "wake" && early > 0 && early < ROUNDING_MS;
    this.localMs = isRounded ? life.dueMs : localMs;
    this.input = input;
    this.actions = actions;
    this.snapshot = host.snapshot();
    // What is refused, such as the second copy of a sealed packet, is as good as not there.
    const isRefused = this.snapshot.counters.refused > life.refused;
    this.received = input.kind === "packet" && !isRefused ? readPacket(input.bytes) : NOTHING;
    this.frame = (input.kind === "request" || input.kind === "answer") && !isRefused
      ? readFrame(input.bytes)
      : null;
    this.sent = sentBy(actions);
    this.changes = changes(life.table, this.snapshot.members);
    this.hasTwins = this.changes.length === 0 ? life.hasTwins : haveTwins(this.snapshot.members);
    this.lateMs = Math.max(0, this.localMs - life.dueMs);
  }

  get selfId(): MemberId {
    return this.snapshot.self.id;
  }

  /** The member as it was before the step. */
  before(id: MemberId): Member | undefined {
    return this.life.table.get(id);
  }

  /** The member as it is after the step. */
  after(id: MemberId): Member | undefined {
    for (const change of this.changes) if (change.id === id) return change.after;
    return this.life.table.get(id);
  }

  /** Whether the input may have brought a reason to suspect that member: bad news, or all that a peer believes. */
  hasBadNewsOf(id: MemberId): boolean {
    return this.frame !== null ||
      this.received.some((message) =>
        (message.kind === "suspect" || message.kind === "dead" || message.kind === "left") &&
        message.id === id
      );
  }

  /** Keeps what the next step of this life is compared with. */
  remember(): void {
    const { life, snapshot } = this;
    for (const { id, after } of this.changes) {
      if (after === undefined) life.table.delete(id);
      else life.table.set(id, after);
    }
    life.snapshot = snapshot;
    life.hasTwins = this.hasTwins;
    life.healthScore = snapshot.healthScore;
    life.refused = snapshot.counters.refused;
    life.queueLength = snapshot.queueLength;
    if (this.changes.length > 0) {
      life.reachable = 0;
      for (const { status } of life.table.values()) {
        if (status === "alive" || status === "suspect") life.reachable++;
      }
      life.reachableMax = Math.max(life.reachableMax, life.reachable);
    }
    life.dueMs = this.host.core?.wakeAtMs() ?? Infinity;
  }

  expect(condition: boolean, rule: string, what: () => string): void {
    if (!condition) this.fail(rule, what());
  }

  fail(rule: string, what: string): never {
    throw new InvariantError(rule, this.nowMs, `${this.host.name} ${what}`);
  }
}

function haveTwins(members: readonly Member[]): boolean {
  return new Set(members.map(({ endpoint }) => endpoint)).size < members.length;
}

const NOTHING: readonly never[] = [];

function sentBy(actions: readonly Action<SwimEvent>[]): readonly SentPacket[] {
  if (actions.length === 0) return NOTHING;
  const sent: SentPacket[] = [];
  for (const action of actions) {
    if (action.kind !== "send") continue;
    const { to, bytes } = action;
    sent.push({ to, length: bytes.length, messages: readPacket(bytes) });
  }
  return sent;
}

/** Members are immutable, so one that is the same object has not changed. */
function changes(table: ReadonlyMap<MemberId, Member>, members: readonly Member[]): Change[] {
  const found: Change[] = [];
  let known = 0;
  for (const after of members) {
    const before = table.get(after.id);
    if (before !== undefined) known++;
    if (before !== after) found.push({ id: after.id, before, after });
  }
  if (known === table.size) return found;
  const present = new Set(members.map(({ id }) => id));
  for (const [id, before] of table) {
    if (!present.has(id)) found.push({ id, before, after: undefined });
  }
  return found;
}
