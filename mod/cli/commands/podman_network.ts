/** `gossamer podman-network`: this host's subnet as a network that Podman knows. */
import { ExitCode } from "../../base/errors.ts";
import { settingFlag } from "../agent_place.ts";
import { type Command, type Given, givenSwitch, givenValue } from "../command.ts";
import { gatherSources } from "../config/agent_config.ts";
import { interfaceName, memberName } from "../config/checks.ts";
import { SETTINGS } from "../config/settings.ts";
import { flagValue } from "../flag_value.ts";
import type { Outside } from "../outside.ts";

/** Where Podman of root looks for networks (containers.conf(5), network_config_dir). */
const FOLDER = "/etc/containers/networks";
const NAME_DEFAULT = "gossamer";
const DEVICE_DEFAULT = "gossamer0";

export const podmanNetworkCommand: Command = {
  name: "podman-network",
  brief: "Print or install this host's subnet as a network of Podman",
  description:
    `Prints the file that Podman 4 and later, with netavark, reads for a network whose containers
have addresses of this host's subnet. With --install it is written where Podman of root finds it.

Podman 3, and Podman 4 where it uses CNI, take the CNI plugin instead.`,
  examples: [
    { line: "gossamer podman-network", text: "look at it" },
    { line: "gossamer podman-network --install", text: `write ${FOLDER}/${NAME_DEFAULT}.json` },
    { line: "podman run --network gossamer IMAGE", text: "and use it" },
  ],
  flags: [
    {
      name: "install",
      kind: "switch",
      placeholder: "",
      text: `Write ${FOLDER}/NAME.json instead of standard output`,
    },
    {
      name: "output",
      kind: "value",
      placeholder: "FILE",
      text: "Write this file instead of standard output",
    },
    {
      name: "name",
      kind: "value",
      placeholder: "NAME",
      text: "Name of the network",
      defaultText: NAME_DEFAULT,
    },
    {
      name: "device",
      kind: "value",
      placeholder: "NAME",
      text: "The bridge that Podman makes",
      defaultText: DEVICE_DEFAULT,
    },
    settingFlag(SETTINGS.subnetFile, { text: "The agent's subnet file" }),
  ],
  run,
};

async function run(outside: Outside, given: Given): Promise<ExitCode> {
  const path = (await gatherSources(outside, given)).value(SETTINGS.subnetFile);
  const name = flagValue(given, "name", memberName) ?? NAME_DEFAULT;
  const device = flagValue(given, "device", interfaceName) ?? DEVICE_DEFAULT;
  const { containerSubnet, readSubnetText } = await import("../container_subnet.ts");
  const { podmanNetworkText } = await import("../podman_network.ts");
  const subnet = containerSubnet(readSubnetText(path), path);
  const text = podmanNetworkText(subnet, { name, device });
  const output = givenSwitch(given, "install")
    ? `${FOLDER}/${name}.json`
    : givenValue(given, "output");
  if (output === undefined) {
    outside.print(text);
    return ExitCode.done;
  }
  const { writeForEngine } = await import("../engine_file.ts");
  writeForEngine(output, text);
  outside.say(`wrote ${output}: podman run --network ${name}`);
  return ExitCode.done;
}
