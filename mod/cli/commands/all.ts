/** Every command, in the order in which the overview lists them. */
import type { Command } from "../command.ts";
import { upCommand } from "./up.ts";
import { versionCommand } from "./version.ts";

export const COMMANDS: readonly Command[] = [
  upCommand,
  versionCommand,
];
