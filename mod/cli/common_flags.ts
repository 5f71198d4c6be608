/** Flags that several commands share. */
import type { Flag } from "./command.ts";

export const JSON_FLAG: Flag = {
  name: "json",
  kind: "switch",
  placeholder: "",
  text: "Print JSON, schema 1: fields may be added, never renamed",
};
