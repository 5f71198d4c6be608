/** Networks as the kernel keeps them in sets: where a range begins, and the first address behind it. */
import { addressToBytes, bytesToAddress, parsePrefix } from "../../ffi/inet.ts";
import type { SetElement } from "../../ffi/nftables/set.ts";
import type { AddressFamily } from "../base/firewall_objects.ts";

/** Where a network begins and the first address behind it; there is none behind the last one of all. */
export function endsOf(cidr: string): SetElement[] {
  const { bytes, length } = parsePrefix(cidr);
  const begin = { address: addressText(bytes), isEnd: false };
  const end = numberOf(begin.address) + (1n << BigInt(8 * bytes.length - length));
  if (end >> BigInt(8 * bytes.length) !== 0n) return [begin];
  return [begin, { address: textOf(end, bytes.length), isEnd: true }];
}

/** Elements of a dump in ascending order; a range ends before another one begins at the same address. */
export function sortedElements(elements: readonly SetElement[]): SetElement[] {
  return elements.map((element) => ({ ...element, value: numberOf(element.address) }))
    .sort((one, other) =>
      one.value === other.value
        ? Number(other.isEnd) - Number(one.isEnd)
        : one.value < other.value
        ? -1
        : 1
    )
    .map(({ address, isEnd }) => ({ address, isEnd }));
}

/** Ranges, of elements in ascending order, as CIDRs where they are some; others as `FIRST-LAST`. */
export function networksOf(sorted: readonly SetElement[], family: AddressFamily): string[] {
  const elements = sorted.map(({ address, isEnd }) => ({ value: numberOf(address), isEnd }));
  const bytes = family === "ip" ? 4 : 16;
  const behindAll = 1n << BigInt(8 * bytes);
  const networks: string[] = [];
  for (const [index, { value, isEnd }] of elements.entries()) {
    if (isEnd) continue;
    const end = elements[index + 1]?.value ?? behindAll;
    const bits = (end - value).toString(2).length - 1;
    const isNetwork = end - value === 1n << BigInt(bits) && value % (end - value) === 0n;
    const first = textOf(value, bytes);
    networks.push(
      isNetwork ? `${first}/${8 * bytes - bits}` : `${first}-${textOf(end - 1n, bytes)}`,
    );
  }
  return networks;
}

function numberOf(address: string): bigint {
  return addressToBytes(address).reduce((value, byte) => value * 256n + BigInt(byte), 0n);
}

function textOf(value: bigint, length: number): string {
  const bytes = Uint8Array.from(
    { length },
    (_, at) => Number((value >> BigInt(8 * (length - 1 - at))) & 0xffn),
  );
  return addressText(bytes);
}

function addressText(bytes: Uint8Array): string {
  const text = bytesToAddress(bytes);
  if (text === null) throw new Error(`An address of ${bytes.length} bytes`);
  return text;
}
