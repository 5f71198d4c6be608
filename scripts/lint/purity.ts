/** Rules for the pure modules: no outside world, no waiting, no platform modules. */
import { isPure, pathInProject } from "./place.ts";

/** Global names through which time, randomness, I/O or waiting would come in. */
const OUTSIDE_WORLD: ReadonlySet<string> = new Set([
  "Deno",
  "Date",
  "Temporal",
  "performance",
  "crypto",
  "console",
  "fetch",
  "globalThis",
  "navigator",
  "queueMicrotask",
  "setImmediate",
  "setInterval",
  "setTimeout",
  "Promise",
  "WeakRef",
  "FinalizationRegistry",
  "WebSocket",
  "Worker",
]);

/** Whether an identifier is only a name here (a key, a member, an import), not a use of a global. */
function isName(node: Deno.lint.Identifier): boolean {
  const parent = node.parent;
  switch (parent.type) {
    case "MemberExpression":
      return !parent.computed && parent.property === node;
    case "Property":
      return !parent.computed && !parent.shorthand && parent.key === node;
    case "PropertyDefinition":
    case "MethodDefinition":
    case "TSPropertySignature":
    case "TSMethodSignature":
      return parent.key === node;
    case "ImportSpecifier":
    case "ExportSpecifier":
    case "TSQualifiedName":
      return true;
    default:
      return false;
  }
}

/** Forbids globals that reach outside, and Math.random. */
export const pureGlobals: Deno.lint.Rule = {
  create(context) {
    if (!isPure(context.filename)) return {};
    return {
      Identifier(node) {
        if (!OUTSIDE_WORLD.has(node.name) || isName(node)) return;
        context.report({
          node,
          message: `A pure module may not use ${node.name}`,
          hint: "Take time, randomness and I/O as arguments, or move the code to mod/host",
        });
      },
      MemberExpression(node) {
        const { object, property } = node;
        if (object.type !== "Identifier" || object.name !== "Math") return;
        const isRandom = property.type === "Identifier" && property.name === "random" ||
          property.type === "Literal" && property.value === "random";
        if (!isRandom) return;
        context.report({
          node,
          message: "A pure module may not use Math.random",
          hint: "Take a Random (mod/base/random.ts) as an argument, so that a seed replays the run",
        });
      },
    };
  },
};

/** Forbids async functions, await and dynamic import: a pure step ends before anything else runs. */
export const pureSync: Deno.lint.Rule = {
  create(context) {
    if (!isPure(context.filename)) return {};
    const report = (node: Deno.lint.Node, what: string) =>
      context.report({
        node,
        message: `A pure module may not ${what}`,
        hint: "Return an action and take its outcome as a later input",
      });
    const reportAsync = (
      node:
        | Deno.lint.FunctionDeclaration
        | Deno.lint.FunctionExpression
        | Deno.lint.ArrowFunctionExpression,
    ) => {
      if (node.async) report(node, "have an async function");
    };
    return {
      FunctionDeclaration: reportAsync,
      FunctionExpression: reportAsync,
      ArrowFunctionExpression: reportAsync,
      AwaitExpression: (node) => report(node, "await"),
      ImportExpression: (node) => report(node, "import dynamically"),
      ForOfStatement(node) {
        if (node.await) report(node, "await");
      },
    };
  },
};

/** Forbids `node:` imports: what a pure module needs of the runtime is handed in. */
export const pureImports: Deno.lint.Rule = {
  create(context) {
    if (!isPure(context.filename)) return {};
    const path = pathInProject(context.filename);
    const check = (node: Deno.lint.Node, specifier: string) => {
      if (!specifier.startsWith("node:")) return;
      context.report({
        node,
        message: `The pure file ${path} may not import ${specifier}`,
        hint: "Let mod/host implement an interface, as mod/host/aes_gcm.ts does",
      });
    };
    return {
      ImportDeclaration: (node) => check(node, node.source.value),
      ExportNamedDeclaration(node) {
        if (node.source !== null) check(node, node.source.value);
      },
      ExportAllDeclaration: (node) => check(node, node.source.value),
    };
  },
};
