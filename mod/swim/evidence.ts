/**
 * What is believed of members: the state machine of SWIM with suspicion (Das et al. 2002, section 4.2).
 *
 *               alive (higher incarnation)          suspect (same or higher)        timer, or dead
 *     unknown ---------------------------> ALIVE ---------------------------> SUSPECT -----------> DEAD
 *                                            ^---- alive (higher incarnation) ---+-----------------+
 *     left (the member's own instance) from any of them to LEFT; alive (higher) leads back
 *
 * Every accepted piece of evidence raises the stored incarnation, so that an older one cannot undo it.
 */
import { MEMBERS_MAX } from "../base/limits.ts";
import type { MemberRecord } from "../wire/member_record.ts";
import { protocolsMeet } from "../wire/protocol_range.ts";
import type { Dead, Left, Suspect } from "../wire/news_messages.ts";
import type { SyncEntry } from "../wire/sync_messages.ts";
import type { Awareness } from "./awareness.ts";
import type { IdentityWatch } from "./identity_watch.ts";
import type { Lifeguard } from "./lifeguard.ts";
import { isUpdate, type Member, type MemberId, type MemberStatus } from "./member.ts";
import type { MemberTable } from "./members.ts";
import { encodeNews, newsKey, newsVersion } from "./news.ts";
import type { GossipQueue } from "./queue.ts";
import type { MemberChanged, Self } from "./self.ts";
import { Suspicion } from "./suspicion.ts";
import type { SwimTimings } from "./timings.ts";

/**
 * An incarnation this far above the known one is refused. A member that refutes once a second needs
 * twelve days for it; a forged one would leave its victim nothing to refute with.
 */
export const INCARNATION_JUMP_MAX = 2 ** 20;

/** Evidence that cannot be used, for the counters and warnings of the engine. */
export type RefusedEvidence =
  | { readonly why: "incarnation-jump"; readonly id: MemberId; readonly incarnation: number }
  /** The host speaks no protocol version that we speak. */
  | { readonly why: "protocol-mismatch"; readonly record: MemberRecord };

/** What became of an alive message; `outdated` ones deserve an answer with what is known instead. */
export type AliveVerdict = "accepted" | "known" | "outdated" | "refused";

export class Evidence {
  readonly #self: Self;
  readonly #table: MemberTable;
  readonly #queue: GossipQueue;
  readonly #awareness: Awareness;
  readonly #lifeguard: Lifeguard;
  readonly #timings: SwimTimings;
  readonly #changed: MemberChanged;
  readonly #refused: (evidence: RefusedEvidence) => void;
  readonly #forgotten: (id: MemberId) => void;
  readonly #identityWatch: Pick<IdentityWatch, "seen">;
  readonly #suspicions = new Map<MemberId, Suspicion>();

  constructor(parts: {
    self: Self;
    table: MemberTable;
    queue: GossipQueue;
    awareness: Awareness;
    lifeguard: Lifeguard;
    timings: SwimTimings;
    changed: MemberChanged;
    refused: (evidence: RefusedEvidence) => void;
    /** A member that is not in the table is not to be looked for any more. */
    forgotten: (id: MemberId) => void;
    identityWatch: Pick<IdentityWatch, "seen">;
  }) {
    this.#self = parts.self;
    this.#table = parts.table;
    this.#queue = parts.queue;
    this.#awareness = parts.awareness;
    this.#lifeguard = parts.lifeguard;
    this.#timings = parts.timings;
    this.#changed = parts.changed;
    this.#refused = parts.refused;
    this.#forgotten = parts.forgotten;
    this.#identityWatch = parts.identityWatch;
  }

  /** Whether that host speaks a protocol version that we speak; counted and warned of if not. */
  understands(record: MemberRecord): boolean {
    if (protocolsMeet(record, this.#self.member)) return true;
    this.#refused({ why: "protocol-mismatch", record });
    return false;
  }

  /** The member, or somebody who passes it on, says that it is alive. */
  alive(nowMs: number, record: MemberRecord): AliveVerdict {
    if (record.id === this.#self.id) return this.#aliveSelf(nowMs, record);
    if (!this.understands(record)) return "refused";
    const known = this.#table.get(record.id);
    if (known === undefined) {
      if (!this.#makeRoom()) return "refused";
    } else {
      if (record.incarnation <= known.incarnation) {
        const agrees = known.status === "alive" && known.instance === record.instance;
        return agrees ? "known" : "outdated";
      }
      if (this.#jumps(record, known)) return "refused";
    }
    this.#suspicions.delete(record.id);
    this.#put(nowMs, {
      ...pickRecord(record),
      status: "alive",
      statusSinceMs: known?.status === "alive" ? known.statusSinceMs : nowMs,
    });
    return "accepted";
  }

  /** Somebody got no answer from the member. */
  suspect(nowMs: number, accusation: Omit<Suspect, "kind">): void {
    const { incarnation, id, accuser } = accusation;
    if (id === this.#self.id) return this.#accused(nowMs, incarnation);
    const known = this.#current(id, incarnation);
    if (known === undefined) return;
    // It was heard of after what is known here: a suspicion of its own, with its own time to refute.
    const isNewer = incarnation > known.incarnation && known.status !== "dead";
    if (known.status === "alive" || isNewer) {
      const members = this.#table.reachableCount;
      const { lhaSuspicion } = this.#lifeguard;
      const suspicion = new Suspicion(nowMs, accuser, this.#timings, members, lhaSuspicion);
      this.#suspicions.set(id, suspicion);
      const statusSinceMs = known.status === "suspect" ? known.statusSinceMs : nowMs;
      const record = { ...pickRecord(known), incarnation };
      this.#put(nowMs, { ...record, status: "suspect", statusSinceMs }, accuser);
      return;
    }
    const isNews = this.#suspicions.get(id)?.confirm(nowMs, accuser) === true;
    if (isNews) this.#announce({ ...known, incarnation }, accuser);
    this.#raise(known, incarnation);
  }

  /** Somebody's suspicion of the member ended. */
  dead(nowMs: number, verdict: Omit<Dead, "kind">): void {
    const { incarnation, id, accuser } = verdict;
    if (id === this.#self.id) return this.#accused(nowMs, incarnation);
    const known = this.#current(id, incarnation);
    if (known === undefined) return;
    // Who left, came back unnoticed here and then failed is looked for again.
    const isGone = known.status === "left" && incarnation === known.incarnation;
    if (known.status === "dead" || isGone) return this.#raise(known, incarnation);
    this.#suspicions.delete(id);
    const record = { ...pickRecord(known), incarnation };
    this.#put(nowMs, { ...record, status: "dead", statusSinceMs: nowMs }, accuser);
  }

  /**
   * The member says goodbye, or an operator had it forgotten. Who believes the member there believes only
   * its own process. The goodbye of another one may be old, or forged, or of a process that came and went
   * unnoticed: such a member is only suspected, as a forgotten one is, so that it has time to say that it is
   * there; and at the same incarnation not even that, since the process before it may have been slow.
   */
  left(nowMs: number, goodbye: Omit<Left, "kind">): void {
    const { incarnation, id, instance, isForgotten } = goodbye;
    if (id === this.#self.id) return this.#accused(nowMs, incarnation);
    if (this.#table.get(id) === undefined) return this.#forgotten(id);
    const known = this.#current(id, incarnation);
    if (known === undefined) return;
    if (known.status === "left") return this.#raise(known, incarnation);
    const isOtherProcess = known.instance !== instance;
    if (known.status !== "dead" && (isOtherProcess || isForgotten)) {
      if (isOtherProcess && incarnation === known.incarnation) return;
      return this.suspect(nowMs, { id, incarnation, accuser: this.#self.id });
    }
    this.#putLeft(nowMs, { ...known, incarnation, instance }, isForgotten);
  }

  /** The operator of this host has it forgotten, whatever is believed of it: a live one comes back by itself. */
  forget(nowMs: number, id: MemberId): void {
    const known = this.#table.get(id);
    if (known === undefined || id === this.#self.id || known.status === "left") return;
    this.#putLeft(nowMs, known, true);
  }

  /**
   * One member as a peer sees it, from a full sync. A peer's "dead" only makes us suspect, so that
   * the member has time to refute; one that we never met is taken as the peer has it.
   */
  merge(nowMs: number, entry: SyncEntry): void {
    const { record, status } = entry;
    const { id, incarnation, instance } = record;
    if (status === "left") {
      const isForgotten = entry.isForgotten === true;
      return this.left(nowMs, { id, incarnation, instance, isForgotten });
    }
    const isUnknown = this.#table.get(id) === undefined && id !== this.#self.id;
    if (status === "dead" && isUnknown) {
      // Full tables would push out each other's dead for ever.
      if (!this.understands(record) || this.#table.size >= MEMBERS_MAX) return;
      const member = { ...pickRecord(record), status, statusSinceMs: nowMs };
      this.#table.put(member);
      return this.#changed(nowMs, member, null);
    }
    if (status === "alive" || isUnknown) this.alive(nowMs, record);
    if (status === "alive") return;
    this.#learn(nowMs, record);
    this.suspect(nowMs, { id, incarnation, accuser: this.#self.id });
  }

  /** A later record of a member of which its teller believes nothing good: who it was at last, and where. */
  #learn(nowMs: number, record: MemberRecord): void {
    const known = this.#current(record.id, record.incarnation);
    if (known === undefined || record.id === this.#self.id) return;
    if (record.incarnation === known.incarnation || !this.understands(record)) return;
    const member = { ...known, ...pickRecord(record), incarnation: known.incarnation };
    this.#table.put(member);
    if (differs(member, known)) this.#changed(nowMs, member, known);
  }

  /** Ends the suspicions whose time has come. */
  advance(nowMs: number): void {
    for (const [id, suspicion] of this.#suspicions) {
      if (suspicion.deadlineMs > nowMs) continue;
      const incarnation = this.#table.get(id)?.incarnation ?? 0;
      this.dead(nowMs, { id, incarnation, accuser: this.#self.id });
    }
  }

  wakeAtMs(): number {
    let atMs = Infinity;
    for (const suspicion of this.#suspicions.values()) atMs = Math.min(atMs, suspicion.deadlineMs);
    return atMs;
  }

  /** This host itself stood still that long: nobody could have refuted in that time. */
  postpone(nowMs: number, byMs: number): void {
    for (const suspicion of this.#suspicions.values()) suspicion.postpone(nowMs, byMs);
  }

  /** An echo of ourselves, or of the process before us, or another process that uses our identity. */
  #aliveSelf(nowMs: number, record: MemberRecord): AliveVerdict {
    const own = this.#self.member;
    this.#identityWatch.seen(nowMs, record);
    const isEcho = record.instance === own.instance && record.incarnation <= own.incarnation;
    if (isEcho || record.incarnation < own.incarnation) return "known";
    this.#outlive(nowMs, record.incarnation);
    return "known";
  }

  /** Somebody believes bad news of this host: they may well have missed our answers. */
  #accused(nowMs: number, incarnation: number): void {
    if (incarnation < this.#self.member.incarnation) return;
    if (this.#outlive(nowMs, incarnation)) this.#awareness.adjust(1);
  }

  #outlive(nowMs: number, incarnation: number): boolean {
    if (this.#self.hasLeft || this.#jumps({ id: this.#self.id, incarnation }, this.#self.member)) {
      return false;
    }
    this.#self.refute(nowMs, incarnation);
    return true;
  }

  /** The member if the evidence is not outdated, and not absurd. */
  #current(id: MemberId, incarnation: number): Member | undefined {
    const known = this.#table.get(id);
    if (known === undefined || incarnation < known.incarnation) return undefined;
    return this.#jumps({ id, incarnation }, known) ? undefined : known;
  }

  #jumps(record: { id: MemberId; incarnation: number }, known: Member): boolean {
    if (record.incarnation <= known.incarnation + INCARNATION_JUMP_MAX) return false;
    const { id, incarnation } = record;
    this.#refused({ why: "incarnation-jump", id, incarnation });
    return true;
  }

  #putLeft(nowMs: number, known: Member, isForgotten: boolean): void {
    this.#suspicions.delete(known.id);
    const mark = isForgotten ? { isForgotten } : {};
    this.#put(nowMs, { ...known, status: "left", statusSinceMs: nowMs, ...mark });
  }

  #raise(known: Member, incarnation: number): void {
    if (incarnation > known.incarnation) this.#table.put({ ...known, incarnation });
  }

  #put(nowMs: number, member: Member, witness = this.#self.id): void {
    const previous = this.#table.get(member.id) ?? null;
    this.#table.put(member);
    this.#announce(member, witness);
    if (previous === null || differs(member, previous)) this.#changed(nowMs, member, previous);
  }

  #announce(member: Member, witness: MemberId): void {
    const version = newsVersion(member.incarnation, member.status);
    const news = encodeNews(member, witness);
    this.#queue.add(newsKey(member.id), version, news, { replaceEqual: true });
  }

  /** In a full table a newcomer takes the place of who is gone longest; false if everybody is there. */
  #makeRoom(): boolean {
    if (this.#table.size < MEMBERS_MAX) return true;
    const isGone = (status: MemberStatus) => status === "left" || status === "dead";
    let oldest: Member | undefined;
    for (const member of this.#table.list()) {
      if (!isGone(member.status)) continue;
      if (oldest === undefined || member.statusSinceMs < oldest.statusSinceMs) oldest = member;
    }
    if (oldest === undefined) return false;
    this.#table.remove(oldest.id);
    return true;
  }
}

/** What of a member others care about; the round trip time and the incarnation are not. */
function differs(member: Member, previous: Member): boolean {
  return member.status !== previous.status || member.instance !== previous.instance ||
    isUpdate(member, previous);
}

function pickRecord(record: MemberRecord): MemberRecord {
  const { id, instance, name, endpoint, incarnation, version } = record;
  const { protocolMin, protocolMax, features } = record;
  const offer = { protocolMin, protocolMax, features };
  return { id, instance, name, endpoint, incarnation, version, ...offer };
}
