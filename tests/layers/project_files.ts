/** Which files belong to the project: what git tracks or would add; without git, what is on disk. */

/** The project's root as a file URL, with a slash at its end. */
export const projectRoot = new URL("../../", import.meta.url);

/** Folders that a checkout may hold and git ignores. */
const NOT_OURS = new Set([".git", "dist", "coverage", "node_modules"]);

/** Paths from the project's root, sorted. */
export async function projectFiles(): Promise<string[]> {
  const listed = await listWithGit();
  if (listed === undefined) return (await Array.fromAsync(walk(""))).sort();
  const present = await Promise.all(listed.map(isPresent));
  // A file deleted but not yet committed is still listed.
  return listed.filter((_, index) => present[index] === true).sort();
}

/** Undefined when there is no git, or the project is not a repository: a downloaded archive. */
async function listWithGit(): Promise<string[] | undefined> {
  try {
    const args = ["ls-files", "-z", "-co", "--exclude-standard"];
    const output = await new Deno.Command("git", { args, cwd: projectRoot }).output();
    if (!output.success) return undefined;
    return new TextDecoder().decode(output.stdout).split("\0").filter((path) => path !== "");
  } catch {
    return undefined;
  }
}

async function* walk(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(new URL(folder, projectRoot))) {
    if (entry.isFile) yield folder + entry.name;
    if (entry.isDirectory && !NOT_OURS.has(entry.name)) yield* walk(`${folder}${entry.name}/`);
  }
}

async function isPresent(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(new URL(encodeURI(path), projectRoot))).isFile;
  } catch {
    return false;
  }
}
