/**
 * Puts files into place by a rename: a program that runs keeps its old file, nobody ever starts half of one, and a link in the
 * way is replaced instead of followed.
 */
import { ExitCode, systemReasonOf, UserError } from "../../base/errors.ts";

const FILE_MODE = 0o644;
const PROGRAM_MODE = 0o755;

/** A program, readable and executable by all whatever the umask is. Throws what the disk says. */
export function putCopy(from: string, to: string): void {
  put(to, (fresh) => {
    Deno.copyFileSync(from, fresh);
    settle(fresh, PROGRAM_MODE);
  });
}

/** A text that all may read. Throws what the disk says. */
export function putText(path: string, text: string): void {
  put(path, (fresh) => {
    Deno.writeTextFileSync(fresh, text, { createNew: true });
    settle(fresh, FILE_MODE);
  });
}

/** A symbolic link. Throws what the disk says. */
export function putLink(target: string, path: string): void {
  put(path, (fresh) => Deno.symlinkSync(target, fresh));
}

/** Null when it is not there. Throws UserError when it cannot be read. */
export function textOf(path: string): string | null {
  if (!isThere(path)) return null;
  return attempt(path, () => {
    try {
      return Deno.readTextFileSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return ""; // a link to nothing
      throw error;
    }
  });
}

/** What a symbolic link says; null when it is none. */
export function linkOf(path: string): string | null {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return null;
  }
}

/** Also a link to nothing. Throws UserError. */
export function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw refusal(path, error);
  }
}

/**
 * Throws UserError if a link on the way to the path leads out of the root: an image's link to /opt means its own /opt, and the
 * kernel would take ours.
 */
export function stayBelow(root: string, path: string): void {
  if (root === "") return;
  let folder = parentOf(path);
  while (folder.length > root.length && !isThere(folder)) folder = parentOf(folder);
  const [real, realRoot] = attempt(
    folder,
    () => [Deno.realPathSync(folder), Deno.realPathSync(root)],
  );
  if (real === realRoot || real.startsWith(realRoot === "/" ? "/" : `${realRoot}/`)) return;
  throw new UserError(`${folder} is a link that leads out of ${root}, to ${real}`, {
    remedy: "install from inside: chroot, or systemd-nspawn",
  });
}

/** Throws UserError, in words and with the exit code of missing privileges, for what the disk says. */
export function attempt<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw refusal(path, error);
  }
}

function put(path: string, write: (fresh: string) => void): void {
  Deno.mkdirSync(parentOf(path), { recursive: true });
  const fresh = `${path}.new`;
  removeIfThere(fresh);
  try {
    write(fresh);
    Deno.renameSync(fresh, path);
  } catch (error) {
    removeIfThere(fresh);
    throw error;
  }
}

/** On the disk before it has its name: a power cut leaves the old file or the new one. */
function settle(path: string, mode: number): void {
  Deno.chmodSync(path, mode);
  using file = Deno.openSync(path);
  file.syncSync();
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

function refusal(path: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  const isDenied = error instanceof Deno.errors.PermissionDenied;
  return new UserError(`${path}: ${systemReasonOf(error)}`, {
    ...(isDenied ? { exitCode: ExitCode.privilege, remedy: "run it as root" } : {}),
    cause: error,
  });
}
