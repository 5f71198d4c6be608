/** `gossamer report`: everything that helps to find out what is wrong on a host, in one text. */
import { ExitCode } from "../../base/errors.ts";
import { VERSION } from "../../base/version.ts";
import { runDirFlag, runDirOf } from "../agent_place.ts";
import type { Command } from "../command.ts";

export const reportCommand: Command = {
  name: "report",
  brief: "Print all that helps to find out what is wrong, in one text",
  description:
    `Prints what the agent of this host knows as one text in Markdown, to be read or handed on:
versions, problems, what this host's kernel should hold as ip, bridge, sysctl and nft
commands, what of that differs at this moment, the last events, and status and subnets as
JSON. Nothing is changed. Gossip keys are not in it; names and addresses of the hosts are.`,
  examples: [
    { line: "gossamer report > report.md", text: "to put into an issue" },
  ],
  flags: [runDirFlag()],
  async run(outside, given) {
    const { askAgent } = await import("../control_client.ts");
    const { planOf, statusOf, subnetsOf } = await import("../documents.ts");
    const { recentEventsOf } = await import("../event_documents.ts");
    const { renderReport } = await import("../render_report.ts");
    const runDir = await runDirOf(outside, given);
    const ask = (path: string) => askAgent(runDir, { method: "GET", path });
    outside.print(renderReport({
      version: VERSION,
      kernelRelease: Deno.osRelease(),
      at: new Date(outside.now()).toISOString(),
      status: statusOf(await ask("/status")),
      subnets: subnetsOf(await ask("/subnets")),
      plan: planOf(await ask("/plan")),
      events: recentEventsOf(await ask("/events/recent")),
    }));
    return ExitCode.done;
  },
};
