/** `gossamer install` and `gossamer uninstall`: this program as a service of this host. */
import { ExitCode, UserError } from "../../base/errors.ts";
import { type Command, type Flag, type Given, givenSwitch, givenValue } from "../command.ts";
import { agentConfig } from "../config/agent_config.ts";
import { flagOf } from "../config/setting.ts";
import { SETTING_LIST, SETTINGS } from "../config/settings.ts";
import { flagSource, Sources } from "../config/sources.ts";
import { executableFile } from "../executable_file.ts";
import type { Outside } from "../outside.ts";

const FLAGS = {
  root: {
    name: "root",
    kind: "value",
    placeholder: "DIR",
    text: "Another system's root folder, such as an image's; nothing is started",
  },
  dryRun: {
    name: "dry-run",
    kind: "switch",
    placeholder: "",
    text: "Say what would be done, and do nothing",
  },
} as const satisfies Record<string, Flag>;

const WRITTEN = SETTING_LIST.filter((setting) => setting !== SETTINGS.config);

export const installCommand: Command = {
  name: "install",
  brief: "Make this program a service of this host, started by systemd",
  description: `Copies this program to /usr/local/bin, writes the settings that are given here to
/etc/gossamer/gossamer.toml and a unit for systemd, and has systemd start it, now and with the host.
Says what it did. Done again it changes nothing; a newer program replaces an older one.

Settings that are there already stay unless others are given with --force. Where systemd does not run
it says so, and the rest is done.`,
  examples: [
    { line: "gossamer install --ip-masq", text: "the first host" },
    { line: "gossamer install --ip-masq --join 192.168.1.10", text: "every other one" },
    { line: "gossamer install --root /mnt/image", text: "into an image" },
  ],
  flags: [
    FLAGS.root,
    {
      name: "no-start",
      kind: "switch",
      placeholder: "",
      text: "Leave starting it to the next boot",
    },
    {
      name: "force",
      kind: "switch",
      placeholder: "",
      text: "Replace settings and a unit that are there and say something else",
    },
    FLAGS.dryRun,
    ...WRITTEN.map(flagOf),
  ],
  run: install,
};

export const uninstallCommand: Command = {
  name: "uninstall",
  brief: "Take away what install did; the overlay stays up until cleanup",
  description:
    `Ends the service and removes the program and its unit. Settings and state stay, so that a host that
is installed again has its subnet; with --purge they go as well.

Containers go on talking: run gossamer leave --release before to give the subnet back, and gossamer
cleanup to take the overlay out of the kernel.`,
  examples: [{ line: "gossamer uninstall", text: "settings and state stay" }],
  flags: [
    FLAGS.root,
    {
      name: "purge",
      kind: "switch",
      placeholder: "",
      text: "Remove settings, state and the unpacked runtime too",
    },
    {
      name: "force",
      kind: "switch",
      placeholder: "",
      text: "Remove a unit that install did not write",
    },
    FLAGS.dryRun,
  ],
  run: uninstall,
};

async function install(outside: Outside, given: Given): Promise<ExitCode> {
  const root = rootOf(given);
  const settings = givenSettings(outside, given);
  const { installFiles } = await import("../install/files.ts");
  const { configText } = await import("../install/config_text.ts");
  const dryRun = givenSwitch(given, FLAGS.dryRun.name);
  const { lines, changed } = installFiles({
    root,
    executable: executableFile(outside),
    configText: configText(settings),
    isConfigured: settings.length > 0,
    force: givenSwitch(given, "force"),
    dryRun,
  });
  printLines(outside, lines);
  if (root !== "" || dryRun) return ExitCode.done;
  const { enableService, systemdRuns } = await import("../install/systemd.ts");
  if (systemdRuns()) {
    const isStarted = !givenSwitch(given, "no-start");
    printLines(outside, await enableService({ isStarted, changed }));
  } else outside.say("gossamer: systemd does not run here: start the agent with gossamer up");
  return ExitCode.done;
}

async function uninstall(outside: Outside, given: Given): Promise<ExitCode> {
  const root = rootOf(given);
  const dryRun = givenSwitch(given, FLAGS.dryRun.name);
  if (root === "" && !dryRun) {
    const { disableService, systemdRuns } = await import("../install/systemd.ts");
    if (systemdRuns()) printLines(outside, await disableService());
  }
  const { uninstallFiles } = await import("../install/files.ts");
  const [force, purge] = [givenSwitch(given, "force"), givenSwitch(given, "purge")];
  printLines(outside, uninstallFiles({ root, force, purge, dryRun }));
  return ExitCode.done;
}

/** What stands on the command line, checked as a whole. Throws ConfigError. */
function givenSettings(outside: Outside, given: Given): { name: string; value: unknown }[] {
  const sources = new Sources([flagSource(given)]);
  agentConfig(sources, outside);
  return WRITTEN.map((setting) => ({ name: setting.name, ...sources.read(setting) }))
    .filter(({ origin }) => origin !== null)
    .map(({ name, value }) => ({ name, value }));
}

function rootOf(given: Given): string {
  const root = givenValue(given, FLAGS.root.name) ?? "";
  if (root === "" || root.startsWith("/")) return root.replace(/\/+$/, "");
  throw new UserError(`--root: ${JSON.stringify(root)} is no absolute path`, {
    exitCode: ExitCode.usage,
  });
}

function printLines(outside: Outside, lines: readonly string[]): void {
  for (const line of lines) outside.print(`${line}\n`);
}
