/** `gossamer up`: runs the agent in the foreground. */
import type { AgentConfig } from "../../agent/config.ts";
import { ExitCode } from "../../base/errors.ts";
import { type Command, type Flag, type Given, givenSwitch } from "../command.ts";
import { agentConfig, gatherSources } from "../config/agent_config.ts";
import { flagOf } from "../config/setting.ts";
import { SETTING_LIST } from "../config/settings.ts";
import { checkVariableNames } from "../config/sources.ts";
import type { Outside } from "../outside.ts";
import { requireNetAdmin } from "../privilege.ts";

const DRY_RUN_FLAG: Flag = {
  name: "dry-run",
  kind: "switch",
  placeholder: "",
  text:
    "Print what would be done to this host's kernel first, as commands; change and send nothing",
};

export const upCommand: Command = {
  name: "up",
  brief: "Run the agent: join, claim a subnet, keep the overlay up",
  description: `Runs the agent in the foreground, logging on standard error: joins the cluster,
claims a subnet for this host, programs the kernel and keeps it as it should be.
SIGINT and SIGTERM end the agent and leave the overlay up, so that containers go
on talking. SIGHUP has it read its files again: what can change at once does.

A flag comes before its environment variable, that before the file, that before
the default.`,
  examples: [
    { line: "gossamer up", text: "the first host of a cluster" },
    { line: "gossamer up --join 192.168.1.10", text: "every other host" },
    {
      line: "gossamer up --dry-run",
      text: "what it would do first, as ip, bridge and nft commands",
    },
  ],
  flags: [...SETTING_LIST.map(flagOf), DRY_RUN_FLAG],
  run,
};

async function run(outside: Outside, given: Given): Promise<ExitCode> {
  checkVariableNames(outside);
  const read = async (isReload: boolean) =>
    agentConfig(await gatherSources(outside, given, isReload), outside);
  const config = await read(false);
  if (givenSwitch(given, "dry-run")) return await printPlan(outside, config);
  requireNetAdmin("gossamer up");
  const { runAgent } = await import("../../agent/run_agent.ts");
  return await runAgent(config, () => read(true));
}

async function printPlan(outside: Outside, config: AgentConfig): Promise<ExitCode> {
  const { agentRuns, socketPath } = await import("../control_client.ts");
  const { dryRun } = await import("../../agent/dry_run.ts");
  const { text, warnings } = await dryRun(config);
  outside.print(text);
  for (const warning of warnings) outside.say(`gossamer: warning: ${warning}`);
  if (await agentRuns(config.runDir)) {
    outside.say(
      `gossamer: warning: an agent runs already, which answers on ${socketPath(config.runDir)}; ` +
        "gossamer report tells what it wants",
    );
  }
  return ExitCode.done;
}
