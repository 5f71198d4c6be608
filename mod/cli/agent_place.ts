/** Where the agent that a command talks to is found: its run directory. */
import { ConfigError } from "../base/errors.ts";
import type { Flag, Given } from "./command.ts";
import { gatherSources } from "./config/agent_config.ts";
import { flagOf, type Setting } from "./config/setting.ts";
import { SETTINGS } from "./config/settings.ts";
import { flagSource, Sources, variableSource } from "./config/sources.ts";
import type { Outside } from "./outside.ts";

/** A setting of the agent as another command's flag, in words that fit there. */
export function settingFlag(
  setting: Setting<unknown>,
  words: { text: string; defaultText?: string },
): Flag {
  const { group: _group, ...flag } = flagOf(setting);
  return { ...flag, ...words };
}

/** The flag of every command that talks to an agent. */
export function runDirFlag(): Flag {
  return settingFlag(SETTINGS.runDir, { text: "Directory of the agent's control socket" });
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
