/** Full syncs: both sides tell each other all they know, at joins, now and then, and when asked for. */
import type { Endpoint } from "../base/core.ts";
import type { Random } from "../base/random.ts";
import { encodeSync, type Sync } from "../wire/sync_messages.ts";
import type { Evidence } from "./evidence.ts";
import type { MemberId } from "./member.ts";
import type { MemberTable } from "./members.ts";
import { syncEntry } from "./news.ts";
import type { Post } from "./post.ts";
import type { Requests } from "./requests.ts";
import type { Rider } from "./rider.ts";
import type { Self } from "./self.ts";
import { type SwimTimings, syncIntervalMs } from "./timings.ts";

/** How a sync that we asked for ended. */
export type SyncOutcome =
  | { readonly kind: "synced"; readonly member: MemberId }
  /** The endpoint is our own. */
  | { readonly kind: "own-host" }
  | { readonly kind: "failed"; readonly reason: string };

export class Synchroniser {
  readonly #self: Self;
  readonly #table: MemberTable;
  readonly #evidence: Evidence;
  readonly #timings: SwimTimings;
  readonly #random: Random;
  readonly #post: Post;
  readonly #requests: Requests;
  readonly #rider: Rider;
  #nextAtMs = Infinity;
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
  start(nowMs: number, endpoint: Endpoint, ended?: (nowMs: number, outcome: SyncOutcome) => void) {
    const message = this.#encode(nowMs, "sync");
    this.#requests.ask(endpoint, message, this.#timings.streamTimeoutMs, (laterMs, outcome) => {
      if (outcome.kind === "failed") {
        const isOwn = outcome.refusal === "own-host";
        return ended?.(laterMs, isOwn ? { kind: "own-host" } : outcome);
      }
      const { message } = outcome;
      if (message.kind !== "synced") {
        return ended?.(laterMs, { kind: "failed", reason: "its answer is not a sync" });
      }
      const member = message.sender.record.id;
      if (this.#isOwn(message)) return ended?.(laterMs, { kind: "own-host" });
      this.#merge(laterMs, message);
      this.#completed++;
      this.#rider.synced(laterMs, member);
      ended?.(laterMs, { kind: "synced", member });
    });
  }

  /** Answers a peer with all we know, its own news included. */
  answer(nowMs: number, id: number, sync: Sync): void {
    if (this.#isOwn(sync)) return this.#post.refuse(id, "own-host");
    this.#merge(nowMs, sync);
    this.#post.answer(id, this.#encode(nowMs, "synced"));
  }

  /** Somebody else is there: from now on, sync now and then. */
  arm(nowMs: number): void {
    if (this.#nextAtMs < Infinity) return;
    this.#nextAtMs = nowMs + this.#random.unit() * this.#intervalMs();
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
    this.#nextAtMs = nowMs + this.#intervalMs();
    this.start(nowMs, peer.endpoint);
  }

  wakeAtMs(): number {
    return this.#nextAtMs;
  }

  /** No more syncs of our own until armed again. */
  stop(): void {
    this.#nextAtMs = Infinity;
  }

  #intervalMs(): number {
    return syncIntervalMs(this.#timings, this.#table.reachableCount);
  }

  #isOwn(sync: Sync): boolean {
    const { id, instance } = sync.sender.record;
    return id === this.#self.id && instance === this.#self.member.instance;
  }

  #encode(nowMs: number, kind: Sync["kind"]): Uint8Array {
    const others = this.#table.list().filter((member) => member.id !== this.#self.id);
    return encodeSync({
      kind,
      sender: syncEntry(this.#self.member),
      members: others.map(syncEntry),
      rider: this.#rider.fullState(nowMs),
    });
  }

  #merge(nowMs: number, sync: Sync): void {
    this.#evidence.merge(nowMs, sync.sender);
    for (const entry of sync.members) this.#evidence.merge(nowMs, entry);
    this.#rider.mergeFullState(nowMs, sync.sender.record.endpoint, sync.rider);
  }
}
