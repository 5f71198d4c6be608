/** `gossamer members`: one line a member. */
import type { MemberStatusName } from "../../agent/api.ts";
import { ConfigError, ExitCode } from "../../base/errors.ts";
import { fetchStatus } from "../agent_status.ts";
import { runDirFlag, runDirOf } from "../agent_place.ts";
import { type Command, type Given, givenSwitch } from "../command.ts";
import { JSON_FLAG, printJson } from "../json_output.ts";
import { paintFor } from "../paint.ts";

const STATUSES: readonly MemberStatusName[] = ["alive", "suspect", "dead", "left"];

export const membersCommand: Command = {
  name: "members",
  brief: "List the hosts of the cluster, one a line",
  description:
    `Lists the members of the cluster as the agent of this host sees them, one a line: NAME
ADDRESS STATUS SUBNET RTT VERSION. Dead members stay in the list, because they keep
their subnets.`,
  examples: [
    { line: "gossamer members", text: "everybody" },
    { line: "gossamer members --status dead,suspect", text: "who is in trouble" },
  ],
  flags: [
    {
      name: "status",
      kind: "list",
      placeholder: "STATUS",
      text: `Only members of this status: ${STATUSES.join(", ")}`,
    },
    JSON_FLAG,
    runDirFlag(),
  ],
  async run(outside, given) {
    const wanted = wantedStatuses(given);
    const { members, schema } = await fetchStatus(await runDirOf(outside, given));
    const chosen = members.filter(({ status }) => wanted.includes(status));
    if (givenSwitch(given, "json")) {
      printJson(outside, { schema, members: chosen });
    } else {
      const { renderMembers } = await import("../render_members.ts");
      outside.print(renderMembers(chosen, outside.now(), paintFor(outside)));
    }
    return ExitCode.done;
  },
};

function wantedStatuses(given: Given): readonly MemberStatusName[] {
  const texts = (given.flags.get("status") ?? []).flatMap((text) => text.split(","));
  if (texts.length === 0) return STATUSES;
  return texts.map((text) => {
    const status = STATUSES.find((status) => status === text.trim());
    if (status !== undefined) return status;
    throw new ConfigError(
      "--status",
      `${JSON.stringify(text)} is none of ${STATUSES.join(", ")}`,
      "leave it out to see everybody",
    );
  });
}
