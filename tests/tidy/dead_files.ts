/** Finds source files that nothing runs: not the program, not a test, not a task. */
import type { ModuleGraph } from "../layers/module_graph.ts";
import { isTypeScript, type SourceFile } from "./source_file.ts";

/** Files that start something themselves: the program, tests, and whatever deno.json names. */
export function entryFiles(files: readonly SourceFile[]): string[] {
  const config = files.find(({ path }) => path === "deno.json")?.text ?? "";
  return files
    .filter(isTypeScript)
    .filter(({ path }) => path === "main.ts" || path.endsWith("_test.ts") || config.includes(path))
    .map(({ path }) => path);
}

/** Files that `file` starts or reads by path rather than imports: quoted names of sources. */
function namedFiles({ path, text }: SourceFile): string[] {
  // The plan of the house and the tests about it name files without using them.
  if (
    !/^(scripts|tests)\//.test(path) || /^(scripts\/house\.ts|tests\/(layers|tidy)\/)/.test(path)
  ) {
    return [];
  }
  return [...text.matchAll(/["'`]([\w./-]+\.ts)["'`]/g)].flatMap(([, name = ""]) => [
    name,
    new URL(name, new URL(path, "file:///")).pathname.slice(1),
  ]);
}

/** Source files that no entry file reaches by imports or by name. */
export function deadFiles(files: readonly SourceFile[], graph: ModuleGraph): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const alive = new Set<string>();
  const queue = entryFiles(files);
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const file = byPath.get(path);
    if (file === undefined || alive.has(path)) continue;
    alive.add(path);
    queue.push(...(graph.get(path) ?? []).map(({ target }) => target), ...namedFiles(file));
  }
  return files
    .filter((file) => isTypeScript(file) && !alive.has(file.path))
    .map(({ path }) => `${path} is reached from no program, test or task`);
}
