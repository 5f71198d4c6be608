/** Datagrams that follow a script: what was sent is kept, what is received was written before. */
import type { Datagrams } from "../../../ffi/netlink/datagrams.ts";
import { ERRNO } from "../../../ffi/errno.ts";
import {
  encodeMessage,
  type NetlinkMessage,
  NLMSG_DONE,
  NLMSG_ERROR,
  parseMessages,
} from "../../../ffi/netlink/message.ts";
import { viewOf } from "../../../ffi/bytes.ts";

/** What one receive gives: a datagram, an error number, or a function of the messages sent. */
export type Step = Uint8Array | number | ((sent: readonly NetlinkMessage[]) => Uint8Array);

/** A script in place of a socket. */
export class ScriptedDatagrams implements Datagrams {
  readonly port = 42;
  /** Messages of each send. */
  readonly sends: NetlinkMessage[][] = [];
  closed = 0;
  readonly #steps: Step[];

  constructor(steps: readonly Step[]) {
    this.#steps = [...steps];
  }

  get stepsLeft(): number {
    return this.#steps.length;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.sends.push(parseMessages(bytes.slice()));
  }

  sendLater(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.send(bytes);
    return Promise.resolve();
  }

  receive(): Uint8Array | number {
    const step = this.#steps.shift() ?? ERRNO.EAGAIN;
    return typeof step === "function" ? step(this.sends.at(-1) ?? []) : step;
  }

  close(): void {
    this.closed++;
  }
}

/** Several messages as one datagram. */
export function datagramOf(messages: readonly Partial<NetlinkMessage>[]): Uint8Array {
  const parts = messages.map((message) =>
    encodeMessage({
      ...{ type: 16, flags: 0, sequence: 0, port: 42, payload: new Uint8Array() },
      ...message,
    })
  );
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** NLMSG_ERROR: `errno` is positive, 0 acknowledges. */
export function verdict(sequence: number, errno: number): Partial<NetlinkMessage> {
  const payload = new Uint8Array(20);
  viewOf(payload).setInt32(0, -errno, true);
  viewOf(payload).setUint32(4, 16, true);
  return { type: NLMSG_ERROR, flags: 0x100, sequence, payload };
}

/** NLMSG_DONE. */
export function done(sequence: number, errno = 0, flags = 2): Partial<NetlinkMessage> {
  const payload = new Uint8Array(4);
  viewOf(payload).setInt32(0, -errno, true);
  return { type: NLMSG_DONE, flags, sequence, payload };
}

/** Pseudo-random numbers from a seed (mulberry32), so that a failure can be repeated. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
