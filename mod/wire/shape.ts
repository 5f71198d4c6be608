/** Checks of decoded values. Each names the message and the field in its error. */
import { WireError } from "../base/errors.ts";
import type { WireValue } from "./codec.ts";

/** An array of exactly that many fields. `where` names the message: `ping`. */
export function checkArray(
  value: WireValue | undefined,
  length: number,
  where: string,
): readonly WireValue[] {
  const items = checkList(value, Infinity, where);
  if (items.length !== length) {
    throw new WireError(`${where}: ${items.length} fields instead of ${length}`);
  }
  return items;
}

/** An array of at most that many items. */
export function checkList(
  value: WireValue | undefined,
  lengthMax: number,
  where: string,
): readonly WireValue[] {
  if (!Array.isArray(value)) throw new WireError(`${where}: ${typeof value} instead of an array`);
  if (value.length > lengthMax) {
    throw new WireError(`${where}: ${value.length} items, at most ${lengthMax} are allowed`);
  }
  return value;
}

/** A whole number, 0 to `max`. `where` names message and field: `ping sequence`. */
export function checkUint(value: WireValue | undefined, max: number, where: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw new WireError(`${where}: not a whole number`);
  }
  if (value > max) throw new WireError(`${where}: ${value}, at most ${max} is allowed`);
  return value;
}

/** A byte string of exactly that length. */
export function checkBytes(
  value: WireValue | undefined,
  length: number,
  where: string,
): Uint8Array {
  const bytes = checkBlob(value, length, where);
  if (bytes.length !== length) {
    throw new WireError(`${where}: ${bytes.length} bytes instead of ${length}`);
  }
  return bytes;
}

/** A byte string of at most that length. */
export function checkBlob(
  value: WireValue | undefined,
  lengthMax: number,
  where: string,
): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new WireError(`${where}: not a byte string`);
  if (value.length > lengthMax) {
    throw new WireError(`${where}: ${value.length} bytes, at most ${lengthMax} are allowed`);
  }
  return value;
}

/** A byte string of exactly that many bytes as lower-case hexadecimal digits. */
export function checkHex(value: WireValue | undefined, bytes: number, where: string): string {
  return checkBytes(value, bytes, where).toHex();
}

/** Control characters would reach terminals and logs; U+FFFD is what invalid UTF-8 decodes to. */
// deno-lint-ignore no-control-regex -- these are what is looked for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffd]/;

/** A text of 1 to `lengthMax` characters, all printable. */
export function checkText(
  value: WireValue | undefined,
  lengthMax: number,
  where: string,
): string {
  if (typeof value !== "string") throw new WireError(`${where}: not a text`);
  if (value.length < 1 || value.length > lengthMax) {
    throw new WireError(`${where}: ${value.length} characters, 1 to ${lengthMax} are allowed`);
  }
  if (UNPRINTABLE.test(value)) throw new WireError(`${where}: unprintable characters`);
  return value;
}
