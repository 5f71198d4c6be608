/** `gossamer leave`: the running agent says goodbye. */
import { ExitCode } from "../../base/errors.ts";
import { runDirFlag, runDirOf } from "../agent_place.ts";
import { type Command, givenSwitch } from "../command.ts";
import { printable } from "../columns.ts";

/** The goodbye goes to every member and is waited for; a large cluster takes seconds. */
const LEAVE_TIMEOUT_MS = 60_000;

export const leaveCommand: Command = {
  name: "leave",
  brief: "Leave the cluster; with --release, give the subnet back as well",
  description:
    `Tells the cluster that this host leaves, and ends its agent. The subnet stays reserved
for this host and the overlay stays up, so that it can come back.

With --release the subnet becomes free for others and the overlay is removed: containers
of this host lose their network.`,
  examples: [
    { line: "gossamer leave", text: "for a while" },
    { line: "gossamer leave --release", text: "for good" },
  ],
  flags: [
    {
      name: "release",
      kind: "switch",
      placeholder: "",
      text: "Free the subnet for other hosts and remove the overlay from this one",
    },
    runDirFlag(),
  ],
  async run(outside, given) {
    const { askAgent } = await import("../control_client.ts");
    const { leaveAnswerOf } = await import("../documents.ts");
    const release = givenSwitch(given, "release");
    const { released } = leaveAnswerOf(
      await askAgent(await runDirOf(outside, given), {
        method: "POST",
        path: "/leave",
        body: { release },
        timeoutMs: LEAVE_TIMEOUT_MS,
      }),
    );
    outside.say(goodbye(release, released));
    return ExitCode.done;
  },
};

function goodbye(release: boolean, released: string | null): string {
  if (released !== null) return `left the cluster; ${printable(released)} is released`;
  return release
    ? "left the cluster; there was no subnet to release"
    : "left the cluster; the subnet stays reserved for this host and the overlay stays up";
}
