/** Checks docs/ported-tests.md: every behaviour that it lists has its test, by name. */
import type { SourceFile } from "./source_file.ts";

const DOCUMENT = "docs/ported-tests.md";

/** A row: behaviour, link to the file, name of the test as it stands in the source. */
const ROW = /^\| .+? +\| \[[^\]]+\]\(\.\.\/([^)]+)\) +\| (.+?) +\|$/gm;

/** Rows whose test is not in the file that they name. */
export function missingPortedTests(files: readonly SourceFile[]): string[] {
  const document = files.find(({ path }) => path === DOCUMENT);
  if (document === undefined) return [`there is no ${DOCUMENT}`];
  const rows = [...document.text.matchAll(ROW)];
  const lines = document.text.match(/^\| (?!-|behaviour)/gm)?.length ?? 0;
  const complaints = rows.length === lines
    ? []
    : [`${DOCUMENT} has ${lines - rows.length} rows that name no file and test`];
  for (const [, path = "", name = ""] of rows) {
    const text = files.find((file) => file.path === path)?.text;
    const isThere = text?.includes(`"${name}"`) || text?.includes(`\`${name}\``);
    if (!isThere) complaints.push(`${DOCUMENT} names a test that ${path} has not: ${name}`);
  }
  return complaints;
}
