/**
 * The file at `--key-file`: who may read it may speak for any host. `gossamer keys` changes it on every host, so it is
 * replaced as a whole, and what a person wrote into it as comments stays.
 */
import type { Problem } from "../base/problem.ts";
import { systemReasonOf, UserError } from "../base/errors.ts";
import { fingerprintOf, parseKeys } from "../wire/keyring.ts";
import { PRIVATE_FILE_MODE, replaceFile } from "./replace_file.ts";

/** First line of a file that was written here. */
const HEADING =
  "# Kept by gossamer: change it with gossamer keys; one key a line, the first one encrypts";

/** Permission bits of group and others. */
const FOREIGN_BITS = 0o077;

/** The file's text. Throws UserError when it cannot be read. */
export function readKeyFile(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    throw new UserError(`--key-file ${path} cannot be read: ${systemReasonOf(error)}`, {
      exitCode: 2,
      remedy: "name a file with one base64 key of 32 bytes a line, readable by this user",
      cause: error,
    });
  }
}

/**
 * Replaces the file by one with these keys, durable when it returns; behind a symbolic link, the file that it leads to. Owner
 * and comments stay. Throws an Error that names the file and what the disk says; the file is then as it was.
 *
 * @param keys Lines of base64, the primary first.
 */
export function writeKeyFile(path: string, keys: string): void {
  try {
    const target = Deno.realPathSync(path);
    const { uid, gid } = Deno.statSync(target);
    const owner = uid === null || gid === null ? {} : { owner: { uid, gid } };
    const text = withComments(keys, Deno.readTextFileSync(target));
    replaceFile(target, new TextEncoder().encode(text), owner);
  } catch (error) {
    throw new Error(`the key file ${path} cannot be replaced: ${systemReasonOf(error)}`, {
      cause: error,
    });
  }
}

/** Fingerprints of keys in the file that are not among these: somebody has written them there, and they must not get lost. */
export function unreadKeys(path: string, read: readonly string[]): string[] {
  try {
    const fingerprints = parseKeys(Deno.readTextFileSync(path), path).map(fingerprintOf);
    return fingerprints.filter((fingerprint) => !read.includes(fingerprint));
  } catch {
    return []; // nothing legible, so no key to lose
  }
}

/**
 * The keys with the old file's comments: those right above a key go with it, and away with it; those before an empty line
 * or at the end are about the file.
 */
export function withComments(keys: string, old: string): string {
  const aboutFile = [HEADING];
  const aboutKey = new Map<string, string[]>();
  let pending: string[] = [];
  for (const line of old.split("\n").map((line) => line.trim())) {
    if (line === HEADING) continue;
    if (line.startsWith("#")) {
      pending.push(line);
      continue;
    }
    if (line === "") aboutFile.push(...pending);
    else aboutKey.set(line, pending);
    pending = [];
  }
  aboutFile.push(...pending);
  const lines = keys.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const entries = lines.flatMap((key) => [...(aboutKey.get(key) ?? []), key]);
  return [...aboutFile, "", ...entries, ""].join("\n");
}

/** A key file that others may read keeps nothing secret. Null as well when there is none to be seen. */
export function keyFileProblem(path: string): Problem | null {
  let mode: number;
  try {
    mode = Deno.statSync(path).mode ?? 0;
  } catch {
    return null;
  }
  if ((mode & FOREIGN_BITS) === 0) return null;
  const octal = (bits: number) => (bits & 0o7777).toString(8).padStart(4, "0");
  return {
    code: "key-file-open",
    severity: "warning",
    text: `The key file ${path} has mode ${octal(mode)}: other users may read or change it`,
    remedy: `chmod ${octal(PRIVATE_FILE_MODE)} ${path}; if somebody may have read it, change the ` +
      "keys with gossamer keys",
  };
}
