/**
 * Inputs worth keeping, one file a decoder, one input a line in hexadecimal digits: each made its decoder do what none
 * before it did. `deno task fuzz --grow` adds to them.
 */
import { type Decoder, outcomeOf } from "./decoder.ts";

const FOLDER = new URL("corpus/", import.meta.url);

/** Longer ones are not kept: the files are read by people, and by every run. */
const ENTRY_BYTES_MAX = 512;
/** Enough for the ways in which most decoders end; one that reads anything has no end of them. */
export const ENTRIES_MAX = 60;

/** `mod/wire/codec.ts decode` to `wire_codec_decode.hex`. */
function fileOf({ name }: Decoder): URL {
  const plain = name.replace(/^mod\//, "").replace(".ts", "").replace(/[^A-Za-z0-9]+/g, "_");
  return new URL(`${plain.replace(/_$/, "")}.hex`, FOLDER);
}

export function readCorpus(decoder: Decoder): Uint8Array[] {
  let text: string;
  try {
    text = Deno.readTextFileSync(fileOf(decoder));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  return text.split("\n").filter((line) => line !== "")
    .map((line) => Uint8Array.fromHex(line === "-" ? "" : line));
}

/** The discovery without all that can be left out while the decoder ends in the same way; null when it is still too long. */
export async function shortened(
  decoder: Decoder,
  discovery: Uint8Array,
): Promise<Uint8Array | null> {
  const { kind } = await outcomeOf(decoder, discovery);
  let bytes = discovery;
  for (let size = bytes.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < bytes.length;) {
      const rest = Uint8Array.of(...bytes.subarray(0, at), ...bytes.subarray(at + size));
      if ((await outcomeOf(decoder, rest)).kind === kind) bytes = rest;
      else at += size;
    }
  }
  return bytes.length <= ENTRY_BYTES_MAX ? bytes : null;
}

/** Shortest first, so that a grown corpus differs little from the one before. */
export function writeCorpus(decoder: Decoder, entries: readonly Uint8Array[]): void {
  const lines = entries.map((bytes) => bytes.length === 0 ? "-" : bytes.toHex());
  const sorted = [...new Set(lines)].sort((one, other) =>
    one.length - other.length || (one < other ? -1 : 1)
  );
  Deno.writeTextFileSync(fileOf(decoder), sorted.map((line) => `${line}\n`).join(""));
}

/** The files that no decoder reads: left over from one that was renamed. */
export function orphanFiles(decoders: readonly Decoder[]): string[] {
  const known = new Set(decoders.map((decoder) => fileOf(decoder).href));
  return [...Deno.readDirSync(FOLDER)].map(({ name }) => name)
    .filter((name) => !known.has(new URL(name, FOLDER).href));
}
