/**
 * CBOR (RFC 8949) for everything gossamer puts on the wire or on disk: arrays of fixed order.
 *
 * The no-eval build of cbor-x needs no permission and no native addon; `copyBuffers` keeps decoded
 * byte strings from aliasing the receive buffer.
 */
import { restoreBuffer } from "./without_buffer.ts"; // before the library
import { Encoder } from "cbor-x/index-no-eval";
import { reasonOf, WireError } from "../base/errors.ts";
import { checkStructure, type StructureLimits } from "./structure.ts";

restoreBuffer();

/** What can be encoded. Numbers are whole, 0 to 2^53 - 1. */
export type WireValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly WireValue[];

/** A message is an array of fields; a sync has an array of members, arrays themselves; 3 more are room. */
const DEPTH_MAX = 6;

/** 10,000 members of 8 items, or as many claims of up to 25, and a few; more is refused unread. */
const ITEMS_MAX = 260_000;

const LIMITS: StructureLimits = { depthMax: DEPTH_MAX, itemsMax: ITEMS_MAX };

/** Above this, cbor-x writes a number as a float unless it is a bigint. */
const UINT32_MAX = 0xffff_ffff;

const encoder = new Encoder({
  useRecords: false,
  variableMapSize: true,
  tagUint8Array: false,
  structuredClone: false,
  copyBuffers: true,
});

/** Encodes into bytes of their own. */
export function encode(value: WireValue): Uint8Array<ArrayBuffer> {
  // cbor-x answers with a view on a pool that it writes into again.
  return new Uint8Array(encoder.encode(widen(value)));
}

/** Decodes exactly one value. Throws {@linkcode WireError} on anything that is not acceptable. */
export function decode(bytes: Uint8Array): WireValue {
  checkStructure(bytes, LIMITS);
  try {
    return narrow(encoder.decode(bytes));
  } catch (error) {
    if (error instanceof WireError) throw error;
    throw new WireError(`not CBOR: ${reasonOf(error)}`);
  }
}

type Wide = WireValue | bigint | readonly Wide[];

/** Large whole numbers as bigint; arrays that have none are passed on as they are. */
function widen(value: WireValue): Wide {
  if (typeof value === "number") return value > UINT32_MAX ? BigInt(value) : value;
  if (!Array.isArray(value) || !value.some(needsWidening)) return value;
  return value.map(widen);
}

function needsWidening(value: WireValue): boolean {
  return typeof value === "number" ? value > UINT32_MAX : Array.isArray(value);
}

/** The decoder's values as ours: bigint becomes number, in place. */
function narrow(value: unknown): WireValue {
  if (typeof value === "bigint") return Number(value); // checkStructure refused unsafe ones
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) value[index] = narrow(value[index]);
    return value;
  }
  if (
    value === null || typeof value === "number" || typeof value === "string" ||
    typeof value === "boolean" || value instanceof Uint8Array
  ) return value;
  throw new WireError(`a value of type ${typeof value} is not used`);
}
