/**
 * The product's claim code with its private fields opened, in a folder of its own: `#name` becomes `$name`, nothing else
 * changes but what a mutant breaks and what a scale says. So the search runs the real code and can still look at, copy
 * and compare whole claimants.
 */
import type { Claimant } from "../../mod/claim/claimant.ts";
import type { ClaimContext } from "../../mod/claim/context.ts";
import type { decodeClaimMemory } from "../../mod/claim/memory.ts";
import type { decodeClaimMessage } from "../../mod/claim/messages.ts";
import type { encodeRecord } from "../../mod/claim/record_codec.ts";
import type { compareClaims } from "../../mod/claim/order.ts";
import type { ClaimOptions } from "../../mod/claim/options.ts";
import type { makePool } from "../../mod/address/pool.ts";
import type { Random } from "../../mod/base/random.ts";
import type { decodeClaimSync } from "../../mod/claim/sync_messages.ts";

/** One change to one file: see tests/mutations/mutant.ts. */
export interface Change {
  /** Below the project's root. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** A claimant whose private fields can be read. */
export type OpenedClaimant = Claimant & { readonly $context: ClaimContext };

/** What the search needs of the opened tree; types are those of the product. */
export interface OpenedTree {
  readonly Claimant: new (options: ClaimOptions, random: Random) => OpenedClaimant;
  readonly makePool: typeof makePool;
  readonly decodeClaimMemory: typeof decodeClaimMemory;
  readonly decodeClaimMessage: typeof decodeClaimMessage;
  readonly decodeClaimSync: typeof decodeClaimSync;
  readonly compareClaims: typeof compareClaims;
  readonly encodeRecord: typeof encodeRecord;
}

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const MODULES = ["base", "address", "wire", "swim", "claim"];
/** A name after a hash that stands where neither a text nor a comment could have it in this code. */
const PRIVATE = /(?<=^|[\s.(!{[,*])#(?=[a-zA-Z]\w*)/gm;

/**
 * Numbers that make the search larger and say nothing. A ledger of three claims needs no thousand buckets; and moments that
 * fall on a coarse grid make fewer different ones.
 */
const SCALE: readonly Change[] = [
  number("mod/wire/item_hash.ts", "BUCKETS_MAX = 1024", "BUCKETS_MAX = BUCKETS_MIN"),
  number("mod/claim/absence.ts", "LOOK_EVERY_MS = 1_000", "LOOK_EVERY_MS = 0"),
  number("mod/claim/choose.ts", "LOOK_AGAIN_MS = 60_000", "LOOK_AGAIN_MS = 7_200_000"), // see HORIZON_MS
  number("mod/claim/hearing.ts", "SEEK_AFTER_MS = 50", "SEEK_AFTER_MS = 500"),
  number("mod/claim/hearing.ts", "HEARSAY_AGAIN_MS = 200", "HEARSAY_AGAIN_MS = 600"),
  number("mod/claim/hearing.ts", "REMEMBERED_MS = 60_000", "REMEMBERED_MS = 6_000"),
];

function number(file: string, find: string, replace: string): Change {
  return { file, find: `const ${find};`, replace: `const ${replace};` };
}

/**
 * Copies, opens and loads. Throws when a change has not exactly one place: the list it comes from is then out of date.
 */
export async function openTree(changes: readonly Change[]): Promise<OpenedTree> {
  const folder = await Deno.makeTempDir({ prefix: "gossamer-search-" });
  try {
    for (const module of MODULES) await copyOpened(`mod/${module}`, folder);
    for (const change of [...SCALE, ...changes]) await apply(change, folder);
    const load = (path: string) => import(`file://${folder}/mod/${path}`);
    const [claimant, pool, memory, messages, sync, order, codec] = await Promise.all([
      load("claim/claimant.ts"),
      load("address/pool.ts"),
      load("claim/memory.ts"),
      load("claim/messages.ts"),
      load("claim/sync_messages.ts"),
      load("claim/order.ts"),
      load("claim/record_codec.ts"),
    ]);
    return {
      Claimant: claimant.Claimant,
      makePool: pool.makePool,
      decodeClaimMemory: memory.decodeClaimMemory,
      decodeClaimMessage: messages.decodeClaimMessage,
      decodeClaimSync: sync.decodeClaimSync,
      compareClaims: order.compareClaims,
      encodeRecord: codec.encodeRecord,
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function copyOpened(folder: string, to: string): Promise<void> {
  await Deno.mkdir(`${to}/${folder}`, { recursive: true });
  for await (const { name, isFile } of Deno.readDir(ROOT + folder)) {
    if (!isFile || !name.endsWith(".ts")) continue;
    const text = await Deno.readTextFile(`${ROOT}${folder}/${name}`);
    await Deno.writeTextFile(`${to}/${folder}/${name}`, opened(text));
  }
}

/** The same text with private names opened. */
export function opened(text: string): string {
  return text.replaceAll(PRIVATE, "$$");
}

async function apply({ file, find, replace }: Change, folder: string): Promise<void> {
  const path = `${folder}/${file}`;
  const parts = (await Deno.readTextFile(path)).split(opened(find));
  if (parts.length !== 2) {
    throw new Error(`${file} has ${parts.length - 1} places with the text ${JSON.stringify(find)}`);
  }
  await Deno.writeTextFile(path, parts.join(opened(replace)));
}
