/** `gossamer up`: runs the agent in the foreground. */
import type { ExitCode } from "../../base/errors.ts";
import type { Command, Given } from "../command.ts";
import { agentConfig, gatherSources } from "../config/agent_config.ts";
import { flagOf } from "../config/setting.ts";
import { SETTING_LIST } from "../config/settings.ts";
import { checkVariableNames } from "../config/sources.ts";
import type { Outside } from "../outside.ts";
import { requireNetAdmin } from "../privilege.ts";

export const upCommand: Command = {
  name: "up",
  brief: "Run the agent: join, claim a subnet, keep the overlay up",
  description: `Runs the agent in the foreground, logging on standard error: joins the cluster,
claims a subnet for this host, programs the kernel and keeps it as it should be.
SIGINT and SIGTERM end the agent and leave the overlay up, so that containers go
on talking.

A flag comes before its environment variable, that before the file, that before
the default.`,
  examples: [
    { line: "gossamer up", text: "the first host of a cluster" },
    { line: "gossamer up --join 192.168.1.10", text: "every other host" },
  ],
  flags: SETTING_LIST.map(flagOf),
  run,
};

async function run(outside: Outside, given: Given): Promise<ExitCode> {
  checkVariableNames(outside);
  const config = agentConfig(await gatherSources(outside, given), outside);
  requireNetAdmin("gossamer up");
  const { runAgent } = await import("../../agent/agent.ts");
  return await runAgent(config);
}
