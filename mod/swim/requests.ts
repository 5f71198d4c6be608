/** Our questions over streams that are under way, and what is to be done with each answer. */
import type { Endpoint } from "../base/core.ts";
import { WireError } from "../base/errors.ts";
import type { Envelope } from "../wire/envelope.ts";
import { decodeMessage, type Message } from "../wire/messages.ts";
import { readRefusal, type RefusalReason } from "../wire/refusal.ts";
import type { Post } from "./post.ts";

/** How a question ended. */
export type Outcome =
  | { readonly kind: "answered"; readonly message: Message }
  /** `refusal` when the other side said no itself. */
  | { readonly kind: "failed"; readonly reason: string; readonly refusal?: RefusalReason | null };

type Handler = (nowMs: number, outcome: Outcome) => void;

export class Requests {
  readonly #post: Post;
  readonly #envelope: Envelope;
  readonly #handlers = new Map<number, Handler>();
  #nextId = 1;

  constructor(post: Post, envelope: Envelope) {
    this.#post = post;
    this.#envelope = envelope;
  }

  /** Asks; `handler` is called once, in a later step. */
  ask(to: Endpoint, message: Uint8Array, timeoutMs: number, handler: Handler): void {
    const id = this.#nextId++;
    this.#handlers.set(id, handler);
    this.#post.request(id, to, message, timeoutMs);
  }

  /** Takes the `answer` input. */
  answered(nowMs: number, id: number, frame: Uint8Array): void {
    const handler = this.#handlers.get(id);
    this.#handlers.delete(id);
    handler?.(nowMs, this.#read(frame));
  }

  /** Takes the `failed` input. */
  failed(nowMs: number, id: number, reason: string): void {
    const handler = this.#handlers.get(id);
    this.#handlers.delete(id);
    handler?.(nowMs, { kind: "failed", reason });
  }

  #read(frame: Uint8Array): Outcome {
    const refusal = readRefusal(frame);
    if (refusal !== null) {
      return { kind: "failed", reason: refusal.text, refusal: refusal.reason };
    }
    try {
      return { kind: "answered", message: decodeMessage(this.#envelope.open(frame)) };
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return { kind: "failed", reason: `its answer makes no sense: ${error.message}` };
    }
  }
}
