/** The scanner reads what the reader reads, of anything. */
import { strict as assert } from "node:assert";
import { bytesToAddress, bytesToMac } from "../../../ffi/inet.ts";
import { type Attributes, decodeAttributes } from "../../../ffi/netlink/attribute.ts";
import { AttributeScanner } from "../../../ffi/netlink/attribute_scanner.ts";
import { randomFrom } from "./scripted_datagrams.ts";

const OFFSET = 4;
const TYPES = 10;

/** The result, or the words of the error. */
function said<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    return String(error);
  }
}

/** Attributes, mostly whole, of lengths that mean something. */
function anything(below: (limit: number) => number): Uint8Array {
  const bytes: number[] = [0, 0, 0, 0];
  for (let count = below(6); count > 0; count--) {
    const length = [0, 1, 2, 4, 6, 16, below(20)][below(7)] ?? 0;
    const stated = 4 + length + (below(20) === 0 ? below(9) - 4 : 0);
    bytes.push(stated & 255, stated >> 8 & 255, below(TYPES), below(2) * 0x80);
    for (let index = 0; index < (length + 3 & ~3); index++) bytes.push(below(256));
  }
  return Uint8Array.from(below(10) === 0 ? bytes.slice(0, below(bytes.length + 1)) : bytes);
}

Deno.test("what is scanned and what is decoded say the same, errors included", () => {
  const below = randomFrom(5);
  const scanner = new AttributeScanner();
  for (let round = 0; round < 20_000; round++) {
    const bytes = anything(below);
    const attributes: Attributes | string = said(() => decodeAttributes(bytes, OFFSET));
    const scanned = said(() => scanner.scan(bytes, OFFSET));
    if (typeof attributes === "string") {
      assert.equal(scanned, attributes);
      continue;
    }
    for (let type = 0; type < TYPES; type++) {
      const value = attributes.bytes(type);
      assert.deepEqual(
        [
          scanner.has(type),
          said<number | null>(() => scanner.u8(type)),
          said<number | null>(() => scanner.be16(type)),
          said<number | null>(() => scanner.u32(type)),
          scanner.address(type),
          scanner.mac(type),
        ],
        [
          attributes.has(type),
          said<number | null>(() => attributes.u8(type)),
          said<number | null>(() => attributes.be16(type)),
          said<number | null>(() => attributes.u32(type)),
          value === null ? null : bytesToAddress(value),
          value === null ? null : bytesToMac(value),
        ],
      );
    }
  }
});
