/** Rules for what has one place only: the foreign function interface and third-party packages. */
import { DLOPEN_FILE, moduleOf, PACKAGE_MODULES, packageOf, TEST_PACKAGES } from "../house.ts";
import { pathInProject } from "./place.ts";

/** Forbids Deno.dlopen outside the one file that declares the C functions. */
export const dlopenPlace: Deno.lint.Rule = {
  create(context) {
    if (pathInProject(context.filename) === DLOPEN_FILE) return {};
    return {
      MemberExpression(node) {
        if (node.object.type !== "Identifier" || node.object.name !== "Deno") return;
        if (node.property.type !== "Identifier" || node.property.name !== "dlopen") return;
        context.report({
          node,
          message: `Deno.dlopen belongs in ${DLOPEN_FILE} only`,
          hint: `Declare the C function there, every parameter with its C type`,
        });
      },
    };
  },
};

/** What is wrong with importing `specifier` from `path`; undefined if nothing. */
function packageFault(path: string, specifier: string): string | undefined {
  const name = packageOf(specifier);
  if (name === undefined) return undefined;
  if (/^(npm|jsr):/.test(specifier)) {
    return `Import ${name} by the bare name that deno.json gives it`;
  }
  const module = moduleOf(path);
  const home = PACKAGE_MODULES.get(name);
  if (home !== undefined) {
    return module === undefined || module === home
      ? undefined
      : `${name} belongs in one file of mod/${home} only`;
  }
  if (!TEST_PACKAGES.has(name)) return `${name} has no place in the house yet`;
  return module === undefined ? undefined : `${name} is for tests only`;
}

/** Forbids packages outside the module that owns them, and unknown ones anywhere. */
export const packagePlace: Deno.lint.Rule = {
  create(context) {
    const path = pathInProject(context.filename);
    const check = (node: Deno.lint.Node, specifier: string) => {
      const message = packageFault(path, specifier);
      if (message === undefined) return;
      context.report({ node, message, hint: "See PACKAGE_MODULES in scripts/house.ts" });
    };
    return {
      ImportDeclaration: (node) => check(node, node.source.value),
      ExportNamedDeclaration(node) {
        if (node.source !== null) check(node, node.source.value);
      },
      ExportAllDeclaration: (node) => check(node, node.source.value),
      ImportExpression(node) {
        const { source } = node;
        if (source.type === "Literal" && typeof source.value === "string") {
          check(node, source.value);
        }
      },
    };
  },
};
