/**
 * The addresses given to join through: each is tried until it answered, for ever, resolved anew each time.
 *
 * A seed that answered is tried again as soon as none of its addresses belongs to a reachable member:
 * two halves of a cluster that have forgotten each other still meet at their seeds. A name of several
 * hosts may lead to both halves, so that its other addresses are looked at now and then as well.
 */
import type { Endpoint } from "../base/core.ts";
import type { Random } from "../base/random.ts";
import type { MemberId } from "./member.ts";
import type { MemberTable } from "./members.ts";
import type { Post } from "./post.ts";
import type { SeedsHeard } from "./rider.ts";
import type { Self } from "./self.ts";
import type { Synchroniser, SyncOutcome } from "./synchroniser.ts";
import type { SwimTimings } from "./timings.ts";

export interface SeedState {
  /** As given: `host[:port]`. */
  readonly seed: string;
  /** `trying` at first; `unresolved` if its name led to no address, `unreachable` if nobody answered there. */
  readonly state: "trying" | "unresolved" | "unreachable" | "joined";
  /** Why the last attempt came to nothing. */
  readonly reason?: string;
}

interface Seed {
  view: SeedState;
  /** Leads to this host itself: nothing to join now, but a name may lead to others later. */
  isSelf: boolean;
  attempts: number;
  /** Where the name last led to, this host left out. */
  endpoints: readonly Endpoint[];
  /** Who answered there: not every host is known by the address that leads to it. */
  readonly members: Set<MemberId>;
  /** Endpoints of the present attempt that have not answered yet. */
  underWay: number;
  /** Why the last endpoint of the present attempt failed; null when none did. */
  failure: string | null;
  /** When to try next; Infinity while trying, or as long as the seed is well. */
  nextAtMs: number;
}

/** Endpoints of one name that are tried: a name of all hosts would otherwise be dialled as a whole. */
const ENDPOINTS_MAX = 8;

/** Between looks whether seeds that answered are still there; half of each interval is random. */
const CHECK_INTERVAL_MS = 60_000;

export class Seeds {
  readonly #self: Self;
  readonly #table: MemberTable;
  readonly #synchroniser: Synchroniser;
  readonly #timings: SwimTimings;
  readonly #random: Random;
  readonly #post: Post;
  readonly #seeds = new Map<string, Seed>();
  #checkAtMs = Infinity;

  constructor(parts: {
    self: Self;
    table: MemberTable;
    synchroniser: Synchroniser;
    timings: SwimTimings;
    random: Random;
    post: Post;
  }) {
    this.#self = parts.self;
    this.#table = parts.table;
    this.#synchroniser = parts.synchroniser;
    this.#timings = parts.timings;
    this.#random = parts.random;
    this.#post = parts.post;
  }

  /** Adds seeds, to be tried at once; one that is known already is tried again. */
  add(nowMs: number, seeds: readonly string[]): void {
    if (this.#checkAtMs === Infinity && seeds.length > 0) this.#scheduleCheck(nowMs);
    for (const seed of seeds) {
      const known = this.#seeds.get(seed);
      if (known !== undefined && known.nextAtMs === Infinity && known.view.state !== "joined") {
        continue; // an attempt is under way
      }
      this.#seeds.set(seed, {
        view: { seed, state: "trying" },
        isSelf: false,
        attempts: 0,
        endpoints: [],
        members: new Set(),
        underWay: 0,
        failure: null,
        nextAtMs: nowMs,
      });
    }
  }

  /** These are no seeds any more; an attempt that is under way may still succeed. */
  drop(seeds: readonly string[]): void {
    for (const seed of seeds) this.#seeds.delete(seed);
  }

  /** Whether nothing is left to wait for: every seed answered or is this host itself. */
  get areJoined(): boolean {
    return this.states().every(({ state }) => state === "joined");
  }

  /** How many there are, and who of them neither answered nor is this host itself. */
  count(): SeedsHeard {
    const states = this.states();
    const silent = states.filter(({ state }) => state !== "joined").map(({ seed }) => seed);
    return { given: states.length, answered: states.length - silent.length, silent };
  }

  states(): SeedState[] {
    return [...this.#seeds.values()].map(({ view }) => view);
  }

  /** The network of this host is another one, or is back: no pause that grew without it counts any more. */
  hurry(nowMs: number): void {
    for (const seed of this.#seeds.values()) {
      if (seed.view.state === "joined" || seed.nextAtMs === Infinity) continue;
      seed.attempts = 0;
      seed.nextAtMs = nowMs;
    }
  }

  /** Nobody else is left: go back to the seeds. */
  rejoin(nowMs: number): void {
    for (const seed of this.#seeds.values()) {
      if (seed.view.state === "joined" && !seed.isSelf) this.#lose(nowMs, seed);
    }
  }

  advance(nowMs: number): void {
    if (nowMs >= this.#checkAtMs) this.#check(nowMs);
    for (const seed of this.#seeds.values()) {
      if (nowMs < seed.nextAtMs) continue;
      seed.nextAtMs = Infinity;
      seed.attempts++;
      this.#post.push({ kind: "resolve", seed: seed.view.seed });
    }
  }

  wakeAtMs(): number {
    let atMs = this.#checkAtMs;
    for (const seed of this.#seeds.values()) atMs = Math.min(atMs, seed.nextAtMs);
    return atMs;
  }

  /** Takes the `resolved` input. */
  resolved(nowMs: number, name: string, endpoints: readonly Endpoint[], reason?: string): void {
    const seed = this.#seeds.get(name);
    if (seed === undefined || seed.nextAtMs < Infinity || seed.underWay > 0) return;
    const own = this.#self.member.endpoint;
    const others = endpoints.filter((endpoint) => endpoint !== own).slice(0, ENDPOINTS_MAX);
    const isWell = seed.view.state === "joined" && !seed.isSelf;
    if (others.length === 0) {
      if (isWell) return; // a resolver that is out takes nothing away
      if (endpoints.length > 0) return this.#markSelf(nowMs, seed);
      return this.#fail(nowMs, seed, "unresolved", reason ?? "the name has no address");
    }
    if (seed.isSelf) seed.view = { seed: name, state: "unreachable" };
    seed.isSelf = false;
    seed.endpoints = others;
    // A seed that is well is only looked at for hosts that are not members.
    const reachable = isWell ? this.#reachable() : new Set<Endpoint>();
    const asked = others.filter((endpoint) => !reachable.has(endpoint));
    seed.underWay = asked.length;
    seed.failure = null;
    for (const endpoint of asked) {
      this.#synchroniser.start(
        nowMs,
        endpoint,
        (laterMs, outcome) => this.#tried(laterMs, seed, endpoint, outcome),
      );
    }
  }

  /** No more attempts. */
  stop(): void {
    this.#checkAtMs = Infinity;
    for (const seed of this.#seeds.values()) seed.nextAtMs = Infinity;
  }

  /** Are those that answered still members? With the other addresses of a name, one look per interval in all. */
  #check(nowMs: number): void {
    this.#scheduleCheck(nowMs);
    const reachable = this.#reachable();
    for (const seed of this.#seeds.values()) {
      if (seed.view.state !== "joined" || seed.isSelf || seed.nextAtMs < Infinity) continue;
      const isThere = (id: MemberId) => {
        const member = this.#table.get(id);
        return member !== undefined && reachable.has(member.endpoint);
      };
      const missing = seed.endpoints.filter((endpoint) => !reachable.has(endpoint)).length;
      const isWell = missing < seed.endpoints.length || [...seed.members].some(isThere);
      if (!isWell) this.#lose(nowMs, seed);
      else if (missing > 0 && this.#random.unit() < 1 / reachable.size) seed.nextAtMs = nowMs;
    }
  }

  #reachable(): Set<Endpoint> {
    const reachable = new Set<Endpoint>();
    for (const { status, endpoint } of this.#table.list()) {
      if (status === "alive" || status === "suspect") reachable.add(endpoint);
    }
    return reachable;
  }

  #scheduleCheck(nowMs: number): void {
    this.#checkAtMs = nowMs + CHECK_INTERVAL_MS * (0.5 + this.#random.unit());
  }

  #lose(nowMs: number, seed: Seed): void {
    seed.view = { seed: seed.view.seed, state: "unreachable", reason: "contact was lost" };
    seed.attempts = 0;
    seed.members.clear();
    seed.nextAtMs = nowMs + this.#backoffMs(seed);
  }

  #tried(nowMs: number, seed: Seed, endpoint: Endpoint, outcome: SyncOutcome): void {
    seed.underWay--;
    if (outcome.kind === "synced") {
      seed.view = { seed: seed.view.seed, state: "joined" };
      seed.attempts = 0;
      seed.members.add(outcome.member);
    } else if (outcome.kind === "failed") seed.failure = `${endpoint}: ${outcome.reason}`;
    if (seed.underWay > 0 || seed.view.state === "joined") return;
    if (seed.failure === null) this.#markSelf(nowMs, seed);
    else this.#fail(nowMs, seed, "unreachable", seed.failure);
  }

  /** Looked up again now and then: the first host that a name of all hosts leads to is this one. */
  #markSelf(nowMs: number, seed: Seed): void {
    seed.isSelf = true;
    seed.view = { seed: seed.view.seed, state: "joined", reason: "this host itself" };
    seed.nextAtMs = nowMs + this.#backoffMs(seed);
  }

  #fail(nowMs: number, seed: Seed, state: SeedState["state"], reason: string): void {
    seed.view = { seed: seed.view.seed, state, reason };
    seed.nextAtMs = nowMs + this.#backoffMs(seed);
  }

  /** Doubles up to the maximum; half of it is random, so that many hosts do not dial in step. */
  #backoffMs(seed: Seed): number {
    const { seedRetryMs, seedRetryMaxMs } = this.#timings;
    const fullMs = Math.min(seedRetryMaxMs, seedRetryMs * 2 ** Math.max(0, seed.attempts - 1));
    return fullMs * (0.5 + 0.5 * this.#random.unit());
  }
}
