/** `gossamer config`: is a file right, and what would `gossamer up` run with, and why. */
import { RELOADED_SETTINGS } from "../../agent/reload_plan.ts";
import { ExitCode, UserError } from "../../base/errors.ts";
import { settingFlag } from "../agent_place.ts";
import { type Command, type Given, givenSwitch } from "../command.ts";
import { agentConfig, gatherSources } from "../config/agent_config.ts";
import { assignment } from "../config/assignment.ts";
import { SETTING_LIST, SETTINGS } from "../config/settings.ts";
import { checkVariableNames, Sources } from "../config/sources.ts";
import { JSON_FLAG, printJson } from "../json_output.ts";
import type { Outside } from "../outside.ts";

export const configCommand: Command = {
  name: "config",
  brief: "Check a configuration file, or show where each setting comes from",
  description: `With check, reads a file as gossamer up would and says whether it is right, without
looking at the environment.

With show, prints what gossamer up without flags would run with: every setting, its value,
and the variable or file that it comes from; marked "reloads" are those that a running agent
takes over after SIGHUP. The output is itself a valid file.`,
  examples: [
    { line: "gossamer config check gossamer.toml", text: "before it is put into place" },
    { line: "gossamer config show", text: "on the host itself" },
  ],
  flags: [
    settingFlag(SETTINGS.config, { text: "The file that show reads" }),
    { ...JSON_FLAG, text: "Let show print JSON, schema 1" },
  ],
  arguments: {
    placeholder: "check FILE | show",
    minimum: 1,
    text: "What to do",
    once: true,
  },
  async run(outside, given) {
    const [verb, path, ...rest] = given.arguments;
    if (verb === "check" && path !== undefined && rest.length === 0) {
      return await check(outside, path);
    }
    if (verb === "check" && path === undefined) {
      throw new UserError("config check: FILE is missing", {
        exitCode: ExitCode.usage,
        remedy: "for example: gossamer config check gossamer.toml",
      });
    }
    if (verb === "show" && path === undefined) return await show(outside, given);
    throw new UserError(`config: ${JSON.stringify(given.arguments.join(" "))} is not understood`, {
      exitCode: ExitCode.usage,
      remedy: "write gossamer config check FILE, or gossamer config show",
    });
  },
};

async function check(outside: Outside, path: string): Promise<ExitCode> {
  const { fileSource } = await import("../config/file.ts");
  const source = await fileSource({ path, origin: "config check" });
  const sources = new Sources(source === undefined ? [] : [source]);
  agentConfig(sources, outside);
  const count = SETTING_LIST.filter((setting) => sources.read(setting).origin !== null).length;
  outside.say(`${path} is right; it sets ${count} of ${SETTING_LIST.length - 1} settings`);
  return ExitCode.done;
}

async function show(outside: Outside, given: Given): Promise<ExitCode> {
  checkVariableNames(outside);
  const sources = await gatherSources(outside, given);
  agentConfig(sources, outside);
  const settings = SETTING_LIST.filter((setting) => setting !== SETTINGS.config)
    .map((setting) => ({ name: setting.name, ...sources.read(setting), setting }));
  if (givenSwitch(given, "json")) {
    printJson(outside, {
      schema: 1,
      settings: settings.map(({ name, value, origin }) => ({
        name,
        value,
        origin,
        reloads: RELOADED_SETTINGS.includes(name),
      })),
    });
    return ExitCode.done;
  }
  const width = Math.max(...settings.map(({ name, value }) => assignment(name, value).length));
  for (const { name, value, origin, setting } of settings) {
    const from = origin ?? (value === null ? setting.defaultText ?? "not set" : "default");
    const mark = RELOADED_SETTINGS.includes(name) ? "; reloads" : "";
    outside.print(`${assignment(name, value).padEnd(width)}  # ${from}${mark}\n`);
  }
  return ExitCode.done;
}
