/** Reads which file imports what, from `deno info`: the same resolution that runs the program. */

/** One import of a file. */
export interface Import {
  /** As written: `../base/hash.ts`, `node:fs`, `valibot`. */
  specifier: string;
  /** A path from the project's root for our own files, otherwise what deno resolved it to. */
  target: string;
}

/** Imports by file; files are paths from the project's root. */
export type ModuleGraph = ReadonlyMap<string, readonly Import[]>;

interface InfoModule {
  specifier: string;
  error?: string;
  dependencies?: {
    specifier: string;
    code?: { specifier?: string };
    type?: { specifier?: string };
  }[];
}

/** The project's root as a file URL, with a slash at its end. */
export const projectRoot = new URL("../../", import.meta.url);

/** All files that git knows or would add, as paths from the root. */
export async function projectFiles(): Promise<string[]> {
  const listing = await run("git", ["ls-files", "-z", "-co", "--exclude-standard"]);
  const files = listing.split("\0").filter((path) => path !== "");
  const present = await Promise.all(files.map(isPresent));
  // A file deleted but not yet committed is still listed.
  return files.filter((_, index) => present[index] === true).sort();
}

/** The graph of everything that `roots` (paths from the project's root) reach by imports. */
export async function readModuleGraph(roots: readonly string[]): Promise<ModuleGraph> {
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const lines = roots.map((path) => `import ${JSON.stringify(new URL(path, projectRoot).href)};`);
    await Deno.writeTextFile(entry, lines.join("\n"));
    const config = new URL("deno.json", projectRoot).pathname;
    const args = ["info", "--json", "--no-lock", "--config", config, entry];
    const info: { modules: InfoModule[] } = JSON.parse(await run(Deno.execPath(), args));
    return toGraph(info.modules);
  } finally {
    await Deno.remove(entry);
  }
}

function toGraph(modules: readonly InfoModule[]): ModuleGraph {
  const graph = new Map<string, Import[]>();
  for (const { specifier, error, dependencies = [] } of modules) {
    // What cannot be loaded or resolved is reported by `deno check`, with the line it stands in.
    if (error !== undefined || !specifier.startsWith(projectRoot.href)) continue;
    const imports = dependencies.map(({ specifier, code, type }) => ({
      specifier,
      target: inProject(code?.specifier ?? type?.specifier ?? specifier),
    }));
    graph.set(inProject(specifier), imports);
  }
  return graph;
}

function inProject(specifier: string): string {
  return specifier.startsWith(projectRoot.href)
    ? decodeURIComponent(specifier.slice(projectRoot.href.length))
    : specifier;
}

async function isPresent(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(new URL(encodeURI(path), projectRoot))).isFile;
  } catch {
    return false;
  }
}

async function run(command: string, args: string[]): Promise<string> {
  const output = await new Deno.Command(command, { args, cwd: projectRoot }).output();
  if (output.success) return new TextDecoder().decode(output.stdout);
  const reason = new TextDecoder().decode(output.stderr).trim();
  throw new Error(`${command} ${args[0]} ended with ${output.code}: ${reason}`);
}
