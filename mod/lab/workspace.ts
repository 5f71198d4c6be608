/**
 * The folder in which a lab keeps its hosts' states, and its removal whatever happens.
 *
 * The folder holds a file that its owner keeps locked. The kernel drops the lock when the owner dies, so
 * the next lab on this machine can tell a folder that was left behind from one in use, and sweeps it.
 */

/** Short, because the control socket's path must fit the 108 bytes of a `sockaddr_un` (unix(7)). */
const PREFIX = "gossamer-lab-";
const LOCK_FILE = "lock";

export class Workspace {
  readonly path: string;
  readonly #lock: Deno.FsFile;

  /** Makes a fresh folder and removes those that dead labs left behind. */
  constructor() {
    const parent = temporaryDirectory();
    sweepAbandoned(parent);
    this.path = Deno.makeTempDirSync({ dir: parent, prefix: PREFIX });
    this.#lock = Deno.openSync(`${this.path}/${LOCK_FILE}`, { write: true, create: true });
    this.#lock.lockSync(true);
  }

  /** Removes the folder and everything in it. */
  close(): void {
    removeTree(this.path);
    this.#lock.close();
  }
}

function temporaryDirectory(): string {
  return (Deno.env.get("TMPDIR") ?? "/tmp").replace(/\/+$/, "") || "/";
}

/** Removes the folders of labs that no longer run. Folders of other users are left alone. */
function sweepAbandoned(parent: string): void {
  for (const entry of Deno.readDirSync(parent)) {
    if (!entry.isDirectory || !entry.name.startsWith(PREFIX)) continue;
    const path = `${parent}/${entry.name}`;
    try {
      using lock = Deno.openSync(`${path}/${LOCK_FILE}`, { write: true });
      if (lock.tryLockSync(true)) removeTree(path);
    } catch {
      // Being made or removed by somebody else right now, or not ours to touch.
    }
  }
}

function removeTree(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
