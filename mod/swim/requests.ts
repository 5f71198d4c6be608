/**
 * Our questions over streams that are under way, and what is to be done with each answer.
 *
 * Sealed questions are for one process. Where none is known, or another one answers, a hello comes first and tells which one
 * is there; whoever asks does not notice. A question goes through each of these detours once at most.
 */
import type { Endpoint } from "../base/core.ts";
import { WireError } from "../base/errors.ts";
import {
  type Envelope,
  type Path,
  type Question,
  type SealedPath,
  UNBOUND,
} from "../wire/envelope.ts";
import { encodeHello } from "../wire/hello_messages.ts";
import type { Keyring } from "../wire/keyring.ts";
import { decodeMessage, type Message } from "../wire/messages.ts";
import { readRefusal, type RefusalReason } from "../wire/refusal.ts";
import { countRefused, type SwimCounters } from "./counters.ts";
import type { Paths } from "./paths.ts";
import type { Post } from "./post.ts";

/** How a question ended. */
export type Outcome =
  | { readonly kind: "answered"; readonly message: Message }
  /** `refusal` when the other side said no itself. */
  | { readonly kind: "failed"; readonly reason: string; readonly refusal?: RefusalReason | null };

type Handler = (nowMs: number, outcome: Outcome) => void;

interface Asking {
  readonly to: Endpoint;
  readonly message: Uint8Array;
  readonly handler: Handler;
  readonly deadlineMs: number;
  /** What it says may not be said plainly. */
  readonly isSecret: boolean;
  /** Null while a hello is asked. */
  path: Path | null;
  question: Question;
  hasSaidHello: boolean;
  hasBeenPlain: boolean;
  hasRenewed: boolean;
  /** Which of our keys seals: the primary, and if that does not open there, the others in turn. */
  keyIndex: number;
}

/**
 * Sessions are renewed for who forgot ours, but not each time that somebody forges such a refusal: others have to remember each.
 * So each renewal waits by this much longer than the one before. To have 100 hosts outdo what one of them remembers, see
 * sessions.ts, would take 130,000 / 200 = 650 renewals of each, and 650^2 / 2 minutes = 147 days.
 */
const RENEWAL_INTERVAL_MS = 60_000;

export class Requests {
  readonly #post: Post;
  readonly #envelope: Envelope;
  readonly #paths: Paths;
  readonly #keys: Keyring | null;
  readonly #counters: SwimCounters;
  readonly #now: () => number;
  readonly #asking = new Map<number, Asking>();
  #nextId = 1;
  #renewals = 0;
  #renewedAtMs = -Infinity;

  constructor(parts: {
    post: Post;
    envelope: Envelope;
    paths: Paths;
    keys: Keyring | null;
    counters: SwimCounters;
    /** Of the step under way. */
    now: () => number;
  }) {
    this.#post = parts.post;
    this.#envelope = parts.envelope;
    this.#paths = parts.paths;
    this.#keys = parts.keys;
    this.#counters = parts.counters;
    this.#now = parts.now;
  }

  /** Asks; `handler` is called once, in a later step. A secret is asked sealed or not at all. */
  ask(
    to: Endpoint,
    message: Uint8Array,
    timeoutMs: number,
    handler: Handler,
    options: { isSecret?: boolean } = {},
  ): void {
    const isSecret = options.isSecret ?? false;
    const known = this.#paths.to(to);
    const path = known === "plain" && isSecret ? null : known;
    this.#begin({
      to,
      message,
      handler,
      deadlineMs: this.#now() + timeoutMs,
      isSecret,
      path,
      question: null,
      hasSaidHello: path === null,
      hasBeenPlain: path === "plain",
      hasRenewed: false,
      keyIndex: 0,
    });
  }

  /** Takes the `answer` input. */
  answered(nowMs: number, id: number, frame: Uint8Array): void {
    const asking = this.#take(id);
    if (asking === undefined) return;
    const outcome = this.#read(asking, frame);
    if (outcome.kind === "failed") {
      const isRetried = this.#retry(nowMs, asking, outcome.refusal ?? null);
      return isRetried ? undefined : asking.handler(nowMs, outcome);
    }
    if (asking.path !== null) return asking.handler(nowMs, outcome);
    const { message } = outcome;
    if (message.kind !== "helloed") {
      const reason = "it does not say who it is";
      return asking.handler(nowMs, { kind: "failed", reason });
    }
    asking.path = this.#paths.met(asking.to, message.instance);
    this.#begin(asking);
  }

  /** Takes the `failed` input. */
  failed(nowMs: number, id: number, reason: string): void {
    this.#take(id)?.handler(nowMs, { kind: "failed", reason });
  }

  #take(id: number): Asking | undefined {
    const asking = this.#asking.get(id);
    this.#asking.delete(id);
    return asking;
  }

  #begin(asking: Asking): void {
    const id = this.#nextId++;
    const { to, message, deadlineMs } = asking;
    const isHello = asking.path === null;
    const path = this.#withKey(asking, asking.path ?? { destination: UNBOUND, key: null });
    const { frame, question } = this.#envelope.ask(isHello ? encodeHello() : message, path);
    asking.question = question;
    this.#asking.set(id, asking);
    // A question whose time is over still has to end: by its timeout.
    const timeoutMs = Math.max(1, deadlineMs - this.#now());
    this.#post.push({ kind: "request", id, to, bytes: frame, timeoutMs });
  }

  #withKey(asking: Asking, path: Path): Path {
    if (path === "plain" || asking.keyIndex === 0) return path;
    return { ...path, key: this.#keys?.keys[asking.keyIndex] ?? null } satisfies SealedPath;
  }

  /** Whether there is another way to ask what was refused. */
  #retry(nowMs: number, asking: Asking, refusal: RefusalReason | null): boolean {
    switch (refusal) {
      case "other-instance":
        return asking.path !== null && this.#hello(asking);
      case "replayed":
        return this.#renew(nowMs, asking);
      case "other-key":
        if (asking.path === "plain") return this.#hello(asking);
        return this.#otherKey(asking) || this.#plain(asking);
      default:
        return false;
    }
  }

  #hello(asking: Asking): boolean {
    if (this.#keys === null || asking.hasSaidHello) return false;
    asking.hasSaidHello = true;
    asking.path = null;
    this.#begin(asking);
    return true;
  }

  #renew(nowMs: number, asking: Asking): boolean {
    if (asking.path === "plain" || asking.hasRenewed) return false;
    if (nowMs - this.#renewedAtMs < this.#renewals * RENEWAL_INTERVAL_MS) return false;
    this.#renewals++;
    this.#renewedAtMs = nowMs;
    asking.hasRenewed = true;
    this.#envelope.renewSession();
    this.#begin(asking);
    return true;
  }

  /** Somebody may have missed a rotation, and still opens what an older key of ours seals. */
  #otherKey(asking: Asking): boolean {
    if (asking.keyIndex + 1 >= (this.#keys?.keys.length ?? 0)) return false;
    asking.keyIndex++;
    this.#begin(asking);
    return true;
  }

  #plain(asking: Asking): boolean {
    if (asking.isSecret || asking.hasBeenPlain || !this.#paths.allowsPlain) return false;
    asking.hasBeenPlain = true;
    asking.path = "plain";
    this.#begin(asking);
    return true;
  }

  #read(asking: Asking, frame: Uint8Array): Outcome {
    const refusal = readRefusal(frame);
    if (refusal !== null) {
      return { kind: "failed", reason: refusal.text, refusal: refusal.reason };
    }
    try {
      const payload = this.#envelope.openAnswer(frame, asking.question);
      return { kind: "answered", message: decodeMessage(payload) };
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      countRefused(this.#counters, error);
      return { kind: "failed", reason: `its answer makes no sense: ${error.message}` };
    }
  }
}
