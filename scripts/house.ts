/**
 * The plan of the house as data: which module may import which, what is pure, where each package
 * lives. The lint plugin and the layers test both read it; docs/architecture.md says it in words.
 */

/** Modules from the ground up; each may import those before it. */
const PURE = ["base", "address", "wire", "swim", "claim", "overlay"] as const;

/** What each module may import besides itself; modules are folders of `mod/`, `ffi` and `main.ts`. */
export const ARROWS: ReadonlyMap<string, readonly string[]> = new Map([
  ...PURE.map((name, index): [string, readonly string[]] => [name, PURE.slice(0, index)]),
  ["dataplane", ["base", "address"]],
  ["ffi", []],
  ["host", ["ffi", "base", "address", "wire", "dataplane"]],
  ["sim", PURE],
  ["lab", ["ffi", "base", "address"]],
  ["web", ["base", "address"]],
  ["doctor", ["ffi", "base", "address", "overlay", "host"]],
  ["agent", [...PURE, "dataplane", "host", "doctor", "web"]],
  ["cni", ["ffi", "base", "address"]],
  ["cli", [...PURE, "dataplane", "host", "agent", "lab", "sim", "doctor", "cni", "web"]],
  ["main.ts", ["cli", "base"]],
]);

/** Modules without I/O, clock, randomness or waiting: bytes and time in, actions out. */
export const PURE_MODULES: ReadonlySet<string> = new Set([...PURE, "dataplane"]);

/** The one file that may call Deno.dlopen. */
export const DLOPEN_FILE = "ffi/libc.ts";

/** The module that imports each package of the product, in one file of it. */
export const PACKAGE_MODULES: ReadonlyMap<string, string> = new Map([
  ["@noble/hashes", "base"],
  ["@stricli/core", "cli"],
  ["cbor-x", "wire"],
  ["smol-toml", "cli"],
  ["valibot", "cli"],
]);

/** Packages that only tests import: independent oracles and the property tester. */
export const TEST_PACKAGES: ReadonlySet<string> = new Set([
  "axe-core",
  "cborg",
  "fast-check",
  "ip-address",
]);

/**
 * The module that a file of the product belongs to: `base` for `mod/base/hash.ts`, `ffi`, `main.ts`;
 * undefined for tests, scripts and everything else.
 */
export function moduleOf(path: string): string | undefined {
  if (path === "main.ts") return path;
  const [top, folder, ...rest] = path.split("/");
  if (top === "ffi") return "ffi";
  return top === "mod" && rest.length > 0 ? folder : undefined;
}

/** `@scope/name/entry` and `npm:name@1.2.3/entry` to the bare package name; undefined if no package. */
export function packageOf(specifier: string): string | undefined {
  if (/^(\.|\/|file:|node:|data:|https?:)/.test(specifier)) return undefined;
  const bare = specifier.replace(/^(npm|jsr):\/?/, "");
  return /^(@[^/]+\/)?[^/@]+/.exec(bare)?.[0];
}
