/** The Deno executable that runs this build, packed once and kept for the next builds. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type ElfFacts, readElf } from "./elf.ts";

/** The runtime gossamer is built, tested and measured with; docs/adr/0004 says why it is fixed. */
export const DENO_VERSION = "2.9.6";

/** Level 9 takes 3.5 s once and saves 1.2 of 42.6 MB against level 6. */
const GZIP_LEVEL = 9;

/** A runtime ready to be put behind the launcher. */
export interface PackedRuntime {
  facts: ElfFacts;
  /** Length of the executable in bytes. */
  length: number;
  /** SHA-256 of the executable in hexadecimal. */
  sum: string;
  /** The executable as one gzip member. */
  packed: Uint8Array;
}

/** SHA-256 in hexadecimal. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Packs the running deno, or takes it from `cacheFolder` if it was packed before. */
export async function packRuntime(cacheFolder: string): Promise<PackedRuntime> {
  if (Deno.version.deno !== DENO_VERSION) {
    throw new Error(
      `gossamer is built with deno ${DENO_VERSION}, this is ${Deno.version.deno}; ` +
        `run: npx --yes deno@${DENO_VERSION} task build`,
    );
  }
  const path = Deno.execPath();
  const bytes = await Deno.readFile(path);
  const facts = readElf(bytes, path);
  const sum = sha256(bytes);
  const cachePath = `${cacheFolder}/deno-${DENO_VERSION}-${sum.slice(0, 16)}.gz`;
  const known = await readPacked(cachePath, bytes.length);
  if (known !== undefined) return { facts, length: bytes.length, sum, packed: known };
  const packed = new Uint8Array(gzipSync(bytes, { level: GZIP_LEVEL }));
  await writeAtomically(cachePath, packed);
  return { facts, length: bytes.length, sum, packed };
}

/** A gzip member ends with the length of what it holds (RFC 1952, ISIZE): a cheap sign of wholeness. */
async function readPacked(path: string, length: number): Promise<Uint8Array | undefined> {
  const bytes = await Deno.readFile(path).catch(() => undefined);
  if (bytes === undefined || bytes.length < 18) return undefined;
  const stated = new DataView(bytes.buffer).getUint32(bytes.length - 4, true);
  return stated === length ? bytes : undefined;
}

/** Writes a file that is never seen half written, also when two builds run at once. */
export async function writeAtomically(
  path: string,
  data: Uint8Array | string,
  mode = 0o644,
): Promise<void> {
  const temporary = `${path}.${Deno.pid}.tmp`;
  try {
    await Deno.writeFile(
      temporary,
      typeof data === "string" ? new TextEncoder().encode(data) : data,
    );
    await Deno.chmod(temporary, mode);
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}
