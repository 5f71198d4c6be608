/** `gossamer demo`: a cluster on this machine, for somebody who has never seen one. */
import { ExitCode, UserError } from "../../base/errors.ts";
import { type Command, givenSwitch, givenValue } from "../command.ts";

/** As DEMO_HOSTS_MIN and DEMO_HOSTS_MAX of the lab, which is too heavy to load for a help text. */
const HOSTS_MIN = 2;
const HOSTS_MAX = 9;
const HOSTS_DEFAULT = 3;

export const demoCommand: Command = {
  name: "demo",
  brief: "Watch a cluster form, lose a host and heal, all on this machine",
  description:
    `Starts a few hosts as network namespaces on this machine, each with an agent of its own,
and tells what happens: they join, claim subnets, reach each other's containers, lose an
agent, get it back, and one leaves. Nothing is left behind. Needs root, or a kernel that
lets users make namespaces.`,
  examples: [{ line: "gossamer demo --hosts 5", text: "with five hosts instead of three" }],
  flags: [
    {
      name: "hosts",
      kind: "value",
      placeholder: "NUMBER",
      text: `Hosts, ${HOSTS_MIN} to ${HOSTS_MAX}`,
      defaultText: String(HOSTS_DEFAULT),
    },
    {
      name: "keep",
      kind: "switch",
      placeholder: "",
      text: "Stay at the end, until Ctrl-C, so that the cluster can be looked at",
    },
  ],
  async run(_outside, given) {
    const hosts = hostCount(givenValue(given, "hosts"));
    const { runDemo } = await import("../../lab/demo.ts");
    return await runDemo({ hosts, keep: givenSwitch(given, "keep") });
  },
};

function hostCount(text: string | undefined): number {
  if (text === undefined) return HOSTS_DEFAULT;
  const hosts = /^\d{1,3}$/.test(text) ? Number(text) : NaN;
  if (hosts >= HOSTS_MIN && hosts <= HOSTS_MAX) return hosts;
  throw new UserError(
    `--hosts: ${JSON.stringify(text)} is not a whole number from ${HOSTS_MIN} to ${HOSTS_MAX}`,
    { exitCode: ExitCode.usage },
  );
}
