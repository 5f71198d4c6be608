/**
 * Pings from inside a namespace, without a `ping` program: ICMP echo over a raw socket (RFC 792).
 *
 * {@linkcode ping} sends one and waits. {@linkcode ContinuousPing} sends all the time and counts, for what a
 * user would notice while an agent is killed, restarted or upgraded.
 */
import { reasonOf } from "../base/errors.ts";
import { type IcmpSocket, openIcmp } from "../../ffi/icmp.ts";
import type { Namespace } from "./namespace.ts";

/** IPv4 header (20) and ICMP echo header (8): what an MTU has to carry besides the payload. */
export const ECHO_OVERHEAD_BYTES = 28;
/** The same of IPv6: its header (40) and ICMPv6's echo header (8). */
export const IPV6_ECHO_OVERHEAD_BYTES = 48;

/** `ping`'s own default: an 84-byte packet. */
const PAYLOAD_BYTES_DEFAULT = 56;

/** How often a waiting ping looks for its answer; far below anything it is used to judge. */
const POLL_MS = 1;

export interface PingOptions {
  /** ICMP payload; `mtu - ECHO_OVERHEAD_BYTES` makes a packet that fills the MTU. */
  readonly payloadBytes?: number;
  readonly dontFragment?: boolean;
  /** How long to wait for the answer. */
  readonly timeoutMs?: number;
}

export type PingOutcome =
  | { readonly kind: "answered"; readonly ms: number }
  /** The kernel refused to send: EMSGSIZE, larger than the path allows. */
  | { readonly kind: "too-big" }
  | { readonly kind: "lost" }
  /** The kernel refused to send for another reason, such as ENETUNREACH. */
  | { readonly kind: "refused"; readonly reason: string };

/** One echo request. Does not throw for what the network does to it. */
export async function ping(
  from: Namespace,
  destination: string,
  options: PingOptions = {},
): Promise<PingOutcome> {
  const payloadBytes = options.payloadBytes ?? PAYLOAD_BYTES_DEFAULT;
  const deadline = performance.now() + (options.timeoutMs ?? 1000);
  let socket: IcmpSocket;
  try {
    socket = from.run(() => openIcmp(destination));
  } catch (error) {
    return { kind: "refused", reason: reasonOf(error) };
  }
  try {
    const sent = performance.now();
    if (socket.send(1, payloadBytes, { dontFragment: options.dontFragment ?? false }) !== "sent") {
      return { kind: "too-big" };
    }
    while (performance.now() < deadline) {
      const answer = socket.receive().find((reply) => reply.payloadBytes === payloadBytes);
      if (answer !== undefined) return { kind: "answered", ms: performance.now() - sent };
      await sleep(POLL_MS);
    }
    return { kind: "lost" };
  } catch (error) {
    return { kind: "refused", reason: reasonOf(error) };
  } finally {
    socket.close();
  }
}

/** Pings until it is answered or the time is up: for waiting until a path exists. */
export async function pingUntilAnswered(
  from: Namespace,
  destination: string,
  options: PingOptions & { readonly withinMs: number },
): Promise<PingOutcome> {
  const deadline = performance.now() + options.withinMs;
  while (true) {
    const outcome = await ping(from, destination, { timeoutMs: 200, ...options });
    if (outcome.kind === "answered" || performance.now() >= deadline) return outcome;
    await sleep(POLL_MS);
  }
}

export interface PingCount {
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  /** The longest run of lost pings times the interval; 0 when none was lost. */
  readonly longestGapMs: number;
  /** Why the kernel refused to send, if it ever did; those count as sent and lost. */
  readonly refusals: readonly string[];
}

export class ContinuousPing {
  readonly #socket: IcmpSocket;
  readonly #intervalMs: number;
  readonly #answered = new Set<number>();
  readonly #refusals = new Set<string>();
  readonly #timer: ReturnType<typeof setInterval>;
  #sent = 0;

  /** Starts at once. @param intervalMs between two requests; 5 notices a gap of that length */
  constructor(from: Namespace, destination: string, intervalMs: number) {
    this.#intervalMs = intervalMs;
    this.#socket = from.run(() => openIcmp(destination));
    this.#send();
    this.#timer = setInterval(() => this.#send(), intervalMs);
  }

  get count(): PingCount {
    this.#receive();
    let longestRun = 0;
    let run = 0;
    for (let sequence = 0; sequence < this.#sent; sequence++) {
      run = this.#answered.has(sequence) ? 0 : run + 1;
      longestRun = Math.max(longestRun, run);
    }
    const received = this.#answered.size;
    return {
      sent: this.#sent,
      received,
      lost: this.#sent - received,
      longestGapMs: longestRun * this.#intervalMs,
      refusals: [...this.#refusals],
    };
  }

  /** Stops sending, waits for the answers under way, and counts. */
  async stop(graceMs = 1000): Promise<PingCount> {
    clearInterval(this.#timer);
    const deadline = performance.now() + graceMs;
    while (this.count.lost > 0 && performance.now() < deadline) await sleep(POLL_MS);
    const count = this.count;
    this.#socket.close();
    return count;
  }

  #send(): void {
    this.#receive();
    const sequence = this.#sent++;
    try {
      // The sequence field has 16 bits; at 5 ms they last 327 s, longer than any use here.
      this.#socket.send(sequence & 0xffff, PAYLOAD_BYTES_DEFAULT, { dontFragment: false });
    } catch (error) {
      this.#refusals.add(reasonOf(error));
    }
  }

  #receive(): void {
    for (const { sequence } of this.#socket.receive()) this.#answered.add(sequence);
  }
}

/** Resolves after the given time. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
