/** Networks that can be asked by the thousand whether a network shares an address with any of them. */
import { IPV6_BITS, isIpv6Text, parseIpv6Network } from "./ipv6.ts";
import { addressCount } from "./network.ts";
import { parseNetwork } from "./parse.ts";

/** First and last address, and the highest last one up to here. */
interface Range {
  readonly first: number | bigint;
  readonly last: number | bigint;
  readonly highest: number | bigint;
}

export class NetworkSet {
  readonly #exact: ReadonlySet<string>;
  /** By first address. */
  readonly #ipv4: readonly Range[];
  readonly #ipv6: readonly Range[];

  constructor(networks: Iterable<string>) {
    const exact = new Set(networks);
    this.#ipv4 = rangesOf([...exact].filter((network) => !isIpv6Text(network)));
    this.#ipv6 = rangesOf([...exact].filter(isIpv6Text));
    this.#exact = exact;
  }

  /** In logarithmic time. Throws AddressError on malformed text. */
  overlaps(network: string): boolean {
    if (this.#exact.has(network)) return true;
    const ranges = isIpv6Text(network) ? this.#ipv6 : this.#ipv4;
    if (ranges.length === 0) return false;
    const { first, last } = rangeOf(network);
    // The last one that begins no later than this one ends; some before it may reach further.
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ranges[middle]?.first ?? Infinity) <= last) low = middle + 1;
      else high = middle;
    }
    return low > 0 && (ranges[low - 1]?.highest ?? -1) >= first;
  }
}

function rangesOf(networks: readonly string[]): Range[] {
  const ranges = networks.map(rangeOf)
    .sort((one, other) => one.first < other.first ? -1 : one.first > other.first ? 1 : 0);
  let highest: number | bigint = -1;
  return ranges.map(({ first, last }) => {
    if (last > highest) highest = last;
    return { first, last, highest };
  });
}

function rangeOf(network: string): Omit<Range, "highest"> {
  if (isIpv6Text(network)) {
    const { address, length } = parseIpv6Network(network);
    return { first: address, last: address + (1n << BigInt(IPV6_BITS - length)) - 1n };
  }
  const { address, length } = parseNetwork(network);
  return { first: address, last: address + addressCount(length) - 1 };
}
