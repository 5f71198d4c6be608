/** Elements of the firewall's sets, of either family: which family, in which order, and which networks lie in others. */
import { parseAddress } from "../address/parse.ts";
import type { AddressFamily } from "../base/firewall_objects.ts";

/** The family of a canonical address or CIDR, by its form alone. */
export function addressFamilyOf(text: string): AddressFamily {
  return text.includes(":") ? "ip6" : "ip";
}

/** Canonical addresses in ascending order, each once. */
export function sortedAddresses(addresses: readonly string[]): string[] {
  return [...new Set(addresses)]
    .map((text) => ({ text, value: valueOf(text) }))
    .sort((one, other) => compare(one.value, other.value))
    .map(({ text }) => text);
}

/** Canonical CIDRs in ascending order without those that lie in another: the kernel takes no overlapping ranges. */
export function sortedNetworks(cidrs: readonly string[]): string[] {
  const networks = cidrs.map((text) => ({ text, ...rangeOf(text) }))
    // The larger one of two that begin together comes first, and covers the other.
    .sort((one, other) => compare(one.first, other.first) || compare(other.last, one.last));
  const kept: string[] = [];
  let coveredTo = -1n;
  for (const { text, last } of networks) {
    if (last <= coveredTo) continue;
    coveredTo = last;
    kept.push(text);
  }
  return kept;
}

/** Whether every address of `inner`, a canonical address or CIDR, lies in `outer`. */
export function networkContains(outer: string, inner: string): boolean {
  if (addressFamilyOf(outer) !== addressFamilyOf(inner)) return false;
  const whole = rangeOf(outer);
  const part = rangeOf(inner);
  return whole.first <= part.first && part.last <= whole.last;
}

/** First and last address of a canonical CIDR, or of an address alone, as numbers. */
function rangeOf(text: string): { first: bigint; last: bigint } {
  const [address = "", length] = text.split("/");
  const bits = addressFamilyOf(text) === "ip" ? 32 : 128;
  const size = 1n << BigInt(length === undefined ? 0 : bits - Number(length));
  const first = valueOf(address);
  return { first, last: first + size - 1n };
}

/** A canonical address as a number; RFC 5952 leaves out one run of zero groups, and may end in a dotted quad. */
function valueOf(address: string): bigint {
  if (addressFamilyOf(address) === "ip") {
    return BigInt(parseAddress(address));
  }
  const [head = "", tail] = address.split("::");
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = Array<number>(8 - before.length - after.length).fill(0);
  return [...before, ...zeros, ...after].reduce(
    (value, group) => value * 0x1_0000n + BigInt(group),
    0n,
  );
}

function groupsOf(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

function compare(one: bigint, other: bigint): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
