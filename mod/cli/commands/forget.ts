/** `gossamer forget`: a host that is gone for good counts as left. */
import { ExitCode } from "../../base/errors.ts";
import { runDirFlag, runDirOf } from "../agent_place.ts";
import { printable } from "../columns.ts";
import { type Command, givenSwitch } from "../command.ts";

export const forgetCommand: Command = {
  name: "forget",
  brief: "Stop looking for a dead host that will not come back",
  description: `Tells all hosts that a dead one is gone for good: it counts as left, nobody tries to
reach it any more, and after a day it is no longer listed. Once, on any host, is enough.

Its subnet stays reserved for it. A host that was forgotten and starts again is a member
again at once, with its subnet.

Hosts that are alive or suspect are refused, since they would come back by themselves.`,
  examples: [
    { line: "gossamer forget h3", text: "the host of that name" },
    { line: "gossamer forget 192.168.1.13", text: "the host that was there" },
  ],
  flags: [
    {
      name: "force",
      kind: "switch",
      placeholder: "",
      text: "Also a host that is still taken for alive; if it is, it comes back",
    },
    runDirFlag(),
  ],
  arguments: { placeholder: "HOST", minimum: 1, text: "Name, address or id of a host" },
  async run(outside, given) {
    const { askAgent } = await import("../control_client.ts");
    const { forgetAnswerOf } = await import("../documents.ts");
    const runDir = await runDirOf(outside, given);
    const force = givenSwitch(given, "force");
    for (const host of given.arguments) {
      const answer = await askAgent(runDir, {
        method: "POST",
        path: "/forget",
        body: { host, force },
      });
      const { name, address, status } = forgetAnswerOf(answer);
      const before = status === "left" ? "had left already" : "is forgotten";
      outside.say(`${printable(name)} (${printable(address)}) ${before}`);
    }
    return ExitCode.done;
  },
};
