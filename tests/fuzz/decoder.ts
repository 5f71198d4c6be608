/** What the fuzzer knows of one decoder, and the judgement on what it did with some bytes. */
import { isDeepStrictEqual } from "node:util";

/** A class of errors, for `instanceof`. */
// deno-lint-ignore no-explicit-any -- constructors differ in what they take
export type ErrorClass = new (...given: any[]) => Error;

export interface Decoder {
  /** The file and the function that reads: `mod/wire/codec.ts decode`; with a note in brackets when there are several. */
  readonly name: string;
  /** Takes bytes from outside; may answer later. */
  readonly decode: (bytes: Uint8Array) => unknown;
  /** What it takes: inputs are made by damaging these. */
  readonly samples: readonly Uint8Array[];
  /** The only errors it may throw. */
  readonly refusals: readonly ErrorClass[];
  /** The bytes of a value that it gave; decoding them must give an equal value. */
  readonly encode?: (value: never) => Uint8Array;
  /** Whether a value may be written in several ways; if not, encoding must give back the very input. */
  readonly hasManyForms?: true;
}

/** What a decoder did with one input. */
export interface Outcome {
  /** Inputs that end alike have the same kind: the error without its figures, or the shape of the value. */
  readonly kind: string;
  readonly isAccepted: boolean;
  /** What must not be; null when all is well. */
  readonly fault: string | null;
}

/** Characters of an error's message: one line of a log, whatever the input was. */
const MESSAGE_CHARACTERS_MAX = 500;
/** What a message says when its author forgot that something may be missing. */
const FORGOTTEN = /\b(undefined|NaN|\[object|null)\b/;
// deno-lint-ignore no-control-regex -- these are what is looked for
const UNPRINTABLE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/;

/** Runs a decoder on bytes of their own and judges what came out. */
export async function outcomeOf(decoder: Decoder, input: Uint8Array): Promise<Outcome> {
  const bytes = input.slice();
  let value: unknown;
  try {
    value = decoder.decode(bytes);
    if (value instanceof Promise) value = await value;
  } catch (error) {
    return refused(decoder, error);
  }
  const kind = `takes ${shapeOf(value, 0)}`;
  const isTouched = bytes.some((byte, index) => byte !== input[index]);
  if (isTouched) return { kind, isAccepted: true, fault: "it wrote into its input" };
  return { kind, isAccepted: true, fault: await roundTripFault(decoder, value, input) };
}

function refused({ refusals }: Decoder, error: unknown): Outcome {
  const { name, message } = error instanceof Error ? error : { name: typeof error, message: "" };
  const outcome = { kind: `refuses: ${name} ${withoutFigures(message)}`, isAccepted: false };
  if (!refusals.some((refusal) => error instanceof refusal)) {
    const stack = error instanceof Error ? error.stack : String(error);
    return { ...outcome, fault: `an unexpected error: ${stack}` };
  }
  return { ...outcome, fault: messageFault(message) };
}

/** A refusal names what and where in one printable line. */
function messageFault(message: string): string | null {
  if (!/\p{L}+\P{L}+\p{L}+/u.test(message)) return `an error that says nothing: "${message}"`;
  if (FORGOTTEN.test(withoutQuotes(message))) return `an error about nothing: "${message}"`;
  if (UNPRINTABLE.test(message)) return `an unprintable error: ${JSON.stringify(message)}`;
  if (message.length > MESSAGE_CHARACTERS_MAX) return `an error of ${message.length} characters`;
  return null;
}

async function roundTripFault(
  decoder: Decoder,
  value: unknown,
  input: Uint8Array,
): Promise<string | null> {
  if (decoder.encode === undefined) return null;
  let again: unknown;
  try {
    const bytes = decoder.encode(value as never);
    if (decoder.hasManyForms === undefined && bytes.toHex() !== input.toHex()) {
      return `it takes what is not the one form of a value: ${bytes.toHex()}`;
    }
    again = await decoder.decode(bytes);
  } catch (error) {
    return `what it took does not survive encoding: ${error}`;
  }
  return isDeepStrictEqual(again, value) ? null : "it decodes another value from its own encoding";
}

/** Throws unless every text within the value may be shown to people; a decoder that lets others through has a hole. */
export function checkPrintable(value: unknown): void {
  if (typeof value === "string" && UNPRINTABLE.test(value)) {
    throw new TypeError(`it took the text ${JSON.stringify(value)}`);
  }
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
  for (const part of Object.values(value)) checkPrintable(part);
}

function withoutQuotes(message: string): string {
  return message.replace(/"(\\.|[^"\\])*"/g, '"…"').replace(/'[^']*'/g, "'…'");
}

/** The message of an error with all that depends on the input left out. */
function withoutFigures(message: string): string {
  const line = withoutQuotes(message).split("\n")[0] ?? "";
  return line.replace(/\b(0x[0-9a-f]+|[0-9a-f]*:[0-9a-f:]+|[0-9a-f]{8,}|\d[\d.:/]*)/gi, "#").slice(
    0,
    120,
  );
}

/** Deeper parts of a value are not told apart. */
const SHAPE_DEPTH_MAX = 3;

/** A value as types: lists by the order of magnitude of their length, numbers by that of their size. */
function shapeOf(value: unknown, depth: number): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") return `n${Math.floor(Math.log2(Math.abs(value) + 1) / 8)}`;
  if (typeof value === "string") return value === "" ? "''" : "text";
  if (value instanceof Uint8Array) return `bytes${magnitude(value.length)}`;
  if (typeof value !== "object" || depth === SHAPE_DEPTH_MAX) return typeof value;
  if (Array.isArray(value)) {
    const kinds = new Set(value.map((item) => shapeOf(item, depth + 1)));
    return `[${magnitude(value.length)} ${[...kinds].sort().slice(0, 3).join(",")}]`;
  }
  const kind = Reflect.get(value, "kind");
  const parts = Object.entries(value).map(([key, part]) => `${key}:${shapeOf(part, depth + 1)}`);
  return `{${typeof kind === "string" ? `${kind} ` : ""}${parts.slice(0, 24).join(" ")}}`;
}

function magnitude(length: number): number {
  return length === 0 ? 0 : 1 + Math.floor(Math.log10(length));
}
