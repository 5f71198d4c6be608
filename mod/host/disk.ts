/** The few things that replacing a file asks of a disk; a port, so that tests can lose power between any two of them. */

/** Permission bits of a file that is its owner's alone. */
export const PRIVATE_FILE_MODE = 0o600;

/** User and group that a file belongs to. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/** A file that is being written. */
export interface DiskFile {
  /** Takes some of the bytes and says how many. */
  write(bytes: Uint8Array): number;
  /** What was written is on the disk when it returns: fsync(2). */
  sync(): void;
  close(): void;
}

/** Everything throws what the disk says, as an error of `Deno.errors` where there is one. */
export interface Disk {
  /** A new file of the owner's alone; AlreadyExists when something has the name, be it a link. */
  create(path: string): DiskFile;
  /** Gives the file to somebody else. */
  give(path: string, owner: FileOwner): void;
  /** A second name for the file: link(2). */
  link(path: string, another: string): void;
  /** At any moment the target is the old or the new file: rename(2). */
  rename(from: string, to: string): void;
  remove(path: string): void;
  /** The folder's names are on the disk when it returns. */
  syncFolder(path: string): void;
}

/** The real one. */
export const DISK: Disk = {
  create(path) {
    const file = Deno.openSync(path, { write: true, createNew: true, mode: PRIVATE_FILE_MODE });
    return {
      write: (bytes) => file.writeSync(bytes),
      sync: () => file.syncSync(),
      close: () => file.close(),
    };
  },
  give: (path, { uid, gid }) => Deno.chownSync(path, uid, gid),
  link: (path, another) => Deno.linkSync(path, another),
  rename: (from, to) => Deno.renameSync(from, to),
  remove: (path) => Deno.removeSync(path),
  syncFolder(path) {
    const folder = Deno.openSync(path);
    try {
      folder.syncSync();
    } finally {
      folder.close();
    }
  },
};
