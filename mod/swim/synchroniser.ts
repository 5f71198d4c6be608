/**
 * Syncs: two hosts make sure that both know what either knows, at joins, now and then, and when asked for. They compare
 * digests first, so that hosts which know the same anyway, as nearly all do nearly always, say so in some bytes.
 *
 * Nothing is kept between the two questions of a sync: what changes meanwhile is told as it then is.
 */
import type { Endpoint } from "../base/core.ts";
import type { Random } from "../base/random.ts";
import type { Message } from "../wire/messages.ts";
import {
  type Compare,
  type Compared,
  encodeSync,
  type Sync,
  type SyncEntry,
  type Update,
} from "../wire/sync_messages.ts";
import { protocolText } from "../wire/protocol_range.ts";
import { BucketSet } from "../wire/bucket_set.ts";
import type { Evidence } from "./evidence.ts";
import type { MemberId } from "./member.ts";
import { MemberSync } from "./member_sync.ts";
import type { MemberTable } from "./members.ts";
import { encodeNews, syncEntry } from "./news.ts";
import type { Post } from "./post.ts";
import type { Requests } from "./requests.ts";
import type { Rider } from "./rider.ts";
import type { Self } from "./self.ts";
import type { SwimTimings } from "./timings.ts";

/** How a sync that we asked for ended. */
export type SyncOutcome =
  | { readonly kind: "synced"; readonly member: MemberId }
  /** The endpoint is our own. */
  | { readonly kind: "own-host" }
  | { readonly kind: "failed"; readonly reason: string };

/** A sync that we asked for. */
interface Sought {
  readonly endpoint: Endpoint;
  readonly ended: (nowMs: number, outcome: SyncOutcome) => void;
}

/** The rider has no part in a message. */
const NOTHING = new Uint8Array();

/**
 * Until the first sync after a host met somebody; twice that until the next one, and so on up to the usual
 * interval. When 300 join at once, gossip alone takes 6 s to tell all of them of each other, since each has
 * the news of all others to pass on.
 */
const FIRST_INTERVAL_MS = 1000;

export class Synchroniser {
  readonly #self: Self;
  readonly #table: MemberTable;
  readonly #members: MemberSync;
  readonly #evidence: Evidence;
  readonly #timings: SwimTimings;
  readonly #random: Random;
  readonly #post: Post;
  readonly #requests: Requests;
  readonly #rider: Rider;
  #nextAtMs = Infinity;
  #intervalMs = FIRST_INTERVAL_MS;
  #completed = 0;

  constructor(parts: {
    self: Self;
    table: MemberTable;
    evidence: Evidence;
    timings: SwimTimings;
    random: Random;
    post: Post;
    requests: Requests;
    rider: Rider;
  }) {
    this.#self = parts.self;
    this.#table = parts.table;
    this.#members = new MemberSync(parts);
    this.#evidence = parts.evidence;
    this.#timings = parts.timings;
    this.#random = parts.random;
    this.#post = parts.post;
    this.#requests = parts.requests;
    this.#rider = parts.rider;
  }

  /** Syncs that we asked for and that succeeded, since the start. */
  get completed(): number {
    return this.#completed;
  }

  /** Asks the host at an endpoint. */
  start(
    nowMs: number,
    endpoint: Endpoint,
    ended: (nowMs: number, outcome: SyncOutcome) => void = () => {},
  ): void {
    const question = encodeSync({
      kind: "compare",
      sender: this.#ownEntry(),
      members: this.#members.summary(),
      rider: this.#rider.compare(nowMs),
    });
    const sought = { endpoint, ended };
    this.#ask(sought, question, (laterMs, answer) => {
      if (answer.kind !== "compared") return failed(laterMs, sought, "its answer is not a sync");
      this.#compared(laterMs, sought, answer);
    });
  }

  /** Answers a peer that wants to know what differs. */
  compare(nowMs: number, id: number, question: Compare): void {
    if (this.#isOwn(question)) return this.#post.refuse(id, "own-host");
    if (!this.#evidence.understands(question.sender.record)) {
      return this.#post.refuse(id, "other-protocol");
    }
    this.#meet(nowMs, question.sender);
    const rider = this.#rider.compared(nowMs, question.rider);
    const members = this.#members.answer(question.members);
    this.#answer(id, { kind: "compared", sender: this.#ownEntry(), members, rider });
  }

  /** Takes what a peer has to tell, and answers with what it lacks. */
  update(nowMs: number, id: number, update: Update): void {
    if (this.#isOwn(update)) return this.#post.refuse(id, "own-host");
    if (!this.#evidence.understands(update.sender.record)) {
      return this.#post.refuse(id, "other-protocol");
    }
    this.#merge(nowMs, update.sender, update.entries);
    const isRiding = update.rider.length > 0;
    const rider = isRiding ? this.#rider.updated(nowMs, update.rider) : NOTHING;
    const entries = this.#members.rest(update);
    this.#answer(id, { kind: "updated", sender: this.#ownEntry(), entries, rider });
  }

  /** Somebody else is there: from now on, sync now and then. */
  arm(nowMs: number): void {
    if (this.#nextAtMs < Infinity) return;
    this.#intervalMs = FIRST_INTERVAL_MS;
    this.#schedule(nowMs);
  }

  advance(nowMs: number): void {
    if (nowMs < this.#nextAtMs) return;
    const [peer] = this.#table.pick(
      this.#random,
      1,
      (member) => member.status === "alive" && member.id !== this.#self.id,
    );
    if (peer === undefined) {
      this.#nextAtMs = Infinity; // until armed again
      return;
    }
    this.#schedule(nowMs);
    this.start(nowMs, peer.endpoint);
  }

  /** Half of each interval is random while they grow; later ones differ from host to host by that. */
  #schedule(nowMs: number): void {
    const { syncIntervalMs } = this.#timings;
    if (this.#intervalMs >= syncIntervalMs) this.#nextAtMs = nowMs + syncIntervalMs;
    else this.#nextAtMs = nowMs + this.#intervalMs * (0.5 + 0.5 * this.#random.unit());
    this.#intervalMs *= 2;
  }

  wakeAtMs(): number {
    return this.#nextAtMs;
  }

  /** No more syncs of our own until armed again. */
  stop(): void {
    this.#nextAtMs = Infinity;
  }

  /** The peer said what differs: the rest is told and heard by a second question, if there is any. */
  #compared(nowMs: number, sought: Sought, answer: Compared): void {
    if (this.#isOwn(answer)) return sought.ended(nowMs, { kind: "own-host" });
    const { sender, members } = answer;
    if (!this.#evidence.understands(sender.record)) {
      const theirs = protocolText(sender.record);
      const ours = protocolText(this.#self.member);
      return failed(nowMs, sought, `it speaks protocol ${theirs}, this host ${ours}`);
    }
    const { id } = sender.record;
    this.#merge(nowMs, sender, members.kind === "everything" ? members.entries : []);
    const riding = this.#rider.update(nowMs, id, answer.rider);
    const update = this.#members.update(sender, members);
    if (update === null && riding === null) return this.#finish(nowMs, sought, id);
    const question = encodeSync({
      kind: "update",
      sender: this.#ownEntry(),
      ...(update ?? { buckets: BucketSet.NONE, entries: [] }),
      rider: riding ?? NOTHING,
    });
    this.#ask(sought, question, (laterMs, rest) => {
      // Behind an address that several hosts share, another one may answer this time.
      if (rest.kind !== "updated" || rest.sender.record.id !== id) {
        return failed(laterMs, sought, "it did not answer to the end of the sync");
      }
      this.#merge(laterMs, rest.sender, rest.entries);
      if (riding !== null) this.#rider.merge(laterMs, id, rest.rider);
      this.#finish(laterMs, sought, id);
    });
  }

  #finish(nowMs: number, sought: Sought, member: MemberId): void {
    this.#completed++;
    this.#rider.synced(nowMs, member);
    sought.ended(nowMs, { kind: "synced", member });
  }

  #ask(
    sought: Sought,
    question: Uint8Array,
    answered: (nowMs: number, answer: Message) => void,
  ): void {
    const { endpoint, ended } = sought;
    this.#requests.ask(endpoint, question, this.#timings.streamTimeoutMs, (nowMs, outcome) => {
      if (outcome.kind === "answered") return answered(nowMs, outcome.message);
      const isOwn = outcome.refusal === "own-host";
      ended(nowMs, isOwn ? { kind: "own-host" } : { kind: "failed", reason: outcome.reason });
    });
  }

  #answer(id: number, answer: Sync): void {
    this.#post.answer(id, encodeSync(answer));
  }

  #ownEntry(): SyncEntry {
    return syncEntry(this.#self.member);
  }

  #isOwn({ sender }: Sync): boolean {
    const { id, instance } = sender.record;
    return id === this.#self.id && instance === this.#self.member.instance;
  }

  /**
   * What a peer says of itself. Known here as another process of equal or higher incarnation, it has lost its disk: it hears
   * so and outlives that process. Digests do not tell, since they hold no instances.
   */
  #meet(nowMs: number, sender: SyncEntry): void {
    const { id, incarnation, instance, endpoint } = sender.record;
    const known = this.#table.get(id);
    this.#evidence.merge(nowMs, sender);
    if (known?.status !== "alive" || known.instance === instance) return;
    if (known.incarnation < incarnation) return;
    this.#post.send(endpoint, [encodeNews(known, this.#self.id)]);
  }

  #merge(nowMs: number, sender: SyncEntry, entries: readonly SyncEntry[]): void {
    this.#meet(nowMs, sender);
    for (const entry of entries) this.#evidence.merge(nowMs, entry);
  }
}

function failed(nowMs: number, { ended }: Sought, reason: string): void {
  ended(nowMs, { kind: "failed", reason });
}
