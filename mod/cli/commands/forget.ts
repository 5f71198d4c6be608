/** `gossamer forget`: a host that is gone for good counts as left. */
import { ExitCode } from "../../base/errors.ts";
import { runDirFlag, runDirOf } from "../agent_place.ts";
import { printable } from "../columns.ts";
import { type Command, givenSwitch } from "../command.ts";

export const forgetCommand: Command = {
  name: "forget",
  brief: "Give up a dead host that will not come back, and its subnet",
  description: `Tells all hosts that a dead one is gone for good: it counts as left, nobody tries to
reach it any more, its subnet is free at once, and after a day it is no longer listed. Once,
on any host, is enough; it may be a host of which only the claim is left.

A host that was forgotten and starts again is a member again at once, and keeps its subnet
unless somebody has taken it meanwhile.

Hosts that are alive or suspect are refused, since they would come back by themselves.`,
  examples: [
    { line: "gossamer forget h3", text: "the host of that name" },
    { line: "gossamer forget 192.168.1.13", text: "the host that was there" },
    { line: "gossamer forget 10.244.7.0/24", text: "the host that claims this subnet" },
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
  arguments: { placeholder: "HOST", minimum: 1, text: "Name, address, id or subnet of a host" },
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
