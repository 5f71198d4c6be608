/** The rules about who may import whom, as functions from a module graph to complaints. */
import { ARROWS, moduleOf, PACKAGE_MODULES, packageOf, PURE_MODULES } from "../../scripts/house.ts";
import type { ModuleGraph } from "./module_graph.ts";

/** Imports that go against the arrows of the house. */
export function forbiddenArrows(graph: ModuleGraph): string[] {
  const complaints: string[] = [];
  for (const [file, imports] of graph) {
    const from = moduleOf(file);
    if (from === undefined) continue;
    const allowed = ARROWS.get(from);
    if (allowed === undefined) {
      complaints.push(`${file}: the module ${from} has no place in scripts/house.ts (ARROWS)`);
      continue;
    }
    for (const { target } of imports) {
      if (!graph.has(target)) continue;
      const to = moduleOf(target);
      if (to === from || (to !== undefined && allowed.includes(to))) continue;
      complaints.push(
        to === undefined
          ? `${file} imports ${target}, which is no part of the product`
          : `${file} imports ${target}, but ${from} may import ${
            allowed.length === 0 ? "no other module" : `only ${allowed.join(", ")}`
          }`,
      );
    }
  }
  return complaints;
}

/** Circles of files that import each other, one complaint a circle. */
export function importCircles(graph: ModuleGraph): string[] {
  const complaints: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string) => {
    const start = path.indexOf(file);
    if (start >= 0) {
      complaints.push(`Import circle: ${[...path.slice(start), file].join(" -> ")}`);
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const { target } of graph.get(file) ?? []) {
      if (graph.has(target)) visit(target);
    }
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return complaints;
}

/** Packages imported outside their module, or by more than one file of the product. */
export function scatteredPackages(graph: ModuleGraph): string[] {
  const importers = new Map<string, Set<string>>();
  const complaints: string[] = [];
  for (const [file, imports] of graph) {
    const module = moduleOf(file);
    if (module === undefined) continue;
    for (const { specifier } of imports) {
      const name = packageOf(specifier);
      if (name === undefined) continue;
      const home = PACKAGE_MODULES.get(name);
      if (home === undefined) {
        complaints.push(
          `${file} imports ${name}, which scripts/house.ts does not give the product`,
        );
      } else if (home !== module) {
        complaints.push(`${file} imports ${name}, which belongs to mod/${home}`);
      }
      importers.set(name, (importers.get(name) ?? new Set()).add(file));
    }
  }
  for (const [name, files] of importers) {
    if (files.size < 2) continue;
    complaints.push(`${name} is imported by ${[...files].join(" and ")}; one file wraps a package`);
  }
  return complaints;
}

/** `node:` modules that pure files import. */
export function impureImports(graph: ModuleGraph): string[] {
  const complaints: string[] = [];
  for (const [file, imports] of graph) {
    const module = moduleOf(file);
    if (module === undefined || !PURE_MODULES.has(module)) continue;
    for (const { target } of imports) {
      if (!target.startsWith("node:")) continue;
      complaints.push(`${file} imports ${target}, but ${module} is pure`);
    }
  }
  return complaints;
}
