/** JSON from outside, with the few questions that are asked of it. */
import { quoteStart } from "../base/quote.ts";
import { CniCode, CniError } from "./errors.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

const SHOWN_CHARACTERS_MAX = 80;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The text as one object. Throws CniError code 6 which says whose it is. */
export function parseJsonObject(text: string, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const start = text.trim() === "" ? "nothing" : quoteStart(text, SHOWN_CHARACTERS_MAX);
    throw new CniError(CniCode.undecodable, `${what} is no JSON`, `it is ${start}`, error);
  }
  if (isJsonObject(value)) return value;
  throw new CniError(CniCode.undecodable, `${what} is JSON, but no object`);
}

/** Optional entries of an object by type; a value of another type throws CniError code 7 which names the key. */
export class Fields {
  readonly object: JsonObject;
  readonly #prefix: string;

  /** @param prefix of keys in errors: `delegate.` */
  constructor(object: JsonObject, prefix = "") {
    this.object = object;
    this.#prefix = prefix;
  }

  string(key: string): string | undefined {
    return this.#typed(key, "a string", (value) => typeof value === "string" ? value : undefined);
  }

  boolean(key: string): boolean | undefined {
    return this.#typed(
      key,
      "true or false",
      (value) => typeof value === "boolean" ? value : undefined,
    );
  }

  /** A whole number from `least`. */
  count(key: string, least = 1): number | undefined {
    return this.#typed(
      key,
      `a whole number from ${least}`,
      (value) => Number.isSafeInteger(value) && Number(value) >= least ? Number(value) : undefined,
    );
  }

  fields(key: string): Fields | undefined {
    const object = this.#typed(
      key,
      "an object",
      (value) => isJsonObject(value) ? value : undefined,
    );
    return object === undefined ? undefined : new Fields(object, `${this.#prefix}${key}.`);
  }

  list(key: string): readonly unknown[] | undefined {
    return this.#typed(key, "a list", (value) => Array.isArray(value) ? value : undefined);
  }

  /** `"delegate.mtu: -1"`, for errors. */
  named(key: string): string {
    const text = JSON.stringify(this.object[key]) ?? "nothing";
    const start = text.slice(0, SHOWN_CHARACTERS_MAX);
    return `${this.#prefix}${key}: ${start}${start === text ? "" : "…"}`;
  }

  #typed<T>(key: string, wanted: string, read: (value: unknown) => T | undefined): T | undefined {
    const value = Object.hasOwn(this.object, key) ? this.object[key] : undefined;
    if (value === undefined || value === null) return undefined;
    const result = read(value);
    if (result !== undefined) return result;
    throw new CniError(CniCode.invalidConfig, `${this.named(key)} is not ${wanted}`);
  }
}
