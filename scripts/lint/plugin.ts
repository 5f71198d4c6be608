/** The project's lint plugin: the rules of the house that the built-in linter does not know. */
import { dlopenPlace, packagePlace } from "./boundaries.ts";
import { pureGlobals, pureImports, pureSync } from "./purity.ts";
import { functionLength } from "./size.ts";
import { exportedFunction, hashPrivate, noDefaultExport, noNonNull } from "./style.ts";

/** All rules; reported as `gossamer/<rule>`. */
export const plugin: Deno.lint.Plugin = {
  name: "gossamer",
  rules: {
    "pure-globals": pureGlobals,
    "pure-sync": pureSync,
    "pure-imports": pureImports,
    "dlopen-place": dlopenPlace,
    "package-place": packagePlace,
    "exported-function": exportedFunction,
    "hash-private": hashPrivate,
    "no-default-export": noDefaultExport,
    "no-non-null": noNonNull,
    "function-length": functionLength,
  },
};

// deno-lint-ignore gossamer/no-default-export -- the plugin interface of Deno asks for it
export default plugin;
