/** Which address a container gets. Both families are given out together, at the same distance from the subnet's start. */
import type { FamilySubnet } from "./host_subnet.ts";

/** Behind the subnet's own address and the bridge's. */
const FIRST_OFFSET = 2;

/** What is known of addresses given out. */
export interface AddressMemory {
  /** The distance given out last; the search begins behind it, so that addresses rest as long as possible. */
  readonly last: number;
  /** Given back last, the latest at the end: others may still talk to who had them. */
  readonly resting: readonly string[];
  readonly taken: ReadonlySet<string>;
}

/** How many addresses a subnet has for containers. */
export function addressRoom(families: readonly FamilySubnet[]): number {
  return Math.max(0, offsetsEnd(families) - FIRST_OFFSET);
}

/** The distance whose addresses of all families are free; null when there is none. Resting ones come last, the latest of them at the very end. */
export function freeOffset(
  families: readonly FamilySubnet[],
  memory: AddressMemory,
): number | null {
  const end = offsetsEnd(families);
  const count = end - FIRST_OFFSET;
  let rested: { offset: number; rank: number } | null = null;
  for (let step = 1; step <= count; step++) {
    const offset = FIRST_OFFSET + (Math.max(memory.last, FIRST_OFFSET - 1) - FIRST_OFFSET + step) %
        count;
    const addresses = addressesAt(families, offset);
    if (addresses.some((address) => memory.taken.has(address))) continue;
    const rank = Math.max(...addresses.map((address) => memory.resting.indexOf(address)));
    if (rank < 0) return offset;
    if (rested === null || rank < rested.rank) rested = { offset, rank };
  }
  return rested?.offset ?? null;
}

/** The addresses of all families at that distance, without prefix lengths. */
export function addressesAt(families: readonly FamilySubnet[], offset: number): string[] {
  return families.map((family) => family.addressAt(offset));
}

/** The distance of an address of one of the families that may be given out; null when there is none. */
export function offsetOf(families: readonly FamilySubnet[], address: string): number | null {
  const end = offsetsEnd(families);
  for (const family of families) {
    const offset = family.offsetOf(address);
    if (offset !== null && offset >= FIRST_OFFSET && offset < end) return offset;
  }
  return null;
}

/** The first distance that is not given out: IPv4 has its broadcast address there. */
function offsetsEnd(families: readonly FamilySubnet[]): number {
  return Math.min(...families.map(({ family, size }) => family === 4 ? size - 1 : size));
}
