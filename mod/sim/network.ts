/**
 * The simulated underlay: decides, from a seed, which datagrams arrive and when, and who reaches whom.
 *
 * Datagrams are lost, delayed, reordered (by their delays) and duplicated; streams are delayed, and
 * work only while both directions do.
 */
import type { Endpoint } from "../base/core.ts";
import type { Random } from "../base/random.ts";

export interface NetworkOptions {
  /** Share of datagrams lost, 0 to 1. */
  readonly lossRate: number;
  /** Share of datagrams that arrive twice, 0 to 1. */
  readonly duplicateRate: number;
  /** Shortest one-way delay. */
  readonly delayMs: number;
  /** Further delay, drawn evenly from 0 to this. */
  readonly jitterMs: number;
}

/** A switched Ethernet: nothing lost, a tenth of a millisecond each way, a little jitter. */
export const LAN: NetworkOptions = { lossRate: 0, duplicateRate: 0, delayMs: 0.1, jitterMs: 0.1 };

export class Network {
  readonly #random: Random;
  #options: NetworkOptions;
  /** Directions that carry nothing, as `from>to`. */
  readonly #blocked = new Set<string>();
  /** While partitioned: the group of each endpoint; unlisted endpoints are in group 0. */
  readonly #groups = new Map<Endpoint, number>();

  constructor(random: Random, options: NetworkOptions) {
    this.#random = random;
    this.#options = options;
  }

  /** Changes some options from now on. */
  configure(options: Partial<NetworkOptions>): void {
    this.#options = { ...this.#options, ...options };
  }

  /** Splits the network: each listed group reaches only itself, all unlisted endpoints form one more. */
  partition(...groups: readonly (readonly Endpoint[])[]): void {
    this.#groups.clear();
    groups.forEach((group, index) => {
      for (const endpoint of group) this.#groups.set(endpoint, index + 1);
    });
  }

  /** Lets nothing through from one endpoint to another; the other direction is untouched. */
  block(from: Endpoint, to: Endpoint): void {
    this.#blocked.add(`${from}>${to}`);
  }

  /** Undoes one `block`. */
  unblock(from: Endpoint, to: Endpoint): void {
    this.#blocked.delete(`${from}>${to}`);
  }

  /** Ends the partition and every block. */
  heal(): void {
    this.#groups.clear();
    this.#blocked.clear();
  }

  /** Whether anything sent from one endpoint can arrive at the other. */
  reaches(from: Endpoint, to: Endpoint): boolean {
    if ((this.#groups.get(from) ?? 0) !== (this.#groups.get(to) ?? 0)) return false;
    return !this.#blocked.has(`${from}>${to}`);
  }

  /** One delay for each copy of a datagram that arrives; none when it is lost. */
  datagramDelaysMs(from: Endpoint, to: Endpoint): number[] {
    const { lossRate, duplicateRate } = this.#options;
    // Drawn before the path is looked at, so that a partition does not shift later draws.
    const isLost = this.#random.unit() < lossRate;
    const isDoubled = this.#random.unit() < duplicateRate;
    const delayMs = this.#delayMs();
    if (isLost || !this.reaches(from, to)) return [];
    return isDoubled ? [delayMs, this.#delayMs()] : [delayMs];
  }

  /** The one-way delay of a stream; null when the other end cannot be reached. */
  streamDelayMs(from: Endpoint, to: Endpoint): number | null {
    const delayMs = this.#delayMs();
    return this.reaches(from, to) && this.reaches(to, from) ? delayMs : null;
  }

  #delayMs(): number {
    return this.#options.delayMs + this.#options.jitterMs * this.#random.unit();
  }
}
