/** Checks the shape of source files: their length, how they open, what they are called. */
import { isTypeScript, type SourceFile } from "./source_file.ts";

/** Lines of a product file: about five screens; beyond it a file rarely is one concept. */
const FILE_LINES_MAX = 400;

/** Names that say nothing about what is inside. */
const EMPTY_NAME = /(^|[/_.-])(utils?|helpers?|misc|common|stuff)([/_.-]|$)/i;

/** Product files that are too long. */
export function longFiles(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    if (!isTypeScript(file) || !/^(mod|ffi)\//.test(file.path)) return [];
    const lines = file.text.split("\n").length - 1;
    return lines > FILE_LINES_MAX
      ? [`${file.path} has ${lines} lines, more than ${FILE_LINES_MAX}; is it one concept?`]
      : [];
  });
}

/** Source files that do not open with a comment saying what they are and why. */
export function unopenedFiles(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => isTypeScript(file) && !/^(#!.*\n)?\/\*\*/.test(file.text))
    .map(({ path }) => `${path} does not open with a doc comment (/** ... */)`);
}

/** Files and folders whose names say nothing. */
export function emptyNames(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => EMPTY_NAME.test(path))
    .map(({ path }) => `${path}: name it after what it does`);
}

/** File names of sources that are not snake_case. */
export function oddlySpelledNames(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) =>
      isTypeScript(file) && !/^([a-z0-9_]+\/)*[a-z0-9_]+(\.d)?\.ts$/.test(file.path)
    )
    .map(({ path }) => `${path} is not snake_case`);
}

/** Modules that docs/architecture.md does not name in its folder list, as `name/`. */
export function undescribedModules(files: readonly SourceFile[]): string[] {
  const architecture = files.find(({ path }) => path === "docs/architecture.md")?.text ?? "";
  const described = new Set(
    [...architecture.matchAll(/^\s*(\w+)\/ +\S/gm)].map(([, name]) => name),
  );
  const folders = files.map(({ path }) => /^(?:mod\/)?(\w+)\/.*\.ts$/.exec(path)?.[1]);
  return [...new Set(folders)]
    .filter((folder) => folder !== undefined && !described.has(folder))
    .map((folder) => `docs/architecture.md does not say what the folder ${folder}/ is`);
}
