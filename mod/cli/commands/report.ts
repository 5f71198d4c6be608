/** `gossamer report`: everything that helps to find out what is wrong on a host, in one text. */
import { ExitCode, systemReasonOf, UserError } from "../../base/errors.ts";
import { VERSION } from "../../base/version.ts";
import { runDirFlag, runDirOf } from "../agent_place.ts";
import { type Command, type Given, givenValue } from "../command.ts";
import type { Outside } from "../outside.ts";

export const reportCommand: Command = {
  name: "report",
  brief: "Print all that helps to find out what is wrong, in one text",
  description:
    `Prints one text in Markdown, to be read or handed on: versions, problems, what gossamer doctor
finds, members, what this host's kernel should hold as ip, bridge, sysctl and nft commands, what
of that differs at this moment, the last events, the configuration, what the kernel holds, and
status and subnets as JSON. Nothing is changed; the doctor sends a few packets to other hosts.

Gossip keys are not in it, nor what looks like a password; names and addresses of the hosts are.
Where no agent answers it has what can be found without, and ends with 3.`,
  examples: [
    { line: "gossamer report --output report.md", text: "to put into an issue" },
  ],
  flags: [
    {
      name: "output",
      kind: "value",
      placeholder: "FILE",
      text: "Write this file, for its owner's eyes, instead of standard output",
    },
    runDirFlag(),
  ],
  async run(outside, given) {
    const { text, exitCode } = await reportText(outside, given);
    const path = givenValue(given, "output");
    if (path === undefined) outside.print(text);
    else {
      await write(path, text);
      outside.say(`${path} is written: look it over before you make it public`);
    }
    return exitCode;
  },
};

async function reportText(
  outside: Outside,
  given: Given,
): Promise<{ text: string; exitCode: ExitCode }> {
  const { askAgent } = await import("../control_client.ts");
  const { planOf, statusOf, subnetsOf } = await import("../documents.ts");
  const { recentEventsOf } = await import("../event_documents.ts");
  const { renderReport, renderReportWithoutAgent } = await import("../render_report.ts");
  const { hostReport } = await import("../host_report.ts");
  const runDir = await runDirOf(outside, given);
  const ask = (path: string) => askAgent(runDir, { method: "GET", path });
  const at = new Date(outside.now()).toISOString();
  const head = { version: VERSION, kernelRelease: Deno.osRelease(), at };
  let answer: unknown;
  try {
    answer = await ask("/status");
  } catch (error) {
    if (!(error instanceof UserError) || error.exitCode !== ExitCode.notRunning) throw error;
    outside.say(`gossamer: ${error.message} - the report has what can be found without it`);
    const host = await hostReport(outside, given, null);
    return { text: renderReportWithoutAgent({ ...head, host }), exitCode: ExitCode.notRunning };
  }
  const status = statusOf(answer);
  const text = renderReport({
    ...head,
    status,
    subnets: subnetsOf(await ask("/subnets")),
    plan: planOf(await ask("/plan")),
    events: recentEventsOf(await ask("/events/recent")),
    host: await hostReport(outside, given, status.overlay.device),
  });
  return { text, exitCode: ExitCode.done };
}

async function write(path: string, text: string): Promise<void> {
  const { replaceFile } = await import("../../host/replace_file.ts");
  try {
    replaceFile(path, new TextEncoder().encode(text));
  } catch (error) {
    throw new UserError(`${path} cannot be written: ${systemReasonOf(error)}`, { cause: error });
  }
}
