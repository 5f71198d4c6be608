/** Reads which file imports what, from `deno info`: the same resolution that runs the program. */

import { projectRoot } from "./project_files.ts";

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

/** The graph of everything that `roots` (paths from the project's root) reach by imports. */
export async function readModuleGraph(roots: readonly string[]): Promise<ModuleGraph> {
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const lines = roots.map((path) => `import ${JSON.stringify(new URL(path, projectRoot).href)};`);
    await Deno.writeTextFile(entry, lines.join("\n"));
    const config = decodeURIComponent(new URL("deno.json", projectRoot).pathname);
    const json = await denoInfo(["--json", "--no-lock", "--config", config, entry]);
    const info: { modules: InfoModule[] } = JSON.parse(json);
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

async function denoInfo(args: string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), { args: ["info", ...args], cwd: projectRoot });
  const output = await command.output();
  if (output.success) return new TextDecoder().decode(output.stdout);
  const reason = new TextDecoder().decode(output.stderr).trim();
  throw new Error(`deno info ended with ${output.code}: ${reason}`);
}
