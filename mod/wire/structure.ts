/**
 * Walks encoded CBOR (RFC 8949) without building anything, so that hostile bytes are refused before
 * the decoder allocates for them.
 *
 * Stricter than the RFC: only what our messages use (unsigned integers, byte and text strings,
 * arrays, false, true, null), definite lengths, shortest forms, one item and nothing after it.
 */
import { WireError } from "../base/errors.ts";

export interface StructureLimits {
  /** Arrays within arrays; 1 is a flat array. */
  readonly depthMax: number;
  /** Items of all kinds together. */
  readonly itemsMax: number;
}

/** Major types (RFC 8949 section 3.1). */
const UNSIGNED = 0;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const SIMPLE = 7;

/** The initial bytes of the simple values (RFC 8949 section 3.3); true is between them. */
const FALSE = 0xf4;
const NULL = 0xf6;

/** Additional information that says how many bytes of argument follow (section 3). */
const ONE_BYTE = 24;
const EIGHT_BYTES = 27;
/** Smallest argument that needs 1, 2, 4 and 8 bytes: anything less had a shorter form. */
const SHORTEST = [24, 0x100, 0x1_0000, 0x1_0000_0000] as const;

/** Throws {@linkcode WireError} unless the bytes are exactly one acceptable item. */
export function checkStructure(bytes: Uint8Array, limits: StructureLimits): void {
  /** Items still missing from each open array, outermost first. */
  const missing: number[] = [];
  let offset = 0;
  let items = 0;
  do {
    if (++items > limits.itemsMax) throw new WireError(`more than ${limits.itemsMax} items`);
    const initial = bytes[offset++];
    if (initial === undefined) throw new WireError(`truncated at byte ${offset - 1}`);
    const major = initial >> 5;
    if (major === SIMPLE && (initial < FALSE || initial > NULL)) {
      throw new WireError(`simple value or float 0x${initial.toString(16)} is not used`);
    }
    const argument = readArgument(bytes, offset, initial & 31);
    offset += argumentBytes(initial & 31);
    if (missing.length > 0) missing[missing.length - 1] = (missing.at(-1) ?? 0) - 1;
    if (major === ARRAY) {
      if (missing.length >= limits.depthMax) {
        throw new WireError(`arrays nested deeper than ${limits.depthMax}`);
      }
      // Each item takes at least one byte, so a longer array cannot be complete.
      if (argument > bytes.length - offset) throw new WireError(`array of ${argument} truncated`);
      missing.push(argument);
    } else if (major === BYTES || major === TEXT) {
      if (argument > bytes.length - offset) throw new WireError(`string of ${argument} truncated`);
      offset += argument;
    } else if (major !== UNSIGNED && major !== SIMPLE) {
      throw new WireError(`major type ${major} is not used`);
    }
    while (missing.at(-1) === 0) missing.pop();
  } while (missing.length > 0);
  if (offset !== bytes.length) throw new WireError(`${bytes.length - offset} bytes too many`);
}

function argumentBytes(information: number): number {
  return information < ONE_BYTE ? 0 : 1 << (information - ONE_BYTE);
}

function readArgument(bytes: Uint8Array, offset: number, information: number): number {
  if (information < ONE_BYTE) return information;
  if (information > EIGHT_BYTES) throw new WireError("indefinite lengths are not used");
  const length = argumentBytes(information);
  if (offset + length > bytes.length) throw new WireError(`truncated at byte ${bytes.length}`);
  let argument = 0;
  for (let index = 0; index < length; index++) {
    argument = argument * 256 + (bytes[offset + index] ?? 0);
  }
  if (argument < (SHORTEST[information - ONE_BYTE] ?? 0)) {
    throw new WireError(`${argument} is not in its shortest form`);
  }
  if (argument > Number.MAX_SAFE_INTEGER) throw new WireError("a number above 2^53 - 1");
  return argument;
}
