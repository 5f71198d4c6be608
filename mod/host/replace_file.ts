/** Files that are replaced as a whole, so that a power cut at any moment leaves either the old or the new one. */

/** Permission bits of a file that is its owner's alone. */
export const PRIVATE_FILE_MODE = 0o600;

/** User and group that a file belongs to. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Write, fsync, rename, fsync folder; only the owner may read the file. Throws what the disk says; the old file is then as it
 * was, and nothing new lies beside it.
 */
export function replaceFile(path: string, bytes: Uint8Array, owner?: FileOwner): void {
  const temporary = `${path}.new`;
  const file = createAnew(temporary);
  try {
    try {
      if (owner !== undefined) Deno.chownSync(temporary, owner.uid, owner.gid);
      for (let written = 0; written < bytes.length;) {
        written += file.writeSync(bytes.subarray(written));
      }
      file.syncSync();
    } finally {
      file.close();
    }
    Deno.renameSync(temporary, path);
  } catch (error) {
    removeQuietly(temporary);
    throw error;
  }
  syncFolder(path.slice(0, path.lastIndexOf("/")) || "/");
}

/** Never through a link or into an open file that somebody else has put there; a killed agent's leftover goes. */
function createAnew(path: string): Deno.FsFile {
  const options = { write: true, createNew: true, mode: PRIVATE_FILE_MODE };
  try {
    return Deno.openSync(path, options);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    Deno.removeSync(path);
    return Deno.openSync(path, options);
  }
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // What went wrong before is the better thing to say.
  }
}

/** A new name in a folder is on the disk only when the folder is. */
function syncFolder(path: string): void {
  const folder = Deno.openSync(path);
  try {
    folder.syncSync();
  } finally {
    folder.close();
  }
}
