/**
 * The state directory: documents that survive reboots, each replaced as a whole so that a power cut at any moment leaves
 * either the old or the new one.
 */
import type { PersistedDocument } from "../base/core.ts";
import { ExitCode, reasonOf, UserError } from "../base/errors.ts";
import { PRIVATE_FILE_MODE, replaceFile } from "./replace_file.ts";

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

  /** The document's bytes, or null when it was never written. Throws UserError when it cannot be read. */
  read(document: PersistedDocument): Uint8Array | null {
    try {
      return Deno.readFileSync(this.path(document));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      const reason = reasonOf(error);
      throw new UserError(`${this.path(document)} cannot be read: ${reason}`, {
        remedy:
          "repair the disk or the file's permissions; without it this host would lose its subnet",
        cause: error,
      });
    }
  }

  /** Replaces the document, durable when it returns. Throws what the disk says. */
  write(document: PersistedDocument, bytes: Uint8Array): void {
    replaceFile(this.path(document), bytes);
  }

  path(document: PersistedDocument): string {
    return `${this.directory}/${document}.state`;
  }

  /** Lets another agent use the directory. */
  close(): void {
    this.#lock.close();
  }
}
