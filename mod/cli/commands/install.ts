/** `gossamer install` and `gossamer uninstall`: this program as a service of this host. */
import { ExitCode, UserError } from "../../base/errors.ts";
import { runDirOf } from "../agent_place.ts";
import { type Command, type Flag, type Given, givenSwitch, givenValue } from "../command.ts";
import { agentConfig } from "../config/agent_config.ts";
import { flagOf } from "../config/setting.ts";
import { SETTING_LIST, SETTINGS } from "../config/settings.ts";
import { flagSource, Sources } from "../config/sources.ts";
import { executableFile } from "../executable_file.ts";
import type { GivenSetting } from "../install/config_text.ts";
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

Settings that are there already stay unless others are given with --force, and so does a unit that somebody
changed. Where systemd does not run it says so, and the rest is done.`,
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
      text: "Replace settings, a unit or a program that are there and not as install writes them",
    },
    FLAGS.dryRun,
    ...WRITTEN.map(flagOf),
  ],
  run: install,
};

export const uninstallCommand: Command = {
  name: "uninstall",
  brief: "Take away what install did; the overlay stays up without --purge",
  description:
    `Ends the service and removes the program and its unit, if they are as install writes them. Settings and
state stay, so that a host that is installed again has its subnet, and so does the overlay: containers go on
talking.

With --purge these go as well: the overlay as by gossamer cleanup, then settings and state. Run gossamer
leave --release before it to give the subnet back at once.`,
  examples: [
    { line: "gossamer uninstall", text: "settings, state and overlay stay" },
    { line: "gossamer uninstall --purge --dry-run", text: "see what would go" },
  ],
  flags: [
    FLAGS.root,
    {
      name: "purge",
      kind: "switch",
      placeholder: "",
      text: "Remove the overlay, settings, state and the unpacked runtime too",
    },
    {
      name: "force",
      kind: "switch",
      placeholder: "",
      text: "Remove a unit and a program that install did not write",
    },
    FLAGS.dryRun,
  ],
  run: uninstall,
};

async function install(outside: Outside, given: Given): Promise<ExitCode> {
  const root = rootOf(given);
  const dryRun = givenSwitch(given, FLAGS.dryRun.name);
  const settings = await givenSettings(outside, given);
  requireRoot("install", root, dryRun);
  const { installFiles } = await import("../install/files.ts");
  const { configText } = await import("../install/config_text.ts");
  if (root === "") await refuseBesideAgent(outside, given);
  const { lines, changed } = installFiles({
    root,
    executable: executableFile(outside),
    configText: configText(settings),
    isConfigured: settings.length > 0,
    force: givenSwitch(given, "force"),
    dryRun,
  });
  printLines(outside, lines);
  if (root !== "") return ExitCode.done;
  const { startSteps, systemdRuns, takeSteps } = await import("../install/systemd.ts");
  if (systemdRuns()) {
    const isStarted = !givenSwitch(given, "no-start");
    printLines(outside, await takeSteps(startSteps({ isStarted, changed }), dryRun));
    if (isStarted && !dryRun) outside.say("gossamer: gossamer status says how it gets on");
  } else outside.say("gossamer: systemd does not run here: start the agent with gossamer up");
  return ExitCode.done;
}

async function uninstall(outside: Outside, given: Given): Promise<ExitCode> {
  const root = rootOf(given);
  const dryRun = givenSwitch(given, FLAGS.dryRun.name);
  requireRoot("uninstall", root, dryRun);
  const [force, purge] = [givenSwitch(given, "force"), givenSwitch(given, "purge")];
  const { packagedUnit, uninstallFiles, UNIT_FILE } = await import("../install/files.ts");
  const { isThere } = await import("../install/put.ts");
  const systemd = await import("../install/systemd.ts");
  const isService = root === "" && systemd.systemdRuns() && isThere(UNIT_FILE);
  if (isService) printLines(outside, await systemd.takeSteps(systemd.STOP_STEPS, dryRun));
  // While there is a program that can: what it takes to find everything is among the settings.
  if (purge && root === "" && packagedUnit(root) === null) await cleanUp(outside, dryRun);
  const executable = builtFile(outside);
  printLines(outside, uninstallFiles({ root, executable, force, purge, dryRun }));
  if (isService) printLines(outside, await systemd.takeSteps(systemd.FORGET_STEPS, dryRun));
  return ExitCode.done;
}

/** Throws UserError if an agent runs that the service would collide with: one that was started by hand. */
async function refuseBesideAgent(outside: Outside, given: Given): Promise<void> {
  const { packagedUnit, UNIT_FILE } = await import("../install/files.ts");
  const { isThere } = await import("../install/put.ts");
  if (isThere(UNIT_FILE) || packagedUnit("") !== null) return;
  const { agentRuns, socketPath } = await import("../control_client.ts");
  const runDir = await runDirOf(outside, given);
  if (!await agentRuns(runDir)) return;
  throw new UserError(`an agent runs that is no service: it answers on ${socketPath(runDir)}`, {
    remedy: "end it with Ctrl-C or SIGTERM, which leaves the overlay up, then install again",
  });
}

/** Throws UserError while an agent runs that systemd does not know of, and when the kernel refuses. */
async function cleanUp(outside: Outside, dryRun: boolean): Promise<void> {
  const { cleanupCommand } = await import("./cleanup.ts");
  const flags = new Map(dryRun ? [[FLAGS.dryRun.name, ["true"]]] : []);
  await cleanupCommand.run(outside, { flags, arguments: [] });
}

function builtFile(outside: Outside): string | null {
  try {
    return executableFile(outside);
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

/** Throws UserError before anything is touched, systemd included. */
function requireRoot(what: string, root: string, dryRun: boolean): void {
  if (root !== "" || dryRun || Deno.uid() === 0) return;
  throw new UserError(`gossamer ${what} changes the system`, {
    exitCode: ExitCode.privilege,
    remedy: "run it as root, or give --dry-run to see what it would do",
  });
}

/** What stands on the command line, checked as a whole. Throws ConfigError, and UserError for what the service cannot reach. */
async function givenSettings(outside: Outside, given: Given): Promise<GivenSetting[]> {
  const sources = new Sources([flagSource(given)]);
  agentConfig(sources, outside);
  const settings = WRITTEN.map((setting) => ({ name: setting.name, ...sources.read(setting) }))
    .filter(({ origin }) => origin !== null)
    .map(({ name, value }) => ({ name, value }));
  const { outOfReach } = await import("../install/reach.ts");
  const far = outOfReach(settings);
  if (far === undefined) return settings;
  const { name, path, verb } = far;
  throw new UserError(
    `--${name}: the service may not ${verb === "write" ? "write to" : verb} ${path}`,
    {
      exitCode: ExitCode.usage,
      remedy: verb === "read" || name === "key-file"
        ? "put it into /etc/gossamer"
        : "leave it as it is; or install without, open that path with systemctl edit gossamer, and " +
          "write it into /etc/gossamer/gossamer.toml",
    },
  );
}

/** Empty for this system: only without the flag, lest a script with an empty variable changes its own host. */
function rootOf(given: Given): string {
  const root = givenValue(given, FLAGS.root.name);
  if (root === undefined || /^\/+$/.test(root)) return "";
  const problem = !root.startsWith("/")
    ? "is no absolute path"
    : isFolder(root)
    ? null
    : "is no folder";
  if (problem === null) return root.replace(/\/+$/, "");
  throw new UserError(`--root: ${JSON.stringify(root)} ${problem}`, {
    exitCode: ExitCode.usage,
    remedy: "give the folder in which the other system's /etc and /usr are",
  });
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function printLines(outside: Outside, lines: readonly string[]): void {
  for (const line of lines) outside.print(`${line}\n`);
}
