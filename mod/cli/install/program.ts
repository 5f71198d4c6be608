/** Program files: whether two are one, and whether one is a gossamer of whatever version. */
import { attempt, isThere } from "./put.ts";

/** Stands in the first lines of the launcher, scripts/build/launcher.sh. */
const LAUNCHER_MARK = "# gossamer in one file";
const HEAD_BYTES = 256;
const CHUNK_BYTES = 1024 * 1024;

/** Whether the other is there and has the same bytes. Throws UserError. */
export function isSameFile(one: string, other: string): boolean {
  if (!isThere(other)) return false;
  return attempt(other, () => {
    const [first, second] = [Deno.statSync(one), Deno.statSync(other)];
    if (first.dev === second.dev && first.ino === second.ino) return true;
    return second.isFile && first.size === second.size && hasSameBytes(one, other);
  });
}

/** Whether a build of the launcher's form begins so. Throws UserError. */
export function isLaunchedFile(path: string): boolean {
  return attempt(path, () => {
    if (!Deno.statSync(path).isFile) return false;
    using file = Deno.openSync(path);
    const head = new Uint8Array(HEAD_BYTES);
    const length = file.readSync(head) ?? 0;
    return new TextDecoder().decode(head.subarray(0, length)).includes(LAUNCHER_MARK);
  });
}

function hasSameBytes(one: string, other: string): boolean {
  using first = Deno.openSync(one);
  using second = Deno.openSync(other);
  const [left, right] = [new Uint8Array(CHUNK_BYTES), new Uint8Array(CHUNK_BYTES)];
  for (;;) {
    const length = fill(first, left);
    if (length !== fill(second, right)) return false;
    if (length === 0) return true;
    for (let at = 0; at < length; at++) if (left[at] !== right[at]) return false;
  }
}

function fill(file: Deno.FsFile, chunk: Uint8Array): number {
  let length = 0;
  while (length < chunk.length) {
    const more = file.readSync(chunk.subarray(length));
    if (more === null) break;
    length += more;
  }
  return length;
}
