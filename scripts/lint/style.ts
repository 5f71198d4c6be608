/** Rules of style that the built-in linter has not. */
import { isProduct } from "./place.ts";

/** Exported functions are declarations: hoisted, named in stack traces, found by one pattern. */
export const exportedFunction: Deno.lint.Rule = {
  create(context) {
    return {
      ExportNamedDeclaration(node) {
        if (node.declaration?.type !== "VariableDeclaration") return;
        for (const { init } of node.declaration.declarations) {
          if (init?.type !== "ArrowFunctionExpression" && init?.type !== "FunctionExpression") {
            continue;
          }
          context.report({
            node: init,
            message: "An exported function is a function declaration, not a constant",
            hint: "Write `export function name(...)`",
          });
        }
      },
    };
  },
};

/** `#name` is private when the program runs; the TypeScript keyword only while it is checked. */
export const hashPrivate: Deno.lint.Rule = {
  create(context) {
    const message = "Private members are written #name, not with the keyword private";
    const check = (node: Deno.lint.PropertyDefinition | Deno.lint.MethodDefinition) => {
      if (node.accessibility !== "private") return;
      // A constructor has no #-form.
      if (node.type === "MethodDefinition" && node.kind === "constructor") return;
      context.report({ node, message });
    };
    return {
      PropertyDefinition: check,
      MethodDefinition: check,
      TSParameterProperty(node) {
        // Deno 2.9 leaves the accessibility of parameter properties out of the tree.
        const text = context.sourceCode.text.slice(...node.range);
        if (/^private\b/.test(text)) context.report({ range: node.range, message });
      },
    };
  },
};

/** One name for one thing: importers of a default export would each choose their own. */
export const noDefaultExport: Deno.lint.Rule = {
  create(context) {
    return {
      ExportDefaultDeclaration(node) {
        context.report({ node, message: "Exports have names; there is no default export" });
      },
      ExportSpecifier(node) {
        if (node.exported.type !== "Identifier" || node.exported.name !== "default") return;
        context.report({ node, message: "Exports have names; there is no default export" });
      },
    };
  },
};

/** `!` silences the checker; in the product an assertion says and checks why a value is there. */
export const noNonNull: Deno.lint.Rule = {
  create(context) {
    if (!isProduct(context.filename)) return {};
    return {
      TSNonNullExpression(node) {
        context.report({
          node,
          message: "The product does not use the non-null operator !",
          hint: "Test for undefined, or assert() it (mod/base/assert.ts)",
        });
      },
    };
  },
};
