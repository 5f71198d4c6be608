/** Networks that can be asked by the thousand whether a network shares an address with any of them. */
import { addressCount, cidrsOverlap } from "./network.ts";
import { isNetwork, parseNetwork } from "./parse.ts";

/** First and last address, and the highest last one up to here. */
interface Range {
  readonly first: number;
  readonly last: number;
  readonly highest: number;
}

export class NetworkSet {
  readonly #exact: ReadonlySet<string>;
  /** By first address. */
  readonly #ranges: readonly Range[];
  /** What is not IPv4 is few, and compared one by one. */
  readonly #others: readonly string[];

  constructor(networks: Iterable<string>) {
    const exact = new Set(networks);
    const ranges = [...exact].filter(isNetwork).map(rangeOf).sort((one, other) =>
      one.first - other.first
    );
    let highest = -1;
    this.#ranges = ranges.map(({ first, last }) => {
      highest = Math.max(highest, last);
      return { first, last, highest };
    });
    this.#others = [...exact].filter((network) => !isNetwork(network));
    this.#exact = exact;
  }

  /** In logarithmic time. Throws AddressError on malformed text. */
  overlaps(network: string): boolean {
    if (this.#exact.has(network)) return true;
    if (!isNetwork(network)) return this.#others.some((other) => cidrsOverlap(other, network));
    const { first, last } = rangeOf(network);
    // The last one that begins no later than this one ends; some before it may reach further.
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ranges[middle]?.first ?? Infinity) <= last) low = middle + 1;
      else high = middle;
    }
    return low > 0 && (this.#ranges[low - 1]?.highest ?? -1) >= first;
  }
}

function rangeOf(network: string): Omit<Range, "highest"> {
  const { address, length } = parseNetwork(network);
  return { first: address, last: address + addressCount(length) - 1 };
}
