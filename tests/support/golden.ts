/**
 * Recorded texts: a test compares what the code says now with a file beside it.
 *
 * `UPDATE_GOLDEN=1 deno test -A tests/golden` writes the files anew; read the difference before you commit it.
 */
import { strictEqual } from "node:assert/strict";

/** Compares `text` with the file at `path`, a URL beside the test. Fails when it is not there. */
export function matchGolden(path: URL, text: string): void {
  if (Deno.env.get("UPDATE_GOLDEN") === "1") {
    Deno.writeTextFileSync(path, text);
    return;
  }
  strictEqual(text, Deno.readTextFileSync(path), `differs from ${path.pathname}`);
}
