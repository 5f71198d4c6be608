/** Where the agent that a command talks to is found: its run directory. */
import { ConfigError } from "../base/errors.ts";
import type { Flag, Given } from "./command.ts";
import { gatherSources } from "./config/agent_config.ts";
import { flagOf } from "./config/setting.ts";
import { SETTINGS } from "./config/settings.ts";
import { flagSource, Sources, variableSource } from "./config/sources.ts";
import type { Outside } from "./outside.ts";

/** The flag that every such command has. */
export function runDirFlag(): Flag {
  const { name, kind, placeholder, variable, defaultText } = flagOf(SETTINGS.runDir);
  return {
    name,
    kind,
    placeholder,
    text: "Directory of the agent's control socket",
    ...(variable === undefined ? {} : { variable }),
    ...(defaultText === undefined ? {} : { defaultText }),
  };
}

/** The run directory from flag, environment or file. A broken file must not keep anybody from asking for the status. */
export async function runDirOf(outside: Outside, given: Given): Promise<string> {
  const named = new Sources([flagSource(given), variableSource(outside)]).read(SETTINGS.runDir);
  if (named.origin !== null) return named.value;
  try {
    return (await gatherSources(outside, given)).value(SETTINGS.runDir);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    outside.say(`gossamer: warning: ${error.message}; using ${SETTINGS.runDir.initial}`);
    return SETTINGS.runDir.initial;
  }
}
