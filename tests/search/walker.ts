/**
 * Copies and fingerprints whole claimants by their structure, so that no field that somebody adds later is forgotten.
 *
 * Times are kept relative: a claimant at rest always believes that the present is {@linkcode NOW_MS}, and letting time pass
 * means to move all its times into the past. So a state is the same state whenever it is reached.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";

/** The present of every claimant at rest: far enough from 0 that 24 hours ago is a time as well. */
export const NOW_MS = 1e9;
/** Older than any age that the protocol looks at (24 hours) is simply old. */
const OLD_MS = 25 * 3_600_000;

/** Moments of which only matters, from this age on, that they are so long ago; soundness.ts would find one that does not. */
const AGES_MS: ReadonlyMap<string, number> = new Map([
  ["$hearsaySinceMs", 2_000], // hearsay counts after 1.2 s
  ["$beganMs", 6_500], // waiting for most of those remembered ends after 6 s: see opened_tree.ts
  ["untilMs", 0], // over is over
  ["$notBeforeMs", 0],
  ["reclaimNotBeforeMs", 0],
]);

/** The moment moved by so much; never further into the past than it matters. 0 and infinities are no moments. */
function moved(key: string, value: number, shiftMs: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  return Math.max(value + shiftMs, NOW_MS - (AGES_MS.get(key) ?? OLD_MS));
}

/** Fields that end in `Ms` and are spans, not moments. */
const SPANS: ReadonlySet<string> = new Set([
  ...["ageMs", "gossipIntervalMs"],
  ...["$attendedMs", "fromMs"], // on a clock that counts attended time only
]);
/** Parts that a copy gets from its new frame: they never change, or stand for the outside. */
const FRAME: ReadonlySet<string> = new Set(["options", "random", "$carrier", "counters"]);
/**
 * Left out of fingerprints: caches and indexes that follow from what is in them anyway, and what is only shown.
 * The soundness check would find one that matters.
 */
const DERIVED: ReadonlySet<string> = new Set([
  ...["digest", "$index", "$hosts", "$winners", "$sortedEntries", "$sortedRouted"], // of ledger and fence
  ...["$order", "$counted", "$listed", "$looked"], // caches of choice, pool watch, reporter, absence
  ...["$view", "nowMs", "conflicts", "counters", "$warned", "isDiskSlow"], // shown, or set anew in each step
]);
const DERIVED_PATHS: ReadonlySet<string> = new Set(["Reporter.$sinceMs"]);

/** Of no meaning any more to a host that has heard the cluster. */
const HEARSAY: ReadonlySet<string> = new Set([
  ...["$beganMs", "$hearsay", "$hearsaySinceMs", "$doubted"],
]);

type Fields = Record<string, unknown>;
type Shape = "record" | "instance" | "array" | "map" | "set" | "bytes";

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function shapeOf(value: object): Shape {
  if (Array.isArray(value)) return "array";
  if (value instanceof Map) return "map";
  if (value instanceof Set) return "set";
  if (ArrayBuffer.isView(value)) return "bytes";
  return Object.getPrototypeOf(value) === Object.prototype ? "record" : "instance";
}

function fieldsOf(value: object): Fields {
  return value as Fields;
}

function isMoment(key: string): boolean {
  return key.endsWith("Ms") && !SPANS.has(key);
}

/** What can be said once and for all of a plain object, which nobody changes. */
interface Kind {
  /** Holds only values, other such objects and bytes: may be shared by copies. */
  readonly isPure: boolean;
  /** Holds moments. */
  readonly isTimed: boolean;
}

const PURE: Kind = { isPure: true, isTimed: false };
const IMPURE: Kind = { isPure: false, isTimed: false };

/** Fields and whether they are moments. */
interface Layout {
  readonly name: string;
  readonly fields: readonly (readonly [string, boolean])[];
}

export class Walker {
  readonly #kinds = new WeakMap<object, Kind>();
  readonly #texts = new WeakMap<object, string>();
  readonly #numbers = new Map<string, number>();
  readonly #layouts = new Map<unknown, Layout>();

  /**
   * A copy of `source`, with all moments moved by `shiftMs`. `frame` is a newly made object of the same class: the copy
   * is made in it, so that functions that its constructor made go on to mean the copy.
   */
  copy<T extends object>(source: T, frame: T, shiftMs: number): T {
    const copies = new Map<object, object>();
    this.#pair(source, frame, copies);
    this.#fill(source, copies, shiftMs);
    return frame;
  }

  /** Finds for each object of the source the one at the same place of the frame. */
  #pair(source: object, frame: object, copies: Map<object, object>): void {
    if (copies.has(source)) return;
    copies.set(source, frame);
    const shape = shapeOf(source);
    if (shape !== "instance" && shape !== "record") return;
    for (const [key, value] of Object.entries(source)) {
      if (FRAME.has(key)) continue;
      const twin = fieldsOf(frame)[key];
      if (!isObject(value) || !isObject(twin)) continue;
      const isAlike = Object.getPrototypeOf(value) === Object.getPrototypeOf(twin);
      if (isAlike && !this.#kind(value).isPure && !this.#kind(twin).isPure) {
        this.#pair(value, twin, copies);
      }
    }
  }

  #fill(source: object, copies: Map<object, object>, shiftMs: number): void {
    const filled = new Set<object>();
    const fill = (from: object, isTime = false): object => {
      const kind = this.#kind(from);
      if (kind.isPure && (shiftMs === 0 || !kind.isTimed)) return from;
      let to = copies.get(from);
      if (to === undefined) copies.set(from, to = emptyLike(from));
      if (filled.has(from)) return to;
      filled.add(from);
      const copied = (value: unknown) => {
        if (isTime && typeof value === "number") return moved("", value, shiftMs);
        return isObject(value) ? fill(value) : value;
      };
      switch (shapeOf(from)) {
        case "array":
          (to as unknown[]).length = 0;
          for (const item of from as unknown[]) (to as unknown[]).push(copied(item));
          break;
        case "map": {
          const map = to as Map<unknown, unknown>;
          map.clear();
          for (const [key, item] of from as Map<unknown, unknown>) {
            map.set(isObject(key) ? fill(key) : key, copied(item));
          }
          break;
        }
        case "set": {
          const set = to as Set<unknown>;
          set.clear();
          for (const item of from as Set<unknown>) set.add(copied(item));
          break;
        }
        case "bytes":
          (to as Uint32Array).set(from as Uint32Array);
          break;
        default:
          for (const [key, value] of Object.entries(from)) {
            if (FRAME.has(key)) continue;
            if (typeof value === "function") {
              assert(typeof fieldsOf(to)[key] === "function", `a frame for the function ${key}`);
            } else if (typeof value === "number" && isMoment(key)) {
              fieldsOf(to)[key] = moved(key, value, shiftMs);
            } else fieldsOf(to)[key] = isObject(value) ? fill(value, isMoment(key)) : value;
          }
      }
      return to;
    };
    fill(source);
  }

  /** A short text, equal for claimants that cannot be told apart. */
  fingerprint(source: object): string {
    const seen = new Map<object, number>();
    const isComplete = fieldsOf(fieldsOf(source)["$context"] as object)["complete"] === true;
    const say = (value: unknown, isTime = false): string => {
      if (isTime && typeof value === "number") return String(value - NOW_MS);
      if (!isObject(value)) return typeof value === "string" ? `'${value}` : String(value);
      const kind = this.#kind(value);
      if (kind.isPure && !kind.isTimed) return this.#text(value);
      if (!kind.isPure) {
        const number = seen.get(value);
        if (number !== undefined) return `@${number}`;
        seen.set(value, seen.size);
      }
      switch (shapeOf(value)) {
        case "array":
          return `[${(value as unknown[]).map((item) => say(item)).join()}]`;
        case "map":
          return `{${
            [...value as Map<unknown, unknown>]
              .map(([key, item]) => `${say(key)}:${say(item, isTime)}`).sort().join()
          }}`;
        case "set":
          return `<${[...value as Set<unknown>].map((item) => say(item)).sort().join()}>`;
        case "bytes":
          return this.#text(value);
        default: {
          const { name, fields } = this.#layout(value);
          let text = `${name}(`;
          const isSilent = isQuietEntry(value);
          const isPast = isComplete && name === "Hearing";
          for (const [key, isTime] of fields) {
            if (isPast && HEARSAY.has(key)) continue;
            const item = fieldsOf(value)[key];
            if (isTime && typeof item === "number") {
              text += isSilent ? ";" : `${item - NOW_MS};`;
            } else if (typeof item !== "function") text += `${say(item, isTime)};`;
          }
          return text + ")";
        }
      }
    };
    return createHash("sha1").update(say(source)).digest("base64");
  }

  /** The fields of an object that are said, in order; its shape is told by a number of its own. */
  #layout(value: object): Layout {
    const prototype = Object.getPrototypeOf(value);
    const isRecord = prototype === Object.prototype;
    const key = isRecord ? Object.keys(value).join() : prototype;
    let layout = this.#layouts.get(key);
    if (layout === undefined) {
      const { name } = prototype.constructor;
      const fields = Object.keys(value)
        .filter((field) => !FRAME.has(field) && !DERIVED.has(field))
        .filter((field) => !DERIVED_PATHS.has(`${name}.${field}`))
        .map((field) => [field, isMoment(field)] as const);
      layout = { name, fields };
      this.#layouts.set(key, layout);
    }
    return layout;
  }

  /** A pure object as a number that stands for its content. */
  #text(value: object): string {
    const known = this.#texts.get(value);
    if (known !== undefined) return known;
    const content = ArrayBuffer.isView(value)
      ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength).toHex()
      : JSON.stringify(value, (_, item) => item instanceof Uint8Array ? item.toHex() : item);
    let number = this.#numbers.get(content);
    if (number === undefined) this.#numbers.set(content, number = this.#numbers.size);
    const text = `#${number}`;
    this.#texts.set(value, text);
    return text;
  }

  /** Only plain objects are remembered: a weak map of every instance that was ever copied costs more than all else here. */
  #kind(value: object): Kind {
    if (Object.getPrototypeOf(value) !== Object.prototype) {
      return value instanceof Uint8Array ? PURE : IMPURE;
    }
    const known = this.#kinds.get(value);
    if (known !== undefined) return known;
    const kind = this.#judge(value);
    this.#kinds.set(value, kind);
    return kind;
  }

  #judge(value: object): Kind {
    let isPure = true;
    let isTimed = false;
    for (const [key, item] of Object.entries(value)) {
      if (typeof item === "function") isPure = false;
      else if (typeof item === "number") isTimed ||= isMoment(key);
      else if (isObject(item)) {
        const kind = Array.isArray(item) ? this.#judgeList(item) : this.#kind(item);
        isPure &&= kind.isPure;
        isTimed ||= kind.isTimed;
      }
    }
    if (isPure) Object.freeze(value); // so that a change of what copies share is an error at once
    return { isPure, isTimed };
  }

  /** A list within a plain object is as pure as what is in it. */
  #judgeList(items: readonly unknown[]): Kind {
    const kinds = items.filter(isObject).map((item) =>
      Array.isArray(item) ? this.#judgeList(item) : this.#kind(item)
    );
    return {
      isPure: kinds.every(({ isPure }) => isPure),
      isTimed: kinds.some(({ isTimed }) => isTimed),
    };
  }
}

function emptyLike(value: object): object {
  switch (shapeOf(value)) {
    case "array":
      return [];
    case "map":
      return new Map();
    case "set":
      return new Set();
    case "bytes":
      assert(value instanceof Uint32Array, "what is not bytes is words");
      return new Uint32Array(value.length);
    default:
      return Object.create(Object.getPrototypeOf(value));
  }
}

/** An entry of the ledger whose age nobody asks for. */
function isQuietEntry(value: object): boolean {
  const { record } = fieldsOf(value);
  return isObject(record) && "state" in record && record.state !== "released";
}
