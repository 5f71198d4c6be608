/** `gossamer docker-opts`: what flannel's mk-docker-opts.sh does, from the same file, with the same letters. */
import { ExitCode } from "../../base/errors.ts";
import { settingFlag } from "../agent_place.ts";
import { type Command, type Given, givenSwitch, givenValue } from "../command.ts";
import { BadValue } from "../config/setting.ts";
import { SETTINGS } from "../config/settings.ts";
import { flagValue } from "../flag_value.ts";
import { gatherSources } from "../config/agent_config.ts";
import type { Outside } from "../outside.ts";

const KEY_DEFAULT = "DOCKER_OPTS";

export const dockerOptsCommand: Command = {
  name: "docker-opts",
  brief: "Print what Docker must be told to use this host's subnet",
  description:
    `Prints options of dockerd as variables, for systemd or a shell to read: the address of
Docker's bridge, its MTU, and whether Docker shall masquerade. They come from the subnet file.

The letters and the output are those of flannel's mk-docker-opts.sh. It writes /run/docker_opts.env
when no file is named; this one then prints.`,
  examples: [
    { line: "gossamer docker-opts", text: "each option, and all of them together" },
    {
      line: "gossamer docker-opts -c -d /run/docker_opts.env",
      text: "for EnvironmentFile= in the unit of Docker",
    },
    {
      line: "gossamer docker-opts --drop-in",
      text: "and a drop-in for that unit",
    },
  ],
  flags: [
    {
      name: "combined",
      letter: "c",
      kind: "switch",
      placeholder: "",
      text: "All options in one variable; without -c and -i, both kinds are printed",
    },
    {
      name: "individual",
      letter: "i",
      kind: "switch",
      placeholder: "",
      text: "Each option in a variable of its own",
    },
    {
      name: "key",
      letter: "k",
      kind: "value",
      placeholder: "NAME",
      text: "Name of the variable with all options",
      defaultText: KEY_DEFAULT,
    },
    {
      name: "no-ip-masq",
      letter: "m",
      kind: "switch",
      placeholder: "",
      text: "Leave out --ip-masq",
    },
    {
      name: "output",
      letter: "d",
      kind: "value",
      placeholder: "FILE",
      text: "Write this file instead of standard output",
    },
    {
      name: "drop-in",
      kind: "switch",
      placeholder: "",
      text:
        "Print instead what systemd is told, so that Docker starts after the agent and with these " +
        "options: a drop-in for docker.service",
    },
    {
      name: "docker-version",
      kind: "value",
      placeholder: "VERSION",
      text: "For the drop-in: since 28.2 Docker has an option in place of a variable",
    },
    { ...settingFlag(SETTINGS.subnetFile, { text: "The agent's subnet file" }), letter: "f" },
  ],
  run,
};

async function run(outside: Outside, given: Given): Promise<ExitCode> {
  const path = (await gatherSources(outside, given)).value(SETTINGS.subnetFile);
  const output = givenValue(given, "output");
  if (givenSwitch(given, "drop-in")) {
    return await put(outside, await dropIn(outside, given, path), output);
  }
  const individual = givenSwitch(given, "individual");
  const combined = givenSwitch(given, "combined");
  const { dockerOptionsText } = await import("../docker_options.ts");
  const { readSubnetText } = await import("../container_subnet.ts");
  const text = dockerOptionsText(readSubnetText(path), {
    path,
    individual: individual || !combined,
    combined: combined || !individual,
    key: givenValue(given, "key") ?? KEY_DEFAULT,
    mentionIpMasq: !givenSwitch(given, "no-ip-masq"),
    variable: outside.variable,
    variableNames: outside.variableNames(),
  });
  return await put(outside, text, output);
}

async function put(outside: Outside, text: string, output: string | undefined): Promise<ExitCode> {
  if (output === undefined) {
    outside.print(text);
  } else {
    const { writeForEngine } = await import("../engine_file.ts");
    writeForEngine(output, text);
  }
  return ExitCode.done;
}

async function dropIn(outside: Outside, given: Given, subnetFile: string): Promise<string> {
  const { dockerDropInText, dockerVersionOf } = await import("../docker_drop_in.ts");
  const version = flagValue(given, "docker-version", (text) => {
    const found = dockerVersionOf(text);
    if (found !== null) return found;
    throw new BadValue(`${JSON.stringify(text)} is no version`, "dockerd --version prints it");
  });
  return dockerDropInText({
    // Set by the file's own first lines.
    gossamer: outside.variable("GOSSAMER_EXECUTABLE") ?? "/usr/local/bin/gossamer",
    dockerd: dockerdPath(outside.variable("PATH") ?? ""),
    subnetFile,
    version: version ?? null,
  });
}

/** Where Docker's own packages put it. */
const DOCKERD_DEFAULT = "/usr/bin/dockerd";

function dockerdPath(path: string): string {
  for (const folder of [...path.split(":"), "/usr/bin", "/usr/sbin", "/usr/local/bin"]) {
    try {
      if (folder !== "" && Deno.statSync(`${folder}/dockerd`).isFile) return `${folder}/dockerd`;
    } catch {
      // Not in this folder.
    }
  }
  return DOCKERD_DEFAULT;
}
