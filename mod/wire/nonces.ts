/**
 * Nonces that no other packet of the same key ever had: a session, drawn at random, and a counter.
 *
 * Sessions of 64 random bits: with a million of them under one key, two are equal with a probability of 2^40 / 2^65 = 3e-8.
 * Random nonces of 96 bits would reach that after 2^36 packets, and could not tell a replay.
 */
import { type Aead, NONCE_BYTES } from "./aead.ts";

export const SESSION_BYTES = 8;

/** The counter's four bytes; at 1,000 packets a second they last seven weeks. */
const COUNTER_MAX = 2 ** 32 - 1;

/** Sessions of one process that answers may still be sealed for. Others learn of a new one with the next packet. */
const SESSIONS_KEPT = 4;

export class Nonces {
  readonly #aead: Aead;
  readonly #counterMax: number;
  readonly #sessions: bigint[] = [];
  readonly #next = new DataView(new ArrayBuffer(NONCE_BYTES));
  #counter = 0;

  /** @param counterMax where a session ends; less only in tests. */
  constructor(aead: Aead, counterMax = COUNTER_MAX) {
    this.#aead = aead;
    this.#counterMax = counterMax;
    this.renew();
  }

  /** A nonce of its own: session, then counter. */
  next(): Uint8Array<ArrayBuffer> {
    if (this.#counter > this.#counterMax) this.renew();
    this.#next.setUint32(SESSION_BYTES, this.#counter++);
    return new Uint8Array(this.#next.buffer).slice();
  }

  /** Begins another session. */
  renew(): void {
    new Uint8Array(this.#next.buffer).set(this.#aead.draw(SESSION_BYTES));
    this.#counter = 0;
    this.#sessions.push(this.#next.getBigUint64(0));
    if (this.#sessions.length > SESSIONS_KEPT) this.#sessions.shift();
  }

  /** Whether the session is one of ours, recent enough to be answered. */
  has(session: bigint): boolean {
    return this.#sessions.includes(session);
  }
}
