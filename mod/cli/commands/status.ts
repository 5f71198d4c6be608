/** `gossamer status`: what the agent of this host knows and does. */
import type { StatusDocument } from "../../agent/api.ts";
import { ExitCode } from "../../base/errors.ts";
import { runDirFlag, runDirOf } from "../agent_place.ts";
import { type Command, givenSwitch } from "../command.ts";
import { JSON_FLAG, printJson } from "../json_output.ts";
import type { Outside } from "../outside.ts";
import { paintFor } from "../paint.ts";

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

/** Asks the agent and checks its answer. */
export async function fetchStatus(runDir: string): Promise<StatusDocument> {
  const { askAgent } = await import("../control_client.ts");
  const { statusOf } = await import("../documents.ts");
  return statusOf(await askAgent(runDir, { method: "GET", path: "/status" }));
}

/** The document for people, in this terminal's colours. */
export async function statusText(outside: Outside, document: StatusDocument): Promise<string> {
  const { renderStatus } = await import("../render_status.ts");
  return renderStatus(document, outside.now(), paintFor(outside));
}

export function exitCodeOf(document: StatusDocument): ExitCode {
  return document.ready ? ExitCode.done : ExitCode.notReady;
}
