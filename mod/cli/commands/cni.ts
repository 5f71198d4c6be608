/** `gossamer cni`: the plugin where container runtimes look for it. As a plugin, this program never comes here. */
import { ExitCode, UserError } from "../../base/errors.ts";
import { settingFlag } from "../agent_place.ts";
import { type Command, type Given, givenSwitch, givenValue } from "../command.ts";
import { SETTINGS } from "../config/settings.ts";
import { executableFile } from "../executable_file.ts";
import type { Outside } from "../outside.ts";

const BIN_DIR_DEFAULT = "/opt/cni/bin";
const CONF_DIR_DEFAULT = "/etc/cni/net.d";
const ACTIONS = ["install", "uninstall"] as const;

export const cniCommand: Command = {
  name: "cni",
  brief: "Be a CNI plugin, or install it for containerd, Podman 4, Nomad",
  description: `Without an action this program is a CNI plugin: a container runtime starts it with
CNI_COMMAND and further variables set, and a network configuration on standard input. It
plugs the container into a bridge of this host's subnet, with nothing else installed.

install links the plugin into the folder of plugins and writes a network configuration;
uninstall takes both away, and the bridge once no container is plugged in. Both leave alone
what they have not written, unless --force is given.`,
  examples: [
    { line: "gossamer cni install", text: "for containerd, nerdctl and Nomad" },
    {
      line: "gossamer cni install --bin-dir /usr/lib/cni",
      text: "where Debian keeps plugins, for Podman 4",
    },
    { line: "gossamer cni uninstall", text: "take it away again" },
  ],
  flags: [
    {
      name: "bin-dir",
      kind: "value",
      placeholder: "DIR",
      text: "The folder of plugins",
      defaultText: BIN_DIR_DEFAULT,
    },
    {
      name: "conf-dir",
      kind: "value",
      placeholder: "DIR",
      text: "The folder of network configurations",
      defaultText: CONF_DIR_DEFAULT,
    },
    {
      name: "force",
      kind: "switch",
      placeholder: "",
      text: "Replace or remove files that are not as gossamer writes them",
    },
    settingFlag(SETTINGS.subnetFile, { text: "The agent's subnet file" }),
  ],
  arguments: { placeholder: "install | uninstall", minimum: 1, text: "What to do", once: true },
  run,
};

async function run(outside: Outside, given: Given): Promise<ExitCode> {
  const action = actionOf(given);
  const { installPlugin, uninstallPlugin } = await import("../../cni/install.ts");
  const { gatherSources } = await import("../config/agent_config.ts");
  const subnetFile = (await gatherSources(outside, given)).value(SETTINGS.subnetFile);
  const options = {
    executable: executableFile(outside),
    binDir: folderOf(given, "bin-dir", BIN_DIR_DEFAULT),
    confDir: folderOf(given, "conf-dir", CONF_DIR_DEFAULT),
    subnetFile: subnetFile === SETTINGS.subnetFile.initial ? null : subnetFile,
    force: givenSwitch(given, "force"),
  };
  const lines = action === "install" ? installPlugin(options) : uninstallPlugin(options);
  outside.print(lines.map((line) => `${line}\n`).join(""));
  return ExitCode.done;
}

function actionOf({ arguments: given }: Given): typeof ACTIONS[number] {
  const action = ACTIONS.find((one) => one === given[0]);
  if (action !== undefined && given.length === 1) return action;
  const wrong = action === undefined ? given[0] : given[1];
  throw new UserError(`${JSON.stringify(wrong)} is no action of gossamer cni`, {
    exitCode: ExitCode.usage,
    remedy: `give ${ACTIONS.join(" or ")}; container runtimes give none`,
  });
}

function folderOf(given: Given, flag: string, otherwise: string): string {
  const path = givenValue(given, flag) ?? otherwise;
  if (path.startsWith("/")) return path.replace(/\/+$/, "") || "/";
  throw new UserError(`--${flag}: ${JSON.stringify(path)} is no absolute path`, {
    exitCode: ExitCode.usage,
  });
}
