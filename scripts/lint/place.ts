/** Where a linted file stands in the house. */
import { moduleOf, PURE_MODULES } from "../house.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** The path from the project's root, whether the linter gives it absolute or relative. */
export function pathInProject(fileName: string): string {
  const path = fileName.startsWith("file://")
    ? decodeURIComponent(new URL(fileName).pathname)
    : fileName;
  return path.startsWith(root) ? path.slice(root.length) : path;
}

/** Whether the file belongs to a module that may not touch the outside world. */
export function isPure(fileName: string): boolean {
  const module = moduleOf(pathInProject(fileName));
  return module !== undefined && PURE_MODULES.has(module);
}

/** Whether the file is part of the product, as opposed to tests and scripts. */
export function isProduct(fileName: string): boolean {
  return moduleOf(pathInProject(fileName)) !== undefined;
}
