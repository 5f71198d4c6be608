/**
 * Control groups that container engines of a lab leave behind when they are killed: folders without processes in each hierarchy
 * of /sys/fs/cgroup, named as the lab's folder. One in which something runs cannot be removed.
 */

const CGROUPS = "/sys/fs/cgroup";

/** Removes those of labs that are gone, this one's and any beside it of the same kind. `folder` is the lab's. */
export function removeAbandonedCgroups(folder: string): void {
  const [, parent, prefix] = /^(.*)\/(gossamer-lab-)[^/]+$/.exec(folder) ?? [];
  if (parent === undefined || prefix === undefined) return;
  for (const hierarchy of [CGROUPS, ...foldersIn(CGROUPS).map((name) => `${CGROUPS}/${name}`)]) {
    for (const name of foldersIn(hierarchy)) {
      if (name.startsWith(prefix) && !exists(`${parent}/${name}`)) {
        removeTree(`${hierarchy}/${name}`);
      }
    }
  }
}

function foldersIn(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].filter((entry) => entry.isDirectory).map(({ name }) => name);
  } catch {
    return [];
  }
}

/** Not recursive: the files in a group are the kernel's, and go with it. */
function removeTree(group: string): void {
  for (const name of foldersIn(group)) removeTree(`${group}/${name}`);
  try {
    Deno.removeSync(group);
  } catch {
    // Something still runs in it.
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
