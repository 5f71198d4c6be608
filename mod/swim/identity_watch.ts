/**
 * Notices another live process that runs under this host's identity: a copy of its disk on another host. What others say of
 * it proves nothing, so it is asked itself, several times; it asks in turn. Of two that both answer, the one whose instance
 * has the higher hash gives its identity up; nothing has to be agreed on, since both know both instances.
 *
 * An earlier process of this host is the usual cause of such news, and does not answer any more.
 */
import type { Endpoint } from "../base/core.ts";
import { sha256Hex } from "../base/hash.ts";
import type { Random } from "../base/random.ts";
import { encodeWho, NONCE_BYTES } from "../wire/who_messages.ts";
import type { Post } from "./post.ts";
import type { Outcome, Requests } from "./requests.ts";
import type { Self } from "./self.ts";
import type { SwimTimings } from "./timings.ts";

/** Answers that a process must give, each to a question of its own, before an identity is given up for it. */
export const CONFIRMATIONS = 3;
const CONFIRM_INTERVAL_MS = 200;
/** Questions that may come to nothing: a host may be busy, or behind a link that loses packets. */
const FAILURES_MAX = 3;
const RETRY_MS = 1_000;
/** So long an endpoint is left alone once it is known what to think of it. */
const QUIET_MS = 15_000;
/** Endpoints under watch: news of them may be forged. Three clones have two each. */
const SUSPECTS_MAX = 8;

/** Where somebody runs under our identity, as far as others say. */
export interface Namesake {
  readonly endpoint: Endpoint;
  readonly instance: string;
}

interface Suspect {
  readonly endpoint: Endpoint;
  /** The process that answered last; null before the first answer. */
  instance: string | null;
  confirmations: number;
  failures: number;
  /** When to ask; Infinity while a question is under way or there is none. */
  askAtMs: number;
  /** Until when further news of it change nothing. */
  quietUntilMs: number;
}

export class IdentityWatch {
  readonly #self: Self;
  readonly #post: Post;
  readonly #requests: Requests;
  readonly #random: Random;
  readonly #timings: SwimTimings;
  readonly #keepUntilMs: number;
  readonly #suspects = new Map<Endpoint, Suspect>();
  #isLost = false;

  constructor(parts: {
    self: Self;
    post: Post;
    requests: Requests;
    random: Random;
    timings: SwimTimings;
    options: { readonly identityKeptUntilMs?: number };
  }) {
    this.#self = parts.self;
    this.#post = parts.post;
    this.#requests = parts.requests;
    this.#random = parts.random;
    this.#timings = parts.timings;
    this.#keepUntilMs = parts.options.identityKeptUntilMs ?? -Infinity;
  }

  /** Somebody says that our identity is in use there, or it asks so itself. */
  seen(nowMs: number, { endpoint, instance }: Namesake): void {
    const own = this.#self.member;
    if (instance === own.instance || endpoint === own.endpoint || this.#isOver) return;
    const known = this.#suspects.get(endpoint);
    if (known !== undefined) {
      if (known.quietUntilMs <= nowMs) this.#reconsider(nowMs, known);
      return;
    }
    if (this.#suspects.size >= SUSPECTS_MAX && !this.#makeRoom(nowMs)) return;
    this.#suspects.set(endpoint, {
      endpoint,
      instance: null,
      confirmations: 0,
      failures: 0,
      askAtMs: nowMs,
      quietUntilMs: Infinity,
    });
  }

  advance(nowMs: number): void {
    if (this.#isOver) return;
    for (const suspect of this.#suspects.values()) {
      if (suspect.askAtMs <= nowMs) this.#ask(suspect);
    }
  }

  wakeAtMs(): number {
    if (this.#isOver) return Infinity;
    let atMs = Infinity;
    for (const { askAtMs } of this.#suspects.values()) atMs = Math.min(atMs, askAtMs);
    return atMs;
  }

  get #isOver(): boolean {
    return this.#isLost || this.#self.hasLeft;
  }

  #ask(suspect: Suspect): void {
    suspect.askAtMs = Infinity;
    const { id, instance, endpoint } = this.#self.member;
    const nonce = Array.from(
      { length: NONCE_BYTES / 4 },
      () => this.#random.uint32().toString(16).padStart(8, "0"),
    ).join("");
    const question = encodeWho({ nonce, id, instance, endpoint });
    const { streamTimeoutMs } = this.#timings;
    this.#requests.ask(suspect.endpoint, question, streamTimeoutMs, (nowMs, outcome) => {
      this.#answered(nowMs, suspect, nonce, outcome);
    });
  }

  #answered(nowMs: number, suspect: Suspect, nonce: string, outcome: Outcome): void {
    if (this.#isOver) return;
    if (outcome.kind === "failed") return this.#failed(nowMs, suspect);
    const { message } = outcome;
    const own = this.#self.member;
    const isNamesake = message.kind === "who-answer" && message.nonce === nonce &&
      message.id === own.id && message.instance !== own.instance;
    if (!isNamesake) return rest(nowMs, suspect); // another host, or this one behind another address
    if (suspect.instance !== message.instance) suspect.confirmations = 0;
    suspect.instance = message.instance;
    suspect.confirmations++;
    suspect.failures = 0;
    if (suspect.confirmations < CONFIRMATIONS) {
      suspect.askAtMs = nowMs + CONFIRM_INTERVAL_MS;
    } else this.#decide(nowMs, suspect, message.instance);
  }

  #failed(nowMs: number, suspect: Suspect): void {
    suspect.failures++;
    if (suspect.failures >= FAILURES_MAX) rest(nowMs, suspect);
    else suspect.askAtMs = nowMs + RETRY_MS;
  }

  #decide(nowMs: number, suspect: Suspect, instance: string): void {
    rest(nowMs, suspect);
    const { id, instance: own } = this.#self.member;
    const { endpoint } = suspect;
    if (sha256Hex(own) > sha256Hex(instance) && nowMs >= this.#keepUntilMs) {
      this.#isLost = true;
      return this.#post.event({ kind: "identity-lost", id, endpoint, instance });
    }
    this.#post.event({
      kind: "warning",
      code: "host-duplicated",
      text:
        `Another host runs at ${endpoint} under the identity of this one (${id.slice(0, 8)}): ` +
        "one of the two was made from a copy of the other's disk. That one takes a new identity",
      remedy: "Leave the state directory out of images and copies",
    });
  }

  /** It was given a rest after whatever it was: looked at anew. */
  #reconsider(nowMs: number, suspect: Suspect): void {
    suspect.instance = null;
    suspect.confirmations = suspect.failures = 0;
    suspect.askAtMs = nowMs;
    suspect.quietUntilMs = Infinity;
  }

  /** In place of one that is known and silent; false when all are being asked. */
  #makeRoom(nowMs: number): boolean {
    for (const { endpoint, quietUntilMs } of this.#suspects.values()) {
      if (quietUntilMs <= nowMs) return this.#suspects.delete(endpoint);
    }
    return false;
  }
}

function rest(nowMs: number, suspect: Suspect): void {
  suspect.askAtMs = Infinity;
  suspect.quietUntilMs = nowMs + QUIET_MS;
}
