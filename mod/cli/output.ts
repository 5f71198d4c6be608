/** How documents leave a command. */
import type { Outside } from "./outside.ts";

/** A document as JSON, indented for the people who look at it; scripts do not mind. */
export function printJson(outside: Outside, document: unknown): void {
  outside.print(`${JSON.stringify(document, null, 2)}\n`);
}
