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
  if (folder !== "") Deno.mkdirSync(folder, { recursive: true, mode: DIRECTORY_MODE });
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

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
