/** The file at `--subnet-file`: replaced as a whole, so that no reader ever sees half of it. */

/** Everybody may read it: Docker, CNI plugins and scripts do (flannel's modes). */
const FILE_MODE = 0o644;
const DIRECTORY_MODE = 0o755;

/**
 * Writes the text unless the file has it already. Returns whether it was written. Throws what the disk says.
 *
 * Not synced to disk: the file usually lives on a tmpfs, and what it says is known again after a reboot.
 */
export function writeSubnetFile(path: string, text: string): boolean {
  if (readSubnetFile(path) === text) return false;
  const folder = path.slice(0, path.lastIndexOf("/"));
  if (folder !== "") makeFolder(folder);
  const temporary = `${path}.${Deno.pid}.new`;
  try {
    Deno.writeTextFileSync(temporary, text, { mode: FILE_MODE });
    // Whatever the umask says, other programs must be able to read it.
    Deno.chmodSync(temporary, FILE_MODE);
    Deno.renameSync(temporary, path);
  } catch (error) {
    removeIfThere(temporary);
    throw error;
  }
  return true;
}

/** The file's text, null when there is none. Throws what the disk says. */
export function readSubnetFile(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Makes missing folders, readable by all whatever the umask says; those that are there stay as they are. */
function makeFolder(path: string): void {
  try {
    Deno.mkdirSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    const parent = path.slice(0, path.lastIndexOf("/"));
    if (!(error instanceof Deno.errors.NotFound) || parent === "") throw error;
    makeFolder(parent);
    Deno.mkdirSync(path);
  }
  Deno.chmodSync(path, DIRECTORY_MODE);
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Removes the file, if it is there. Throws what the file system says. */
export function removeSubnetFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
