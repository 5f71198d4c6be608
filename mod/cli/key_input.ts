/** A gossip key from a file or standard input; never from the command line, which every user of the host can read. */
import { ConfigError, ExitCode, systemReasonOf, UserError } from "../base/errors.ts";
import { parseKeys } from "../wire/keyring.ts";
import { printable } from "./columns.ts";
import type { Outside } from "./outside.ts";

/** Bytes of a key file: a thousand keys have 45 kB, and anything longer is another file. */
const FILE_BYTES_MAX = 64 * 1024;

/** Permission bits of group and others. */
const FOREIGN_BITS = 0o077;

/** What 32 bytes look like in base64: somebody gave the key itself. */
const KEY_PATTERN = /^[A-Za-z0-9+/]{43}=?$/;

/** The one key of the file, or of standard input for `-`, in base64. Throws UserError; no error repeats it. */
export async function readKey(outside: Outside, source: string): Promise<string> {
  const place = source === "-" ? "standard input" : source;
  const keys = parseKeys(source === "-" ? await outside.input() : readFile(outside, source), place);
  const [key] = keys;
  if (key !== undefined && keys.length === 1) return key.toBase64();
  throw new ConfigError(
    place,
    `there are ${keys.length} keys in it`,
    "give the new one alone, in a file of its own",
  );
}

function readFile(outside: Outside, path: string): string {
  try {
    const { size, mode } = Deno.statSync(path);
    if (size > FILE_BYTES_MAX) {
      throw new ConfigError(path, `is ${size} bytes long, too long for a key`);
    }
    const text = Deno.readTextFileSync(path);
    if (((mode ?? 0) & FOREIGN_BITS) !== 0) {
      outside.say(`gossamer: other users of this host may read the key in ${printable(path)}`);
    }
    return text;
  } catch (error) {
    if (error instanceof UserError) throw error;
    const isAbsent = error instanceof Deno.errors.NotFound;
    if (isAbsent && KEY_PATTERN.test(path)) throw keyOnCommandLine();
    const reason = isAbsent ? "there is no such file" : systemReasonOf(error);
    throw new ConfigError("keys install", `cannot read ${path}: ${reason}`);
  }
}

function keyOnCommandLine(): UserError {
  return new UserError("keys install: a key on the command line can be read by every user here", {
    exitCode: ExitCode.usage,
    remedy: "make another one, and give it in a file or as standard input: " +
      "gossamer keys generate | gossamer keys install -",
  });
}
