/** Checks for words that do not belong in the repository, each with the reason. */
import type { SourceFile } from "./source_file.ts";

interface ForbiddenWord {
  pattern: RegExp;
  reason: string;
}

const FORBIDDEN: readonly ForbiddenWord[] = [
  {
    pattern: /\b(TODO|FIXME|XXX|HACK)\b(?!.*#\d)/,
    reason: "an open end names its issue (#12)",
  },
  {
    pattern: /(?<![\w.$}~-])\/(work|home|root|Users)\/[\w.]/,
    reason: "a path of one machine",
  },
  { pattern: /\/tmp\/bash_jobs/, reason: "a path of one machine" },
  { pattern: /\bregistry\.npmjs|\bnpm\.jsr\.io\b|_authToken/, reason: "a package registry" },
  { pattern: /\b(utils)\b/, reason: "a name that says nothing" },
  { pattern: /@[A-Z_]{3,}@/, reason: "a placeholder that nobody filled" },
  { pattern: /^(<{7}|>{7}) /, reason: "a merge conflict" },
];

/** Lines that hold a forbidden word. The checkers themselves have to spell them out. */
export function forbiddenWords(files: readonly SourceFile[]): string[] {
  const complaints: string[] = [];
  for (const { path, text } of files) {
    if (path.startsWith("tests/tidy/") || path === "LICENSE") continue;
    text.split("\n").forEach((line, index) => {
      for (const { pattern, reason } of FORBIDDEN) {
        const found = pattern.exec(line)?.[0];
        if (found !== undefined) complaints.push(`${path}:${index + 1}: "${found}" is ${reason}`);
      }
    });
  }
  return complaints;
}
