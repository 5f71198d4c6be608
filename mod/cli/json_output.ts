/** Documents as JSON: the flag that asks for it and how it is written. */
import type { Flag } from "./command.ts";
import type { Outside } from "./outside.ts";

export const JSON_FLAG: Flag = {
  name: "json",
  kind: "switch",
  placeholder: "",
  text: "Print JSON, schema 1: fields may be added, never renamed",
};

/** Indented for the people who look at it; scripts do not mind. */
export function printJson(outside: Outside, document: unknown): void {
  outside.print(`${JSON.stringify(document, null, 2)}\n`);
}
