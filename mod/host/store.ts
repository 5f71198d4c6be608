/**
 * The state directory: documents that survive reboots, each replaced as a whole so that a power cut at any moment leaves
 * either the old or the new one.
 */
import type { PersistedDocument } from "../base/core.ts";
import { ExitCode, reasonOf, UserError } from "../base/errors.ts";
import { keepFile, PRIVATE_FILE_MODE, replaceFile } from "./replace_file.ts";

/** A copy of a document that is kept, each in place of the one before. */
export type Copy =
  /** What the last write replaced. */
  | "previous"
  /** What could not be read when the previous copy took its place. */
  | "damaged"
  /** Of the identity that this host had before. */
  | "lost";

const LONG_AGO = new Date(0);

/** Documents hold keys of nobody, but what owns a subnet is nobody else's business to change. */
const DIRECTORY_MODE = 0o700;

export class Store {
  readonly directory: string;
  readonly #lock: Deno.FsFile;

  constructor(directory: string, lock: Deno.FsFile) {
    this.directory = directory;
    this.#lock = lock;
  }

  /**
   * Opens (makes, if need be) the directory and locks it against a second agent. Throws UserError when it cannot be
   * used: read-only, not ours, locked.
   */
  static open(directory: string): Store {
    const remedy = "give a writable directory with --state-dir; it must survive reboots";
    let lock: Deno.FsFile;
    try {
      Deno.mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE });
      lock = Deno.openSync(`${directory}/lock`, {
        write: true,
        create: true,
        mode: PRIVATE_FILE_MODE,
      });
    } catch (error) {
      const reason = reasonOf(error);
      const denied = error instanceof Deno.errors.PermissionDenied;
      throw new UserError(`the state directory ${directory} cannot be used: ${reason}`, {
        exitCode: denied ? ExitCode.privilege : ExitCode.failed,
        remedy,
        cause: error,
      });
    }
    if (!lock.tryLockSync(true)) {
      lock.close();
      throw new UserError(`another agent uses the state directory ${directory}`, {
        remedy: "stop it first, or give this one its own --state-dir and --run-dir",
      });
    }
    return new Store(directory, lock);
  }

  /** As {@linkcode read}, of a directory that is not opened, whoever uses it. Throws UserError when it cannot be read. */
  static peek(directory: string, document: PersistedDocument, copy?: Copy): Uint8Array | null {
    return readDocument(pathOf(directory, document, copy));
  }

  /** The document's bytes, or null when there is none. Throws UserError when it cannot be read. */
  read(document: PersistedDocument, copy?: Copy): Uint8Array | null {
    return readDocument(this.path(document, copy));
  }

  /**
   * Replaces the document, durable when it returns; what it replaces is kept as its previous copy. Throws what the disk says;
   * the document is then as it was.
   */
  write(document: PersistedDocument, bytes: Uint8Array): void {
    replaceFile(this.path(document), bytes, { previous: this.path(document, "previous") });
  }

  /**
   * Puts these bytes in the place of a document that is not to be used: it is set aside under that name, and its previous copy
   * stays. The document counts as written long ago until it is written again. Throws what the disk says.
   */
  restore(document: PersistedDocument, bytes: Uint8Array, setAside: Copy): void {
    const path = this.path(document);
    try {
      keepFile(path, this.path(document, setAside));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // there was none
    }
    replaceFile(path, bytes);
    Deno.utimeSync(path, LONG_AGO, LONG_AGO);
  }

  /** Removes a copy, if there is one. Throws what the disk says. */
  remove(document: PersistedDocument, copy: Copy): void {
    if (this.has(document, copy)) Deno.removeSync(this.path(document, copy));
  }

  /** Whether there is such a copy. */
  has(document: PersistedDocument, copy: Copy): boolean {
    try {
      Deno.lstatSync(this.path(document, copy));
      return true;
    } catch {
      return false;
    }
  }

  /** Marks the document as being of an agent that is alive: see {@linkcode Store.ageMs}. Does nothing on a disk that refuses. */
  touch(document: PersistedDocument): void {
    const now = new Date();
    try {
      Deno.utimeSync(this.path(document), now, now);
    } catch {
      // Read-only, or not written yet: the next start is the more careful for it.
    }
  }

  /** How long ago, by the wall clock, an agent wrote or marked the document; null when that is not known. */
  ageMs(document: PersistedDocument): number | null {
    try {
      const { mtime } = Deno.statSync(this.path(document));
      return mtime === null ? null : Date.now() - mtime.getTime();
    } catch {
      return null;
    }
  }

  path(document: PersistedDocument, copy?: Copy): string {
    return pathOf(this.directory, document, copy);
  }

  /** Lets another agent use the directory. */
  close(): void {
    this.#lock.close();
  }
}

function pathOf(directory: string, document: PersistedDocument, copy?: Copy): string {
  return `${directory}/${document}.${copy ?? "state"}`;
}

function readDocument(path: string): Uint8Array | null {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    const reason = reasonOf(error);
    const denied = error instanceof Deno.errors.PermissionDenied;
    throw new UserError(`${path} cannot be read: ${reason}`, {
      exitCode: denied ? ExitCode.privilege : ExitCode.failed,
      remedy: denied
        ? "run it as the user the agent runs as, usually root"
        : "repair the disk or the file's permissions; without it this host would lose its subnet",
      cause: error,
    });
  }
}
