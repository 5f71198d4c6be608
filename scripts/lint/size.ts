/** A limit on the length of functions, so that each does one thing that a reader sees at once. */
import { pathInProject } from "./place.ts";

/** Lines from the first of its signature to its closing brace: what fits on one screen. */
export const FUNCTION_LINES_MAX = 70;

/**
 * Reports functions that are too long. One that is long for a reason, such as a table or an
 * exhaustive switch, says so: `// deno-lint-ignore gossamer/function-length -- one case a message`.
 */
export const functionLength: Deno.lint.Rule = {
  create(context) {
    // A test tells a story from its first line to its last; cutting it up would not shorten it.
    if (pathInProject(context.filename).startsWith("tests/")) return {};
    const check = (
      node:
        | Deno.lint.FunctionDeclaration
        | Deno.lint.FunctionExpression
        | Deno.lint.ArrowFunctionExpression,
    ) => {
      const lines = context.sourceCode.text.slice(...node.range).split("\n").length;
      if (lines <= FUNCTION_LINES_MAX) return;
      context.report({
        range: [node.range[0], node.range[0] + 1],
        message: `This function has ${lines} lines, more than ${FUNCTION_LINES_MAX}`,
        hint: "Give its parts names of their own",
      });
    };
    return {
      FunctionDeclaration: check,
      FunctionExpression: check,
      ArrowFunctionExpression: check,
    };
  },
};
