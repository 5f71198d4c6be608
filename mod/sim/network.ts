/**
 * The simulated underlay: decides, from a seed, which datagrams arrive and when, and who reaches whom.
 *
 * Datagrams are lost, delayed, reordered and duplicated, everywhere alike or on single directed links; streams are
 * delayed, more so where packets are lost, and work only while both directions do.
 */
import type { Endpoint } from "../base/core.ts";
import type { Random } from "../base/random.ts";

export interface NetworkOptions {
  /** Share of packets lost, 0 to 1; streams send theirs again and only get slower. */
  readonly lossRate: number;
  /** Share of datagrams lost besides, 0 to 1, as by a firewall that blocks UDP; streams do not notice. */
  readonly datagramLossRate: number;
  /** Share of datagrams that arrive twice, 0 to 1. */
  readonly duplicateRate: number;
  /** Shortest one-way delay. */
  readonly delayMs: number;
  /** Further delay, drawn evenly from 0 to this. */
  readonly jitterMs: number;
  /** Share of datagrams held back for up to `reorderMs`, so that later ones overtake them. */
  readonly reorderRate: number;
  readonly reorderMs: number;
  /** What the link carries; each packet takes its length over this. Infinity for no limit. */
  readonly bytesPerMs: number;
}

/** A switched Ethernet: nothing lost, a tenth of a millisecond each way, a little jitter. */
export const LAN: NetworkOptions = {
  lossRate: 0,
  datagramLossRate: 0,
  duplicateRate: 0,
  delayMs: 0.1,
  jitterMs: 0.1,
  reorderRate: 0,
  reorderMs: 0,
  bytesPerMs: Infinity,
};

/** TCP sends a lost packet again after 200 ms (TCP_RTO_MIN of Linux), then twice that, and so on. */
const STREAM_RETRY_MS = 200;
/** Retries that are drawn for one direction of a stream: 200 ms * 2^8 is beyond any of our timeouts. */
const STREAM_RETRIES_MAX = 8;

const NOTHING: readonly number[] = [];

export class Network {
  readonly #random: Random;
  #options: NetworkOptions;
  /** Links that differ from the rest: by sender, then by receiver. */
  readonly #links = new Map<Endpoint, Map<Endpoint, Partial<NetworkOptions>>>();
  /** Directions that carry nothing: by sender, then by receiver. */
  readonly #blocked = new Map<Endpoint, Set<Endpoint>>();
  /** While partitioned: the group of each endpoint; unlisted endpoints are in group 0. */
  readonly #groups = new Map<Endpoint, number>();

  constructor(random: Random, options: NetworkOptions) {
    this.#random = random;
    this.#options = options;
  }

  get options(): NetworkOptions {
    return this.#options;
  }

  /** Changes some options from now on, for all links that do not have their own. */
  configure(options: Partial<NetworkOptions>): void {
    this.#options = { ...this.#options, ...options };
  }

  /** Gives one direction between two endpoints its own options, in addition to those that it has. */
  configureLink(from: Endpoint, to: Endpoint, options: Partial<NetworkOptions>): void {
    let links = this.#links.get(from);
    if (links === undefined) this.#links.set(from, links = new Map());
    links.set(to, { ...links.get(to), ...options });
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
    const blocked = this.#blocked.get(from);
    if (blocked === undefined) this.#blocked.set(from, new Set([to]));
    else blocked.add(to);
  }

  /** Undoes one `block`. */
  unblock(from: Endpoint, to: Endpoint): void {
    this.#blocked.get(from)?.delete(to);
  }

  /** Ends the partition, every block, and what single links had of their own. */
  heal(): void {
    this.#groups.clear();
    this.#blocked.clear();
    this.#links.clear();
  }

  /** Whether anything sent from one endpoint can arrive at the other. */
  reaches(from: Endpoint, to: Endpoint): boolean {
    const groups = this.#groups;
    if (groups.size > 0 && (groups.get(from) ?? 0) !== (groups.get(to) ?? 0)) return false;
    return this.#blocked.get(from)?.has(to) !== true;
  }

  /** The options of one direction between two endpoints. */
  linkOptions(from: Endpoint, to: Endpoint): NetworkOptions {
    const link = this.#links.get(from)?.get(to);
    return link === undefined ? this.#options : { ...this.#options, ...link };
  }

  /** One delay for each copy of a datagram that arrives; none when it is lost. */
  datagramDelaysMs(from: Endpoint, to: Endpoint, bytes = 0): readonly number[] {
    const options = this.linkOptions(from, to);
    // Drawn before the path is looked at, so that a partition does not shift later draws.
    const passRate = (1 - options.lossRate) * (1 - options.datagramLossRate);
    const isLost = this.#random.unit() >= passRate;
    const isDoubled = this.#random.unit() < options.duplicateRate;
    const delayMs = this.#datagramDelayMs(options, bytes);
    if (isLost || !this.reaches(from, to)) return NOTHING;
    return isDoubled ? [delayMs, this.#datagramDelayMs(options, bytes)] : [delayMs];
  }

  /** The one-way delay of a stream; null when the other end cannot be reached. */
  streamDelayMs(from: Endpoint, to: Endpoint, bytes = 0): number | null {
    const options = this.linkOptions(from, to);
    let delayMs = this.#delayMs(options, bytes);
    const back = this.linkOptions(to, from);
    // Data or its acknowledgement: either lost costs a retry.
    const lossRate = 1 - (1 - options.lossRate) * (1 - back.lossRate);
    for (let retry = 0; retry < STREAM_RETRIES_MAX && lossRate > 0; retry++) {
      if (this.#random.unit() >= lossRate) break;
      delayMs += STREAM_RETRY_MS * 2 ** retry;
    }
    return this.reaches(from, to) && this.reaches(to, from) ? delayMs : null;
  }

  #datagramDelayMs(options: NetworkOptions, bytes: number): number {
    const delayMs = this.#delayMs(options, bytes);
    if (options.reorderRate === 0 || this.#random.unit() >= options.reorderRate) return delayMs;
    return delayMs + options.reorderMs * this.#random.unit();
  }

  #delayMs(options: NetworkOptions, bytes: number): number {
    return options.delayMs + options.jitterMs * this.#random.unit() + bytes / options.bytesPerMs;
  }
}
