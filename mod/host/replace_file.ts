/** Files that are replaced as a whole, so that a power cut at any moment leaves either the old or the new one. */
import { DISK, type Disk, type DiskFile, type FileOwner } from "./disk.ts";

export { type FileOwner, PRIVATE_FILE_MODE } from "./disk.ts";

export interface ReplaceOptions {
  readonly owner?: FileOwner;
  /** Where the file that is replaced stays: the copy to use should the new one be damaged later. */
  readonly previous?: string;
  readonly disk?: Disk;
}

/**
 * Write, fsync, keep the previous one, rename, fsync folder; only the owner may read the file. The path leads to a whole
 * file all the time. Throws what the disk says; the file is then as it was, and nothing new lies beside it. Only when the folder
 * cannot be synced, the last step, it may be the new one: the caller then writes what it wants to be there.
 */
export function replaceFile(path: string, bytes: Uint8Array, options: ReplaceOptions = {}): void {
  const { owner, previous, disk = DISK } = options;
  const temporary = `${path}.new`;
  const file = createAnew(disk, temporary);
  try {
    try {
      if (owner !== undefined) disk.give(temporary, owner);
      for (let written = 0; written < bytes.length;) {
        written += file.write(bytes.subarray(written));
      }
      file.sync();
    } finally {
      file.close();
    }
    if (previous !== undefined) keep(disk, path, previous);
    disk.rename(temporary, path);
  } catch (error) {
    removeQuietly(disk, temporary);
    throw error;
  }
  disk.syncFolder(folderOf(path));
}

/** Gives a file a second name, in place of what had it; neither name is without a file in between. */
export function keepFile(path: string, name: string, disk: Disk = DISK): void {
  const temporary = `${name}.new`;
  removeQuietly(disk, temporary); // a killed agent's leftover
  disk.link(path, temporary);
  try {
    disk.rename(temporary, name);
  } finally {
    // Between two names of one file rename(2) does nothing, and leaves both.
    removeQuietly(disk, temporary);
  }
}

/**
 * What is to be replaced stays as the previous copy. Where that does not work (file systems without hard links) there is none:
 * an older one would bring back what was long overtaken.
 */
function keep(disk: Disk, path: string, previous: string): void {
  try {
    keepFile(path, previous, disk);
  } catch {
    removeQuietly(disk, previous);
  }
}

/** Never through a link or into an open file that somebody else has put there; a killed agent's leftover goes. */
function createAnew(disk: Disk, path: string): DiskFile {
  try {
    return disk.create(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    disk.remove(path);
    return disk.create(path);
  }
}

function removeQuietly(disk: Disk, path: string): void {
  try {
    disk.remove(path);
  } catch {
    // It is not there; or what went wrong before is the better thing to say.
  }
}

/** A new name in a folder is on the disk only when the folder is. */
function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
