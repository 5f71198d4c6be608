/** `gossamer cleanup`: takes everything of ours out of the kernel. */
import { ExitCode, UserError } from "../../base/errors.ts";
import { runDirFlag, runDirOf, settingFlag } from "../agent_place.ts";
import { type Command, type Given, givenSwitch } from "../command.ts";
import { gatherSources } from "../config/agent_config.ts";
import { SETTINGS } from "../config/settings.ts";
import type { Sources } from "../config/sources.ts";
import type { Outside } from "../outside.ts";
import { requireNetAdmin } from "../privilege.ts";

export const cleanupCommand: Command = {
  name: "cleanup",
  brief: "Remove what a stopped agent left in the kernel, and nothing else",
  description: `Removes what gossamer put into the kernel of this host: routes, forwarding entries,
neighbours, addresses and the device of one VXLAN network, and its table of nftables. What
it cannot prove to be gossamer's own stays. Identity and claim stay on disk, so that the next gossamer up gets
the same subnet.

It refuses while an agent runs, which would put everything back at once.`,
  examples: [
    { line: "gossamer cleanup --dry-run", text: "print the plan as ip, bridge and nft commands" },
    { line: "gossamer cleanup", text: "do it" },
  ],
  flags: [
    {
      name: "dry-run",
      kind: "switch",
      placeholder: "",
      text: "Print what would be done, as commands, and do nothing",
    },
    settingFlag(SETTINGS.vni, { text: "Identifier of the VXLAN network to remove" }),
    settingFlag(SETTINGS.network, {
      text: "The overlay network",
      defaultText: "what the subnet file says",
    }),
    settingFlag(SETTINGS.ipv6Network, {
      text: "Its IPv6 network",
      defaultText: "what the subnet file says",
    }),
    settingFlag(SETTINGS.subnetFile, { text: "The agent's subnet file" }),
    runDirFlag(),
  ],
  run,
};

async function run(outside: Outside, given: Given): Promise<ExitCode> {
  const dryRun = givenSwitch(given, "dry-run");
  if (!dryRun) requireNetAdmin("gossamer cleanup");
  const sources = await gatherSources(outside, given);
  const vni = sources.value(SETTINGS.vni);
  const networks = await networksOf(sources);
  if (!dryRun) await refuseBesideAgent(await runDirOf(outside, given));
  const { cleanUpHost } = await import("../../agent/cleanup.ts");
  const report = await cleanUpHost({ vni, networks, dryRun });
  if (dryRun) outside.print(report.commands);
  if (report.operations === 0) {
    outside.say(`nothing of gossamer's on ${report.device}`);
  } else if (!dryRun) {
    outside.say(`removed gossamer's ${report.operations} objects on ${report.device}`);
  }
  for (const { text, remedy } of report.problems) {
    outside.say(`gossamer: warning: ${text} - ${remedy}`);
  }
  for (const device of report.otherDevices) {
    outside.say(
      `${device} is gossamer's too: gossamer cleanup --vni ${device.split(".")[1] ?? ""}`,
    );
  }
  return ExitCode.done;
}

/**
 * The network that was configured, and those that the agent wrote into its subnet file: also what operators added to the pool
 * while it ran. Only kernels before 5.18 need them; without a file, what is configured is as good a guess as any.
 */
async function networksOf(sources: Sources): Promise<string[]> {
  const { value, origin } = sources.read(SETTINGS.network);
  const { readSubnetEnv } = await import("../../overlay/subnet_env.ts");
  const written = readSubnetEnv(textOf(sources.value(SETTINGS.subnetFile)));
  const found = [...written.networks, ...written.ipv6Networks];
  const isSaid = origin !== null || found.length === 0;
  const ipv6 = sources.value(SETTINGS.ipv6Network);
  return [...new Set([...(isSaid ? [value] : []), ...found, ...(ipv6 === null ? [] : [ipv6])])];
}

/** Empty when there is no file. */
function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

async function refuseBesideAgent(runDir: string): Promise<void> {
  const { agentRuns, socketPath } = await import("../control_client.ts");
  if (!await agentRuns(runDir)) return;
  throw new UserError(`an agent is running: it answers on ${socketPath(runDir)}`, {
    remedy: "stop it first, or use gossamer leave --release, which cleans up as well",
  });
}
