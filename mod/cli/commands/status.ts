/** `gossamer status`: what the agent of this host knows and does. */
import { exitCodeOf, fetchStatus, statusText } from "../agent_status.ts";
import { runDirFlag, runDirOf } from "../agent_place.ts";
import { type Command, givenSwitch } from "../command.ts";
import { JSON_FLAG, printJson } from "../json_output.ts";

export const statusCommand: Command = {
  name: "status",
  brief: "Show this host, its claim, the overlay, and problems with remedies",
  description:
    `Shows what the agent of this host knows and does: itself, the cluster, its claim to a
subnet, the overlay towards each peer, and problems with what to do about them.

Exits with 4 while the agent is not ready: until its subnet is held, every known peer
is programmed and the subnet file is written.`,
  examples: [
    { line: "gossamer status", text: "once" },
    { line: "gossamer status --watch", text: "again each second, until Ctrl-C" },
    { line: "gossamer status --json | jq .claim.subnet", text: "for scripts" },
  ],
  flags: [
    JSON_FLAG,
    {
      name: "watch",
      kind: "switch",
      placeholder: "",
      text: "Show it again each second; with --json, one document a line",
    },
    runDirFlag(),
  ],
  async run(outside, given) {
    if (givenSwitch(given, "watch")) {
      return await (await import("../watch.ts")).watch(outside, given);
    }
    const document = await fetchStatus(await runDirOf(outside, given));
    if (givenSwitch(given, "json")) printJson(outside, document);
    else outside.print(await statusText(outside, document));
    return exitCodeOf(document);
  },
};
