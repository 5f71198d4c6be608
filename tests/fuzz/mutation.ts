/** Makes hostile inputs of good ones. Everything is drawn from a seed, so that an input can be made again. */
import type { Random } from "../../mod/base/random.ts";
import { decode, encode, type WireValue } from "../../mod/wire/codec.ts";

/** Longer inputs only cost time: what a length may do shows at its claim, not at its bytes. */
const INPUT_BYTES_MAX = 4096;

/** Numbers at the ends of their ranges, or claiming more than there is. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x1_0000, 0x7fff_ffff, 0xffff_ffff];

/** Heads of CBOR items (RFC 8949) that claim very much, or are not used here. */
const HEADS = [
  [0x9a, 0xff, 0xff, 0xff, 0xff],
  [0x9b, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x5a, 0xff, 0xff, 0xff, 0xff],
  [0x7b, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x1b, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x9f],
  [0xbf],
  [0xc0],
  [0xf7],
  [0xf9, 0x7e, 0],
  [0xfb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0],
  [0xd9, 0x9d, 0xff],
  [0x38, 0x20],
];

/** Words that readers of text may trip over. */
const WORDS = [
  "\0",
  "\r\n",
  "-1",
  "1e309",
  "99999999999999999999",
  "0x10",
  "/33",
  ":0",
  ":65536",
  "::",
  "[",
  "__proto__",
  "\u202e",
  "é",
  '"',
  "'''",
  "#",
  "=",
  "{",
  " ",
].map((word) => new TextEncoder().encode(word));

type Mutation = (random: Random, bytes: Uint8Array, other: Uint8Array) => Uint8Array;

const MUTATIONS: readonly Mutation[] = [
  flipBits,
  setByte,
  setLength,
  (random, bytes) => bytes.slice(0, random.below(bytes.length + 1)),
  (random, bytes) => bytes.slice(random.below(bytes.length + 1)),
  (random, bytes) => replaced(random, bytes, []),
  (random, bytes) => inserted(random, bytes, part(random, bytes)),
  (random, bytes, other) => replaced(random, bytes, part(random, other)),
  (random, bytes, other) => joined(bytes.slice(0, random.below(bytes.length + 1)), other),
  (random, bytes) => inserted(random, bytes, randomBytes(random, 1 + random.below(16))),
  (random, bytes) => inserted(random, bytes, one(random, HEADS)),
  (random, bytes) => overwritten(random, bytes, one(random, HEADS)),
  (random, bytes) => replaced(random, bytes, one(random, WORDS)),
  (random, bytes) => joined(...Array<Uint8Array>(1 + random.below(12)).fill(bytes)),
  (random, bytes) => joined(new Uint8Array(random.below(300)).fill(0x81), bytes),
  // Most of our formats are CBOR: these get past the structure and to the fields.
  changedFields,
  changedFields,
  changedFields,
  changedFields,
];

/** One input: now and then of random bytes, mostly a good one changed in one to four ways. */
export function hostileInput(random: Random, good: readonly Uint8Array[]): Uint8Array {
  if (good.length === 0 || random.below(16) === 0) {
    return randomBytes(random, random.below(random.below(8) === 0 ? 1500 : 40));
  }
  let bytes = one(random, good);
  const rounds = 1 + random.below(2) * random.below(4);
  for (let round = 0; round < rounds; round++) {
    bytes = one(random, MUTATIONS)(random, bytes, one(random, good)).slice(0, INPUT_BYTES_MAX);
  }
  return bytes;
}

function one<T>(random: Random, choices: readonly T[]): T {
  return choices[random.below(choices.length)] as T;
}

function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.below(256));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A piece, mostly short. */
function part(random: Random, bytes: Uint8Array): Uint8Array {
  const start = random.below(bytes.length + 1);
  return bytes.slice(start, start + 1 + random.below(random.below(4) === 0 ? 256 : 16));
}

function inserted(random: Random, bytes: Uint8Array, piece: ArrayLike<number>): Uint8Array {
  const at = random.below(bytes.length + 1);
  return joined(bytes.subarray(0, at), Uint8Array.from(piece), bytes.subarray(at));
}

function replaced(random: Random, bytes: Uint8Array, piece: ArrayLike<number>): Uint8Array {
  const at = random.below(bytes.length + 1);
  const end = at + 1 + random.below(16);
  return joined(bytes.subarray(0, at), Uint8Array.from(piece), bytes.subarray(end));
}

function overwritten(random: Random, bytes: Uint8Array, piece: ArrayLike<number>): Uint8Array {
  const copy = bytes.slice();
  const at = random.below(Math.max(1, copy.length));
  for (let index = 0; index < piece.length && at + index < copy.length; index++) {
    copy[at + index] = piece[index] ?? 0;
  }
  return copy;
}

function flipBits(random: Random, bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  if (copy.length === 0) return copy;
  for (let flips = 1 + random.below(4); flips > 0; flips--) {
    const at = random.below(copy.length);
    copy[at] = (copy[at] ?? 0) ^ 1 << random.below(8);
  }
  return copy;
}

function setByte(random: Random, bytes: Uint8Array): Uint8Array {
  return overwritten(random, bytes, [random.below(256)]);
}

/** An edge value as two or four bytes, of either order, at any place: lengths and counts are of this form. */
function setLength(random: Random, bytes: Uint8Array): Uint8Array {
  const field = new DataView(new ArrayBuffer(4));
  const isLittleEndian = random.below(2) === 0;
  field.setUint32(0, one(random, EDGES), isLittleEndian);
  const four = new Uint8Array(field.buffer);
  const two = isLittleEndian ? four.subarray(0, 2) : four.subarray(2);
  return overwritten(random, bytes, random.below(2) === 0 ? four : two);
}

/** Changes one value somewhere inside, and encodes all again; bytes that are not CBOR stay as they are. */
function changedFields(random: Random, bytes: Uint8Array): Uint8Array {
  try {
    return encode(changed(random, decode(bytes)));
  } catch {
    return flipBits(random, bytes);
  }
}

function changed(random: Random, value: WireValue): WireValue {
  if (Array.isArray(value) && value.length > 0 && random.below(8) > 0) {
    const items = [...value];
    const at = random.below(items.length);
    items[at] = changed(random, items[at] ?? null);
    return items;
  }
  // Our formats keep encoded records within byte strings.
  if (value instanceof Uint8Array && value.length > 2 && random.below(2) === 0) {
    return changedFields(random, value);
  }
  return anotherValue(random, value);
}

function anotherValue(random: Random, value: WireValue): WireValue {
  switch (random.below(10)) {
    case 0:
      return one(random, [null, true, false]);
    case 1:
      return one(random, [...EDGES, 2 ** 32, 2 ** 50, 2 ** 50 + 1, Number.MAX_SAFE_INTEGER]);
    case 2:
      return random.below(300);
    case 3:
      return randomBytes(random, one(random, [0, 4, 6, 8, 16, 18, 32, 33, 64, 200]));
    case 4:
      return new TextDecoder().decode(one(random, WORDS)).repeat(random.below(70));
    case 5:
      return Array.isArray(value) ? [...value, ...value] : [value];
    case 6:
      return Array.isArray(value) ? random.shuffle([...value]) : [];
    case 7:
      return Array.isArray(value) ? value.slice(1) : value;
    default:
      if (typeof value === "number") return Math.max(0, value + random.below(3) - 1);
      return value instanceof Uint8Array ? flipBits(random, value) : value;
  }
}
